"""Replay tokens survive copying, and say what is wrong when they did not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.record.token import TOKEN_MAX_CHARACTERS, TokenError, decode_token, encode_token, fits

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _JSON, max_size=5))
def test_any_object_survives(payload: dict[str, object]) -> None:
    assert decode_token(encode_token(payload)) == payload


def test_white_space_of_a_wrapped_line_is_ignored() -> None:
    token = encode_token({"seed": 7, "case": "C-COMMIT/whole"})
    wrapped = "  " + token[:10] + "\n   " + token[10:] + "\r\n"
    assert decode_token(wrapped) == {"seed": 7, "case": "C-COMMIT/whole"}


def test_a_token_is_safe_in_a_shell() -> None:
    token = encode_token({"x": list(range(200))})
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_every_single_damage_is_noticed() -> None:
    token = encode_token({"seed": 7, "steps": ["create", "write", "commit"]})
    chooser = random.Random(1)
    for index in range(len(token)):
        other = chooser.choice([char for char in "ABCxyz019-_." if char != token[index]])
        for damaged in (token[:index] + other + token[index + 1 :], token[:index] + token[index + 1 :], token[:index]):
            try:
                value = decode_token(damaged)
            except TokenError as error:
                assert "\n" not in str(error)
            else:
                # Unused bits of the last base64 character may change without changing a byte.
                assert value == {"seed": 7, "steps": ["create", "write", "commit"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a replay token"),
        ("hello", "not a replay token"),
        ("sc2.abc.01234567", "of another kit"),
        ("sc1.!!!.01234567", "damaged"),
        ("sc1.äöü.01234567", "damaged"),
        ("sc1..01234567", "damaged"),
    ],
)
def test_what_is_no_token_says_so(text: str, words: str) -> None:
    with pytest.raises(TokenError, match=words):
        decode_token(text)


def test_a_bomb_is_not_unpacked() -> None:
    import base64
    import zlib

    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(80)) + packer.flush()
    token = "sc1." + base64.urlsafe_b64encode(bomb).decode().rstrip("=") + ".00000000"
    with pytest.raises(TokenError, match="damaged"):
        decode_token(token)


def test_a_long_token_does_not_fit() -> None:
    chooser = random.Random(2)
    assert fits("x" * TOKEN_MAX_CHARACTERS)
    assert not fits(encode_token({"noise": [chooser.random() for _ in range(500)]}))
