"""File names of the path driver: one for each URI, plain, short enough, and read back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind
from storcert.harness.drivers.nfs_names import NAME_BYTES_MAX, object_name, pending_name, pending_prefix, uri_of

SEGMENTS = st.text(min_size=1, max_size=64).filter(
    lambda text: text not in (".", "..")
    and "\0" not in text
    and not any("\ud800" <= one <= "\udfff" for one in text)
    and len(text.encode()) <= NAME_BYTES_MAX
)
URIS = st.builds(DataObjectUri, st.sampled_from(ObjectKind), SEGMENTS, SEGMENTS)


@given(URIS)
def test_a_name_is_read_back_as_its_uri(uri: DataObjectUri) -> None:
    name = object_name(uri)
    assert uri_of(name) == uri
    assert len(name.encode()) <= 255
    assert name == name.lower(), "a server that folds case changes nothing"
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-,=+")


@given(URIS, URIS)
def test_two_uris_never_share_a_name(one: DataObjectUri, other: DataObjectUri) -> None:
    assert (object_name(one) == object_name(other)) == (one == other)
    assert (pending_prefix(one) == pending_prefix(other)) == (one == other)


@pytest.mark.parametrize("text", ["x" * 64, "X" * 64, "é" * 32, "\U0001f600" * 16, "." * 64, "%" * 64])
def test_the_longest_names_fit(text: str) -> None:
    uri = DataObjectUri(ObjectKind.TEMPLATE, text, text)
    assert len(object_name(uri)) <= 255
    assert len(pending_name(uri)) <= 255
    assert uri_of(object_name(uri)) == uri


@pytest.mark.parametrize(("account", "object_id"), [("x" * 65, "a"), ("a", "é" * 33)])
def test_longer_names_are_refused(account: str, object_id: str) -> None:
    with pytest.raises(InvalidRequest, match="64 bytes"):
        object_name(DataObjectUri(ObjectKind.VOLUME, account, object_id))


@pytest.mark.parametrize(
    "name",
    [
        "", "x", ".nfs0000000000000002000000a1", "volume,1,a", "volume,1.obj", "volume,1,a,b.obj", "disk,1,a.obj",
        "volume,1,A.obj", "volume,1,=zz.obj", "volume,1,=e9.obj", "volume,1,+.obj", "volume,,a.obj",
        "volume,1,..obj", "volume,1,=61.obj", "volume,1,a=2Fb.obj", "VOLUME,1,a.obj", "volume,1,+zzzz.obj",
    ],
)  # fmt: skip
def test_a_name_that_is_none_of_ours_is_nothing(name: str) -> None:
    assert uri_of(name) is None


def test_names_in_the_making_tell_their_uri_and_differ() -> None:
    uri = DataObjectUri(ObjectKind.VOLUME, "1", "a")
    one, other = pending_name(uri), pending_name(uri)
    assert one != other
    assert one.startswith(pending_prefix(uri))
    assert other.startswith(pending_prefix(uri))
