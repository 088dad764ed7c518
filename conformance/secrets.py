"""What this process must not say: credentials that a configuration holds, kept out of every record, report, token and message.

A credential is recognised by the name it stands under (``secret_key``, ``password``, ...), as a reference that is resolved
(``{"secret": "env:NAME"}``), or as user and password in a URL. It is hidden where it stands, and its text wherever it turns
up: in messages of drivers, steps, events, and in the forms it takes on the way (percent-encoded, Base64, as a literal). The
same text is hidden alike everywhere, so that what was equal stays equal and a replay works without it. One registry for the
process, because what must not be said depends on no caller.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
LENGTH_MIN = 4
"""Shorter text is hidden where it stands, and not looked for elsewhere: it would be found in every word."""
ENVIRONMENT_LENGTH_MIN = 8

_NAME = re.compile(
    r"secret|passw|passphrase|pwd$|credential|token|signature|private|api_?key|access_?key|account_?key|(^|_|-)(key|sas|auth)$",
    re.IGNORECASE,
)
_ENVIRONMENT_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|ACCESS_KEY|CREDENTIAL|PRIVATE_KEY")
_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/\s@:]*)(?::(?P<password>[^/\s@]*))?@")
_NOT_TEXT = frozenset({
    "id", "check", "rule", "kind", "profile", "digest", "requirements_digest", "scenario_digest", "token", "file",
})  # fmt: skip
"""Fields of records that the kit itself writes, and that others compare."""

_words: set[str] = set()
_pattern: list[re.Pattern[str]] = []
Value = TypeVar("Value")


def remember(value: Any) -> None:
    """Look for credentials in a configuration, or in anything that is JSON, and never say them from now on."""
    found = set(_credentials(value, False))
    for name, text in os.environ.items():
        if _ENVIRONMENT_NAME.search(name) and len(text) >= ENVIRONMENT_LENGTH_MIN and found:
            found.add(text)
    new = {form for word in found for form in _forms(word)} - _words
    if new:
        _words.update(new)
        longest_first = sorted(_words, key=lambda word: (-len(word), word))
        _pattern[:] = [re.compile("|".join(map(re.escape, longest_first)))]


def forget() -> None:
    """Nothing is a secret any more; for tests."""
    _words.clear()
    _pattern.clear()


def hidden(value: Any) -> Any:
    """A configuration as it may be told: names and shape stay, credentials do not. References to secrets are none, and stay."""
    return _hidden(value, False)


def scrubbed(text: str) -> str:
    """The text without anything that was remembered."""
    return _pattern[0].sub(HIDDEN, text) if _pattern else text


def scrubbed_json(value: Any) -> Any:
    """JSON with every text in it scrubbed, names of fields excepted."""
    if not _pattern:
        return value
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {key: scrubbed_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrubbed_json(item) for item in value]
    return value


def scrubbed_value(value: Value) -> Value:
    """A frozen value, a run record say, with every text in it scrubbed that is not the kit's own."""
    return _scrubbed_value(value) if _pattern else value


def _scrubbed_value(value: Any) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, StrEnum) else scrubbed(value)
    if isinstance(value, tuple):
        return tuple(map(_scrubbed_value, value))
    if isinstance(value, list):
        return list(map(_scrubbed_value, value))
    if isinstance(value, Mapping):
        return {key: _scrubbed_value(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in fields(value):
            if field.name not in _NOT_TEXT:
                before = getattr(value, field.name)
                after = _scrubbed_value(before)
                if after != before:
                    changes[field.name] = after
        return replace(value, **changes) if changes else value
    return value


def _credentials(value: Any, named: bool) -> Iterator[str]:
    """Every text that is one. ``named``: it stands under a name that says so."""
    if isinstance(value, Mapping):
        if set(value) == {"secret"} and isinstance(value["secret"], str):
            yield from filter(None, [os.environ.get(value["secret"].removeprefix("env:"))])
            return
        for name, item in value.items():
            yield from _credentials(item, named or _NAME.search(str(name)) is not None)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _credentials(item, named)
    elif isinstance(value, str):
        if named:
            yield value
        for found in _USER_INFO.finditer(value):
            yield from (part for part in (found["password"] or found["user"], found["user"]) if part)


def _hidden(value: Any, named: bool) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            return dict(value)
        return {name: _hidden(item, named or _NAME.search(str(name)) is not None) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(item, named) for item in value]
    if isinstance(value, str):
        return HIDDEN if named and value else scrubbed(_USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", value))
    return HIDDEN if named and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _forms(word: str) -> Iterator[str]:
    """The word as it may turn up."""
    for text in {word, unquote(word)}:
        encoded = text.encode("utf-8", "surrogatepass")
        yield from (
            form
            for form in (
                text, quote(text, safe=""), quote(text), quote_plus(text), repr(text)[1:-1], json.dumps(text)[1:-1],
                base64.b64encode(encoded).decode(), base64.urlsafe_b64encode(encoded).decode(), encoded.hex(),
            )
            if len(form) >= LENGTH_MIN
        )  # fmt: skip
