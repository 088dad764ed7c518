"""Logical URIs: one name, one text, never normalised, never merged."""

from __future__ import annotations

import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind

segments = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=255
).filter(lambda text: text not in (".", ".."))
uris = st.builds(DataObjectUri, st.sampled_from(ObjectKind), segments, segments)


@given(uris)
def test_parse_and_str_are_inverse(uri: DataObjectUri) -> None:
    text = str(uri)
    assert DataObjectUri.parse(text) == uri
    assert text.isascii() and text.count("/") == 3
    assert pickle.loads(pickle.dumps(uri)) == uri


@given(st.text(max_size=40) | st.from_regex(r"/(volume|iso)/[^/]{1,5}/[^/]{1,5}", fullmatch=True))
def test_a_text_is_refused_or_is_the_only_text_of_its_name(text: str) -> None:
    try:
        uri = DataObjectUri.parse(text)
    except InvalidRequest as refusal:
        assert str(refusal).isprintable()
    else:
        assert str(uri) == text


@given(uris, uris)
def test_two_names_never_share_a_text(one: DataObjectUri, other: DataObjectUri) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(uris)
def test_nothing_is_normalised(uri: DataObjectUri) -> None:
    for form in ("NFC", "NFD", "NFKC"):
        changed = unicodedata.normalize(form, uri.object_id)
        if changed != uri.object_id and len(changed) <= 255:
            assert DataObjectUri(uri.kind, uri.account, changed) != uri


@pytest.mark.parametrize("segment", ["", ".", "..", "a\0", "\ud800", "x" * 256, 7, None, b"a"])
def test_bad_segments_are_refused_at_both_places(segment: object) -> None:
    for account, object_id in ((segment, "a"), ("a", segment)):
        with pytest.raises(InvalidRequest):
            DataObjectUri(ObjectKind.VOLUME, account, object_id)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "volume/1/2", "/volume/1", "/volume/1/2/", "/volume/1/2/3", "//1/2", "/disk/1/2", "/Volume/1/2",
        "/volume//2", "/volume/1/", "/volume/./2", "/volume/../2", "/volume/%2E/2", "/volume/1/%2e%2e", "/volume/1/a b",
        "/volume/1/%20%", "/volume/1/%c3%A9", "/volume/1/%FF", "/volume/1/%00", "/volume/1/\u00e9", "/volume/1/%41",
        "/volume/1/a?b", "/volume/1/2\n", 5, None,
    ],
)  # fmt: skip
def test_texts_that_are_no_canonical_uri_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        DataObjectUri.parse(text)


def test_examples() -> None:
    assert str(DataObjectUri(ObjectKind.TEMPLATE, "2", "200")) == "/template/2/200"
    assert str(DataObjectUri(ObjectKind.ISO, "a/b", "caf\u00e9 ~_-.")) == "/iso/a%2Fb/caf%C3%A9%20~_-."
    assert DataObjectUri("volume", "1", "A") != DataObjectUri("volume", "1", "a")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        DataObjectUri("disk", "1", "a")  # type: ignore[arg-type]
