"""Listings and mass deletion through the native face, against a plain computation of what they must give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulators.object_store.conftest import BUCKET, StoreWorld, answer_of

KEYS = st.lists(st.text("ab/é\U0001f600", min_size=1, max_size=4), unique=True, max_size=12)


def _expected(keys: list[str], prefix: str, delimiter: str) -> list[str]:
    found: list[str] = []
    for key in sorted(keys, key=str.encode):
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            entry = key if at < 0 else key[: at + len(delimiter)]
            if entry not in found:
                found.append(entry)
    return found


def _listed(pages: Any) -> list[str]:
    found: list[str] = []
    for page in pages:
        both = [item["Key"] for item in page.get("Contents", ())] + [
            group["Prefix"] for group in page.get("CommonPrefixes", ())]
        found += sorted(both, key=str.encode)
    return found


@settings(max_examples=40, deadline=None)
@given(
    keys=KEYS, prefix=st.sampled_from(["", "a", "a/", "b/é"]), delimiter=st.sampled_from(["", "/", "é"]),
    size=st.integers(1, 5), dialect=st.sampled_from(["aws", "radosgw", "moto"]),
)
def test_every_listing_gives_each_entry_once_in_byte_order(
    keys: list[str], prefix: str, delimiter: str, size: int, dialect: str
) -> None:
    world = StoreWorld(dialect=dialect)

    def program(client: Any) -> list[list[str]]:
        for key in keys:
            client.put_object(Bucket=BUCKET, Key=key, Body=b"")
        client.put_object(Bucket=BUCKET, Key="deleted", Body=b"")
        client.delete_object(Bucket=BUCKET, Key="deleted")
        return [
            _listed(client.get_paginator(name).paginate(
                Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}))
            for name in ("list_objects_v2", "list_objects")
        ]

    try:
        assert world.run(program) == [_expected(keys, prefix, delimiter)] * 2
    finally:
        world.kernel.close()


def _fill(client: Any, *keys: str) -> None:
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=b"x")


def test_a_page_of_the_second_version(world: StoreWorld) -> None:
    def program(client: Any) -> dict[str, Any]:
        _fill(client, "a", "b/1", "b/2", "c")
        return client.list_objects_v2(Bucket=BUCKET, MaxKeys=2, Delimiter="/")  # type: ignore[no-any-return]

    page = world.run(program)
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (2, 2, True)
    assert [item["Key"] for item in page["Contents"]] == ["a"]
    assert page["CommonPrefixes"] == [{"Prefix": "b/"}]
    assert page["NextContinuationToken"]
    assert page["Contents"][0]["Size"] == 1
    assert page["Contents"][0]["StorageClass"] == "STANDARD"


def test_start_after_and_owner(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[list[str], list[bool]]:
        _fill(client, "a", "b", "c")
        page = client.list_objects_v2(Bucket=BUCKET, StartAfter="a", FetchOwner=True)
        bare = client.list_objects_v2(Bucket=BUCKET)
        return [item["Key"] for item in page["Contents"]], ["Owner" in page["Contents"][0], "Owner" in bare["Contents"][0]]

    assert world.run(program) == (["b", "c"], [True, False])


def test_no_keys_asked_for(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[Any, ...]:
        _fill(client, "a")
        page = client.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
        return page["KeyCount"], page["IsTruncated"], "Contents" in page

    assert world.run(program) == (0, False, False)


def test_an_empty_page_has_no_contents(world: StoreWorld) -> None:
    page = world.run(lambda client: client.list_objects_v2(Bucket=BUCKET))
    assert "Contents" not in page
    assert page["KeyCount"] == 0


def test_the_page_size_of_the_device(make_world: Callable[..., StoreWorld]) -> None:
    world = make_world(page_size=3)

    def program(client: Any) -> list[int]:
        _fill(client, *"abcdefg")
        return [page["KeyCount"] for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)]

    assert world.run(program) == [3, 3, 1]
    assert world.store.limits.page_size == 3


def test_delete_many(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[list[str], list[str]]:
        _fill(client, "a", "b", "c")
        answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "c"}, {"Key": "none"}]})
        return [item["Key"] for item in answer["Deleted"]], _listed([client.list_objects_v2(Bucket=BUCKET)])

    assert world.run(program) == (["a", "c", "none"], ["b"])


def test_buckets(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        client.create_bucket(Bucket="second")
        names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
        seen = [answer_of(lambda: client.head_bucket(Bucket="second")), answer_of(lambda: client.head_bucket(Bucket="third"))]
        _fill(client, "a")
        held = answer_of(lambda: client.delete_bucket(Bucket=BUCKET))
        gone = answer_of(lambda: client.delete_bucket(Bucket="second"))
        region = client.get_bucket_location(Bucket=BUCKET)["LocationConstraint"]
        return [names, *seen, held, gone, region]

    assert world.run(program) == [["second", "storcert"], 200, "404 404", "BucketNotEmpty 409", 204, None]


@pytest.mark.parametrize("name", ["no..dots", "-lead", "trail-", "x" * 64, "UPPER"])
def test_bucket_names_aws_refuses(world: StoreWorld, name: str) -> None:
    assert world.run(lambda client: answer_of(lambda: client.create_bucket(Bucket=name))) == "InvalidBucketName 400"
