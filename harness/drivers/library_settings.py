"""What an adapter is configured with: which back end of its library, and where that is.

The object-store device hands every driver ``endpoint_url``, ``bucket``, ``prefix`` and ``region_name``, nfs ``mount``;
a back end that has no use for them takes no notice. An endpoint without another word means S3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from storcert.harness.contract import InvalidRequest, JsonValue


@dataclass(frozen=True, slots=True)
class LibrarySettings:
    """``root``: folder of a local back end (where none is given: ``mount``), or name of one in memory. The keys of S3 are those
    of the s3 driver; without credentials the library looks for some itself."""

    backend: str = ""
    root: str = ""
    mount: str = ""
    endpoint_url: str = ""
    bucket: str = ""
    prefix: str = ""
    region_name: str = "us-east-1"
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""

    @classmethod
    def parse(cls, driver: str, backends: tuple[str, ...], configuration: Mapping[str, JsonValue]) -> LibrarySettings:
        """``backends``: those of the library. Where the configuration says none, it is S3 if there is an endpoint (nobody who
        asked for a server is certified in memory), else the first. Raises ``InvalidRequest`` naming the key, never a value."""
        if not isinstance(configuration, Mapping):
            raise InvalidRequest(f"the configuration of the {driver} driver is a mapping")
        known = {field.name for field in fields(cls)}
        unknown = sorted(str(key) for key in configuration if key not in known)
        if unknown:
            raise InvalidRequest(f"{driver} has no configuration key {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        wrong = sorted(key for key, value in configuration.items() if not isinstance(value, str))
        if wrong:
            raise InvalidRequest(f"configuration key {', '.join(wrong)} of {driver} must be text")
        where_it_leads = "s3" if "s3" in backends and configuration.get("endpoint_url") else backends[0]
        found = cls(**{"backend": where_it_leads, **configuration})
        if found.backend not in backends:
            raise InvalidRequest(f"configuration key backend of {driver} is one of {', '.join(backends)}")
        return replace(found, root=found.root or found.mount)

    def require(self, driver: str, *keys: str) -> None:
        """Raises ``InvalidRequest`` where one of ``keys`` is not given."""
        missing = [key for key in keys if not getattr(self, key)]
        if missing:
            raise InvalidRequest(f"back end {self.backend} of {driver} needs the configuration key {', '.join(missing)}")


def require_installed(extra: str, library: Any) -> None:
    """Raises ``InvalidRequest`` saying what to install where ``library`` could not be imported."""
    if library is None:
        raise InvalidRequest(f"the package {extra} cannot be imported here: pip install 'storcert[{extra}]'")
