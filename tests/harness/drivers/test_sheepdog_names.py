"""Names on a Sheepdog cluster: never merged, never cut, read back as they were, and recognised among everybody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind
from storcert.harness.drivers.sheepdog_names import (
    VDI_NAME_BYTES_MAX,
    marker_of,
    name_bytes_max,
    new_number,
    stem_of,
    turn_of,
    uri_of,
    version_name,
)

LIMIT = name_bytes_max("")
SEGMENTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=LIMIT).filter(
    lambda text: text not in (".", "..") and len(text.encode()) <= LIMIT
)
URIS = st.builds(DataObjectUri, st.sampled_from(ObjectKind), SEGMENTS, SEGMENTS)


@given(URIS, st.integers(0, 15), st.sampled_from(["", "site-", "a~b"]))
def test_a_marker_is_read_back(uri: DataObjectUri, turn: int, prefix: str) -> None:
    if max(len(uri.account.encode()), len(uri.object_id.encode())) > name_bytes_max(prefix):
        return
    name = turn_of(marker_of(prefix, uri), turn)
    assert uri_of(prefix, name) == uri
    assert name.isascii() and name.isprintable() and " " not in name and "\\" not in name
    assert len(name) <= VDI_NAME_BYTES_MAX
    assert len(version_name(stem_of(prefix, name), (1 << 42) - 1)) <= VDI_NAME_BYTES_MAX


@given(URIS, URIS)
def test_two_uris_are_two_markers(one: DataObjectUri, other: DataObjectUri) -> None:
    assert (marker_of("", one) == marker_of("", other)) == (one == other)
    assert (stem_of("", marker_of("", one)) == stem_of("", marker_of("", other))) == (one == other)


@pytest.mark.parametrize("prefix", ["", "x" * 50])
def test_the_limit_is_the_limit(prefix: str) -> None:
    limit = name_bytes_max(prefix)
    assert limit >= 64
    for text in ("x" * limit, "é" * (limit // 2), "%" * limit, " " * limit):
        uri = DataObjectUri(ObjectKind.TEMPLATE, text, text)
        assert len(turn_of(marker_of(prefix, uri), 15)) <= VDI_NAME_BYTES_MAX
    for long in ("x" * (limit + 1), "é" * (limit // 2 + 1)):
        with pytest.raises(InvalidRequest):
            marker_of(prefix, DataObjectUri(ObjectKind.ISO, "1", long))


@pytest.mark.parametrize(
    "name",
    ["volume", "volume+1", "volume+1+2+x", "volume+1+2+0", "volume+1+2+3+4", "disk+1+2", "volume+1+=", "volume+1+=!",
     "volume++2", "volume+1+=YQ", "volume+1+..", "~ab~0", "other-volume+1+2", "volume+1+=4"],
)
def test_what_others_make_is_none_of_ours(name: str) -> None:
    assert uri_of("", name) is None
    assert uri_of("my-", "volume+1+2") is None


def test_numbers_fit_into_the_size_of_a_vdi() -> None:
    assert all(0 < new_number() < 1 << 42 for _ in range(1000))
