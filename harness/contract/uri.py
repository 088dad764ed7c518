"""Logical URIs: the name of a data object, the same on every device (section 2 of the contract).

A URI is a name, not a path: nothing may be concluded from one URI about another, and names are never normalised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from storcert.harness.contract.errors import InvalidRequest

SEGMENT_CHARACTERS_MAX = 255
_PLAIN = re.compile(r"[A-Za-z0-9._~-]+").fullmatch  # text that percent-encoding leaves as it is: nearly every name there is


class ObjectKind(StrEnum):
    """The four kinds of data object; the control plane treats them alike."""

    VOLUME = "volume"
    TEMPLATE = "template"
    SNAPSHOT = "snapshot"
    ISO = "iso"


def _encode(segment: str) -> str:
    return segment if _PLAIN(segment) else quote(segment.encode("utf-8"), safe="")


def _decode(text: str, whole: str) -> str:
    if _PLAIN(text):
        return text
    try:
        segment = unquote_to_bytes(text).decode("utf-8")
    except UnicodeError:
        raise InvalidRequest(f"segment {text!r} is not percent-encoded UTF-8", ascii(whole)[1:-1]) from None
    if _encode(segment) != text:
        canonical = _encode(segment)
        raise InvalidRequest(
            f"segment {text!r} is not in canonical percent-encoding; write {canonical!r}", ascii(whole)[1:-1]
        )
    return segment


def _check_segment(name: str, segment: object) -> None:
    if not isinstance(segment, str):
        raise InvalidRequest(f"{name} must be text, not {type(segment).__name__}")
    if segment in ("", ".", ".."):
        raise InvalidRequest(f"{name} may not be {segment!r}")
    if len(segment) > SEGMENT_CHARACTERS_MAX:
        raise InvalidRequest(f"{name} has {len(segment)} characters; at most {SEGMENT_CHARACTERS_MAX} are allowed")
    if _PLAIN(segment):
        return
    if "\0" in segment:
        raise InvalidRequest(f"{name} contains NUL")
    if any("\ud800" <= character <= "\udfff" for character in segment):
        raise InvalidRequest(f"{name} contains a lone surrogate")


@dataclass(frozen=True, slots=True, order=True)
class DataObjectUri:
    """``/<kind>/<account>/<object_id>``.

    ``account`` and ``object_id`` are non-empty Unicode text of at most 255 characters, case-sensitive and never
    normalised. Raises :class:`InvalidRequest` for anything else, ``.`` and ``..``, NUL and lone surrogates included.
    """

    kind: ObjectKind
    account: str
    object_id: str

    def __post_init__(self) -> None:
        if type(self.kind) is not ObjectKind:
            try:
                object.__setattr__(self, "kind", ObjectKind(self.kind))
            except ValueError:
                kinds = ", ".join(ObjectKind)
                raise InvalidRequest(f"kind {self.kind!r} is not one of {kinds}") from None
        _check_segment("account", self.account)
        _check_segment("object_id", self.object_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of ``str(uri)``; only the canonical text form is accepted. Raises :class:`InvalidRequest`."""
        if not isinstance(text, str):
            raise InvalidRequest(f"a logical URI is text, not {type(text).__name__}")
        return cls._parsed(text)

    @classmethod
    @lru_cache(maxsize=4096)  # a name is read many times on its way from the control plane to the device
    def _parsed(cls, text: str) -> Self:
        pieces = text.split("/")
        if len(pieces) != 4 or pieces[0] != "":
            raise InvalidRequest("a logical URI has the form /<kind>/<account>/<object_id>", ascii(text)[1:-1])
        return cls(ObjectKind(_kind(pieces[1], text)), _decode(pieces[2], text), _decode(pieces[3], text))

    def __str__(self) -> str:
        return f"/{self.kind}/{_encode(self.account)}/{_encode(self.object_id)}"


def _kind(text: str, whole: str) -> ObjectKind:
    try:
        return ObjectKind(text)
    except ValueError:
        raise InvalidRequest(f"kind {text!r} is not one of {', '.join(ObjectKind)}", ascii(whole)[1:-1]) from None
