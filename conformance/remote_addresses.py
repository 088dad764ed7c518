"""Where the configuration of a live device leads: this machine, or another one, which only the user's own word allows.

A certification writes and deletes; a configuration that was copied from somewhere must not do that to a service in use. What
counts as an address: URLs, values of keys that are named for one, monitors in a ``ceph.conf``, and a bucket without an
endpoint, which is Amazon's. A path is this machine's, whatever is mounted there: who mounted it meant it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storcert.conformance.configuration import ConfigFile
from storcert.conformance.usage import InvalidUsage

_NAMED = re.compile(r"(^|_)(host|hostname|address|server|endpoint|endpoint_url|url|uri|mon_host)$")
_LOCAL_SCHEMES = frozenset({"file", "memory", "unix", "local"})
_MONITORS = re.compile(r"^\s*mon[ _]host\s*=\s*(.+)$", re.MULTILINE)
_MONITOR = re.compile(r"(?:v[12]:)?(\[[0-9a-fA-F:]+\]|[\w.-]+)(?::\d+)?(?:/\d+)?")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def refuse_remote(file: ConfigFile) -> None:
    """Raises :class:`InvalidUsage`, with file and line, for the first address that is not this machine's."""
    for key, host in addresses(file.configuration):
        if not is_here(host):
            place = f"{file.place('configuration', key)}: " if file.path else ""
            raise InvalidUsage(
                f"{place}{key} leads to {host}, which is not this machine; a certification writes and deletes there: "
                "--allow-remote says that this is meant")


def addresses(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and host of everything that a driver would connect to, as far as names and values tell."""
    named = False
    for key, value in configuration.items():
        for name, text in _texts(key, value):
            for host in _hosts(name, text):
                named = True
                yield key, host
    if "bucket" in configuration and not named:
        told = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
        yield "bucket", (urlsplit(told).hostname or told) if told else "s3.amazonaws.com"


def is_here(host: str) -> bool:
    """Whether that is the loopback of this machine. A name is not looked up: it may lead elsewhere tomorrow."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def _texts(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        reference = value.get("secret")
        if set(value) == {"secret"} and isinstance(reference, str):
            yield key, os.environ.get(reference.removeprefix("env:"), "")
            return
        for name, item in value.items():
            yield from _texts(str(name), item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(key, item)


def _hosts(key: str, text: str) -> Iterator[str]:
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme not in _LOCAL_SCHEMES and parts.hostname:
            yield parts.hostname
    elif key == "conf" and os.path.isfile(text):
        for line in _MONITORS.findall(Path(text).read_text(encoding="utf-8", errors="replace")):
            yield from (found[1] for found in _MONITOR.finditer(line) if found[1] not in ("v1", "v2"))
    elif _NAMED.search(key.lower()) and text and not text.startswith("/"):
        yield urlsplit(f"//{text}").hostname or text
