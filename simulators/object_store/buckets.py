"""Operations on buckets. Pure."""

from __future__ import annotations

import re
from typing import Any

from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import Bucket, Store
from storcert.simulators.object_store.multipart import OWNER
from storcert.simulators.object_store.objects import Params
from storcert.simulators.object_store.reply import Reply, moment

REGIONS = frozenset(
    ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1",
     "eu-north-1", "eu-south-1", "ap-east-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
     "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1", "af-south-1", "me-south-1", "EU"))
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")


def _check_name(store: Store, name: str) -> None:
    if len(name) < 3:
        code = store.dialect.code("bucket_name_two_characters")
    elif _NAME.match(name) is None or ".." in name:
        code = store.dialect.code("bucket_name_underscore_or_capital")
    else:
        return
    if code is not None:
        raise Refusal(code, details={"BucketName": name})


def create_bucket(store: Store, params: Params, _body: bytes) -> Reply:
    """Make a bucket; its owner may ask again."""
    name = params["Bucket"]
    _check_name(store, name)
    location = params.get("CreateBucketConfiguration", {}).get("LocationConstraint")
    if location is not None:
        row = "unknown" if location not in REGIONS else "us_east_1" if location == "us-east-1" else "other_region"
        code = store.dialect.code(f"location_constraint_{row}")
        if code is not None:
            raise Refusal(code, details={"LocationConstraint": location})
    reply = Reply({"Location": f"/{name}"}, headers={"location": f"/{name}"})
    if name in store.buckets:
        rule = store.dialect["create_own_bucket_again"]
        if rule != "ok" and (location or store.region) != "us-east-1":
            raise Refusal("BucketAlreadyOwnedByYou", details={"BucketName": name})
        return reply
    store.buckets[name] = Bucket(name, store.now_ns, location)
    return reply


def delete_bucket(store: Store, params: Params, _body: bytes) -> Reply:
    """Only an empty bucket goes; pending uploads do not hold it."""
    bucket = store.bucket(params["Bucket"])
    held = not bucket.empty
    if bucket.uploads and store.dialect.code("delete_bucket_with_upload") is not None:
        held = True
    if held:
        raise Refusal("BucketNotEmpty", details={"BucketName": bucket.name})
    del store.buckets[bucket.name]
    return Reply({}, 204)


def head_bucket(store: Store, params: Params, _body: bytes) -> Reply:
    """Whether it is there."""
    bucket = store.bucket(params["Bucket"])
    region = bucket.location or store.region
    return Reply({"BucketRegion": region}, headers={"x-amz-bucket-region": region})


def list_buckets(store: Store, params: Params, _body: bytes) -> Reply:
    """All buckets, by name."""
    prefix, limit = params.get("Prefix", ""), params.get("MaxBuckets", 10_000)
    token = params.get("ContinuationToken", "")
    names = [name for name in sorted(store.buckets) if name.startswith(prefix) and name > token]
    page = names[:limit]
    result: dict[str, Any] = {
        "Buckets": [{"Name": name, "CreationDate": moment(store.buckets[name].created_ns)} for name in page],
        "Owner": dict(OWNER),
    }
    if "Prefix" in params:
        result["Prefix"] = prefix
    if len(names) > len(page):
        result["ContinuationToken"] = page[-1]
    return Reply(result, entries=len(page))


def get_bucket_location(store: Store, params: Params, _body: bytes) -> Reply:
    """The region; nothing for us-east-1."""
    return Reply({"LocationConstraint": store.bucket(params["Bucket"]).location})


def put_bucket_versioning(store: Store, params: Params, _body: bytes) -> Reply:
    """Enable or suspend; once enabled, a bucket never becomes unversioned again."""
    bucket = store.bucket(params["Bucket"])
    status = params["VersioningConfiguration"].get("Status")
    if status not in ("Enabled", "Suspended"):
        raise Refusal("MalformedXML")
    bucket.versioning = status
    return Reply({})


def get_bucket_versioning(store: Store, params: Params, _body: bytes) -> Reply:
    """``Status`` is absent where versioning was never set."""
    versioning = store.bucket(params["Bucket"]).versioning
    if versioning is None:
        return Reply({})
    return Reply({"Status": versioning, **({"MFADelete": "Disabled"} if store.dialect["mfa_delete_shown"] else {})})
