"""Buckets of a real S3 service: made, counted and emptied with a client of the kit's own, which no fault ever strikes."""

from __future__ import annotations

import functools
from typing import Any

from storcert.conformance.live_targets.botocore_once import remember
from storcert.conformance.live_targets.target import Reached
from storcert.harness.contract import JsonValue
from storcert.simulators.device import CensusEntry

REGION = "us-east-1"


def environment(access_key: str, secret_key: str) -> dict[str, str]:
    """Credentials where boto3 and others look first; what the user has set up for other services is out of sight."""
    nothing = "/dev/null"
    return {
        "AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
        "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": nothing,
        "AWS_SHARED_CREDENTIALS_FILE": nothing,
    }  # fmt: skip


def server(endpoint_url: str, access_key: str, secret_key: str) -> dict[str, JsonValue]:
    """How :func:`open_bucket` finds the service."""
    return {"endpoint_url": endpoint_url, "access_key": access_key, "secret_key": secret_key}


@functools.cache
def _client(endpoint_url: str, access_key: str, secret_key: str) -> Any:
    import boto3.session
    from botocore.config import Config

    session = boto3.session.Session()
    plain = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}, connect_timeout=3, read_timeout=30)
    make: Any = session.client  # the stubs know every service by name, the keys come as a mapping
    return make(
        "s3", endpoint_url=endpoint_url, region_name=REGION, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        config=plain)


def provide() -> None:
    """Clients of botocore are made by the thousand: what is the same for all of them is worked out once per process."""
    remember()


class Bucket:
    """A bucket that was not there before."""

    def __init__(self, client: Any, endpoint_url: str, name: str) -> None:
        self._client = client
        self._name = name
        self._endpoint_url = endpoint_url
        client.create_bucket(Bucket=name)

    @property
    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated object store hands it out."""
        return {"endpoint_url": self._endpoint_url, "bucket": self._name, "prefix": "", "region_name": REGION}

    def census(self) -> tuple[CensusEntry, ...]:
        """Objects and pending uploads with their parts."""
        found = [CensusEntry("object", key, "", size) for key, size in self._objects()]
        for key, upload in self._uploads():
            found.append(CensusEntry("upload", key, upload, 0))
            pages = self._client.get_paginator("list_parts").paginate(Bucket=self._name, Key=key, UploadId=upload)
            found += [
                CensusEntry("part", key, f"{upload}/{part['PartNumber']:05}", part["Size"])
                for page in pages for part in page.get("Parts", ())
            ]
        return tuple(sorted(found))

    def _objects(self) -> list[tuple[str, int]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name)
        return [(one["Key"], one["Size"]) for page in pages for one in page.get("Contents", ())]

    def _uploads(self) -> list[tuple[str, str]]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._name)
        return [(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", ())]

    def remove(self) -> None:
        """Everything in it, then the bucket."""
        if not self._name:
            return
        for key, upload in self._uploads():
            self._client.abort_multipart_upload(Bucket=self._name, Key=key, UploadId=upload)
        for key, _ in self._objects():
            self._client.delete_object(Bucket=self._name, Key=key)
        self._client.delete_bucket(Bucket=self._name)
        self._name = ""


def open_bucket(reached: Reached, name: str) -> Bucket:
    """A bucket of that name."""
    said = {key: str(value) for key, value in reached.server.items()}
    client = _client(said["endpoint_url"], said["access_key"], said["secret_key"])
    return Bucket(client, said["endpoint_url"], f"storcert-{name}")
