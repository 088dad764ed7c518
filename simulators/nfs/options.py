"""Options of a simulated NFS export, as a configuration file gives them. Values and their checks only."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from storcert.simulators.device_options import read_options
from storcert.simulators.network.link import NS_PER_S, Link

FLAVOURS = ("soft", "softerr", "hard")


@dataclass(frozen=True, slots=True)
class NfsOptions:
    """``name``: of the device, where there are several.

    Of the mount (the client reads them): ``mount``, its path; ``flavour``; ``timeo_ns`` and ``retrans``, as nfs(5) has them
    on TCP; ``rsize_bytes``, ``wsize_bytes``; the ``ac...`` times of the attribute cache.

    ``timeo_ns`` is less than Linux' 60 seconds: with those, five requests that are given up take a call past 15 minutes.

    Of the server: ``capacity_bytes`` and ``quota_bytes`` (0: none) of the export; ``duplicate_request_cache``: whether it
    remembers answers by XID and connection; ``unstable_writes``: whether an UNSTABLE write stays in memory until COMMIT, or
    is safe at once, as on servers with battery-backed memory; ``case_sensitive``; ``root_squash``; ``read_only``;
    ``strict_cookies``: a directory that changed between two pages of READDIR makes the second one BAD_COOKIE;
    ``grace_ns``: how long after a restart SETATTR is answered JUKEBOX; ``readdir_bytes_max``: of one answer;
    ``page_size``: at most as many names in one answer of READDIR (0: as many as fit).
    Delays are one way and per byte. ``clients_uid``: whose calls the mount makes.
    """

    name: str = "nfs"
    mount: str = "/mnt/storcert"
    flavour: Literal["soft", "softerr", "hard"] = "soft"
    timeo_ns: int = 10 * NS_PER_S
    retrans: int = 2
    rsize_bytes: int = 1 << 20
    wsize_bytes: int = 1 << 20
    acregmin_ns: int = 3 * NS_PER_S
    acregmax_ns: int = 60 * NS_PER_S
    acdirmin_ns: int = 30 * NS_PER_S
    acdirmax_ns: int = 60 * NS_PER_S
    clients_uid: int = 0
    clients_gid: int = 0
    capacity_bytes: int = 1 << 44
    quota_bytes: int = 0
    file_max_bytes: int = (1 << 44) - 4096
    name_max_bytes: int = 255
    link_max: int = 65_000
    duplicate_request_cache: bool = True
    unstable_writes: bool = True
    case_sensitive: bool = True
    root_squash: bool = False
    read_only: bool = False
    strict_cookies: bool = False
    grace_ns: int = 5 * NS_PER_S
    readdir_bytes_max: int = 32_768
    page_size: int = 0
    latency_ns: int = 100_000
    jitter_percent: int = 10
    write_bytes_per_s: int = 740_000_000
    read_bytes_per_s: int = 590_000_000

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> NfsOptions:
        """From a configuration table; ``ValueError`` for a name, type or value there is none of."""
        made = read_options(cls, "nfs", options, _NOT_ZERO)
        if made.flavour not in FLAVOURS:
            raise ValueError(f"nfs option flavour: {made.flavour!r}; there are {', '.join(FLAVOURS)}")
        if not posixpath.isabs(made.mount) or posixpath.normpath(made.mount) in ("/", "//"):
            raise ValueError(f"nfs option mount: {made.mount!r} is no absolute path below the root")
        return made

    def link(self) -> Link:
        """The wire's numbers."""
        return Link(
            one_way_ns=self.latency_ns, jitter_percent=self.jitter_percent, up_bytes_per_s=self.write_bytes_per_s,
            down_bytes_per_s=self.read_bytes_per_s,
        )


_NOT_ZERO = frozenset(("timeo_ns", "rsize_bytes", "wsize_bytes", "name_max_bytes", "link_max"))
