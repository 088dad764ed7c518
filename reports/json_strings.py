"""JSON strings for the writers of traces, which write text directly: quoted, and without lone surrogates, which no reader of
UTF-8 takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import Final

quote: Final[Callable[[str], str]] = encode_basestring_ascii
"""A text without lone surrogates as a JSON string; the fastest way there is. What may hold any goes through :func:`quoted`."""

_HALVES = re.compile("[\ud800-\udfff]")


class Quotes(dict[str, str]):
    """Texts that come again and again, each quoted once: ``quotes[text]``."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        made = self[text] = quoted(text)
        return made


def quoted(text: str) -> str:
    """A text as a JSON string in ASCII, with a question mark for each lone surrogate."""
    return quote(text if text.isascii() else _HALVES.sub("?", text))
