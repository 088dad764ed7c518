"""Versioned and suspended buckets through the native face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from storcert.harness.kernel import Kernel
from storcert.simulators.object_store.options import ObjectStoreOptions
from storcert.simulators.object_store.store import ObjectStore
from tests.simulators.object_store.conftest import BUCKET, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}


@pytest.fixture
def versioned(make_world: Callable[..., StoreWorld]) -> StoreWorld:
    return make_world(versioning=True)


def _status(client: Any, status: str) -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def test_versioning_is_reported(world: StoreWorld, versioned: StoreWorld) -> None:
    ask = lambda client: client.get_bucket_versioning(Bucket=BUCKET).get("Status")  # noqa: E731
    assert (world.run(ask), versioned.run(ask)) == (None, "Enabled")


def test_every_put_is_a_version(versioned: StoreWorld) -> None:
    def program(client: Any) -> list[bytes]:
        first = client.put_object(**NAMES, Body=b"1")["VersionId"]
        second = client.put_object(**NAMES, Body=b"2")["VersionId"]
        assert first != second
        return [client.get_object(**NAMES, **which)["Body"].read()
                for which in ({}, {"VersionId": first}, {"VersionId": second})]

    assert versioned.run(program) == [b"2", b"1", b"2"]
    assert versioned.kinds() == ["object storcert/k", "version storcert/k"]


def test_delete_adds_a_marker_and_removing_the_marker_brings_the_object_back(versioned: StoreWorld) -> None:
    def program(client: Any) -> None:
        client.put_object(**NAMES, Body=b"1")
        answer = client.delete_object(**NAMES)
        assert answer["DeleteMarker"] is True
        with pytest.raises(client.exceptions.NoSuchKey) as gone:
            client.get_object(**NAMES)
        assert gone.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
        removed = client.delete_object(**NAMES, VersionId=answer["VersionId"])
        assert removed["DeleteMarker"] is True
        assert client.get_object(**NAMES)["Body"].read() == b"1"

    versioned.run(program)
    assert versioned.kinds() == ["object storcert/k"]


def test_deleting_a_version_is_final(versioned: StoreWorld) -> None:
    def program(client: Any) -> Any:
        version = client.put_object(**NAMES, Body=b"1")["VersionId"]
        client.delete_object(**NAMES, VersionId=version)
        client.delete_object(**NAMES, VersionId=version)
        return answer_of(lambda: client.get_object(**NAMES))

    assert versioned.run(program) == "NoSuchKey 404"
    assert versioned.store.census() == ()


def test_if_none_match_succeeds_over_a_delete_marker(versioned: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        client.put_object(**NAMES, Body=b"1")
        client.delete_object(**NAMES)
        return [answer_of(lambda: client.put_object(**NAMES, Body=b"2", IfNoneMatch="*")) for _ in range(2)]

    assert versioned.run(program) == [200, "PreconditionFailed 412"]


def test_a_suspended_bucket_overwrites_its_null_version(world: StoreWorld) -> None:
    def program(client: Any) -> list[str]:
        client.put_object(**NAMES, Body=b"before versioning")
        _status(client, "Enabled")
        client.put_object(**NAMES, Body=b"kept")
        _status(client, "Suspended")
        assert client.put_object(**NAMES, Body=b"null")["VersionId"] == "null"
        client.put_object(**NAMES, Body=b"null again")
        assert client.get_object(**NAMES, VersionId="null")["Body"].read() == b"null again"
        marker = client.delete_object(**NAMES)
        assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
        return [entry["VersionId"] for entry in client.list_object_versions(Bucket=BUCKET)["Versions"]]

    versions = world.run(program)
    assert len(versions) == 1
    assert "null" not in versions
    assert world.kinds() == ["delete-marker storcert/k", "version storcert/k"]


def test_a_version_can_be_copied_over_the_current_one(versioned: StoreWorld) -> None:
    def program(client: Any) -> bytes:
        first = client.put_object(**NAMES, Body=b"1")["VersionId"]
        client.put_object(**NAMES, Body=b"2")
        client.copy_object(**NAMES, CopySource={"Bucket": BUCKET, "Key": "k", "VersionId": first})
        return client.get_object(**NAMES)["Body"].read()  # type: ignore[no-any-return]

    assert versioned.run(program) == b"1"


def test_copying_a_deleted_source_fails(versioned: StoreWorld) -> None:
    def program(client: Any) -> Any:
        client.put_object(**NAMES, Body=b"1")
        client.delete_object(**NAMES)
        return answer_of(lambda: client.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/k"))

    assert versioned.run(program) == "NoSuchKey 404"


def test_listing_versions_page_by_page(versioned: StoreWorld) -> None:
    def program(client: Any) -> tuple[list[str], list[str]]:
        for key in ("a", "b", "a"):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"")
        client.delete_object(Bucket=BUCKET, Key="b")
        client.put_object(Bucket=BUCKET, Key="c/1", Body=b"")
        pages = list(client.get_paginator("list_object_versions").paginate(
            Bucket=BUCKET, PaginationConfig={"PageSize": 2}))
        assert len(pages) == 3
        found = [
            f"{entry['Key']} {kind[0]} {entry['IsLatest']}"
            for page in pages for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, ())
        ]
        grouped = client.list_object_versions(Bucket=BUCKET, Delimiter="/")
        return found, [group["Prefix"] for group in grouped["CommonPrefixes"]]

    assert versioned.run(program) == (
        ["a V True", "a V False", "b V False", "b D True", "c/1 V True"], ["c/"])


def test_delete_many_reports_markers_and_versions(versioned: StoreWorld) -> None:
    def program(client: Any) -> list[dict[str, Any]]:
        version = client.put_object(**NAMES, Body=b"1")["VersionId"]
        answer = client.delete_objects(
            Bucket=BUCKET, Delete={"Objects": [{"Key": "k"}, {"Key": "k", "VersionId": version}]})
        assert answer["Deleted"][1] == {"Key": "k", "VersionId": version}
        return answer["Deleted"][:1]  # type: ignore[no-any-return]

    [deleted] = versioned.run(program)
    assert deleted["DeleteMarker"] is True
    assert deleted["DeleteMarkerVersionId"]
    assert versioned.kinds() == ["delete-marker storcert/k"]


def test_a_bucket_of_markers_is_not_empty(versioned: StoreWorld) -> None:
    def program(client: Any) -> Any:
        client.delete_object(**NAMES)
        return answer_of(lambda: client.delete_bucket(Bucket=BUCKET))

    assert versioned.run(program) == "BucketNotEmpty 409"


def test_versioning_cannot_be_set_to_nonsense(world: StoreWorld) -> None:
    with pytest.raises(ClientError, match="MalformedXML"):
        world.run(lambda client: client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={}))


def test_a_bucket_can_be_delivered_suspended_or_suspended_or_enabled_by_its_operator() -> None:
    with Kernel() as kernel:
        delivered = ObjectStore(kernel, {"versioning_suspended": True})
        operated = ObjectStore(kernel, {"name": "other", "versioning": True})
        operated.operate("versioning-suspended")
        enabled = ObjectStore(kernel, {"name": "third"})
        enabled.operate("versioning-enabled")
        assert enabled._store.bucket("storcert").versioning == "Enabled"
        with pytest.raises(KeyError):
            operated.operate("painted-green")
        for store in (delivered, operated):
            assert store._store.bucket("storcert").versioning == "Suspended"


@pytest.mark.parametrize("options", [{"versioning": True}, {"face": "moto"}])
def test_options_that_contradict_a_suspended_bucket_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="versioning_suspended"):
        ObjectStoreOptions.from_mapping({"versioning_suspended": True, **options})
