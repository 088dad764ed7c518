"""What is crashed at every step: each operation over each pair of device kinds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx

from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.logical.records import LinkKind
from storcert.scenarios.region import Region
from tests.scenarios.regions import one_zone, snapshot, template, volume

KINDS = ("nfs", "object-store", "rbd", "sheepdog")
ABLE = {"nfs": "a", "object-store": "", "rbd": "asrc", "sheepdog": "sc"}
"""Attach, snapshots, revert, clone: what the bundled driver of each kind declares."""

EXPORT_URL = "http://exports.sim/a.raw"
UPLOADED = bytes(range(256)) * 512
SECOND_NS = 10**9

Act = Callable[[ControlPlane], Any]

#: Name, what the first device must be able to do, and the act. ``volumes`` is of the first kind, ``beside`` of the second.
ACTS: Mapping[str, tuple[str, Act]] = {
    "create": ("", lambda c: c.create_volume(volume("n"), 8192, device="volumes")),
    "from-template": ("", lambda c: c.create_from(volume("n"), template(), device="volumes")),
    "template-from-volume": ("", lambda c: c.create_from(template("t2"), volume("a"), device="images")),
    "across": ("", lambda c: c.create_from(volume("n"), volume("a"), device="beside")),
    "on-device": ("", lambda c: c.create_from(volume("n"), volume("a"), device="volumes")),
    "migrate": ("", lambda c: c.migrate(volume("b"), "beside")),
    "delete": ("", lambda c: c.delete(volume("b"))),
    "delete-with-snapshots": ("s", lambda c: c.delete(volume("a"), dependants=True)),
    "snapshot": ("s", lambda c: c.take_snapshot(volume("a"), snapshot("n"))),
    "snapshot-away": ("s", lambda c: c.take_snapshot(volume("a"), snapshot("n"), "images")),
    "revert": ("r", lambda c: c.revert(volume("a"), snapshot())),
    "from-snapshot": ("c", lambda c: c.create_from(volume("n"), snapshot(), device="volumes")),
    "attach": ("a", lambda c: c.attach(volume("b"), "z1-h1", {"pause_ns": 20_000_000})),
    "export": ("", lambda c: c.export(volume("a"), EXPORT_URL)),
    "upload": ("", lambda c: uploaded(c)),
    "link": ("", lambda c: c.unlink(c.link(volume("a"))["link"])),
}


def uploaded(control: ControlPlane) -> Any:
    """Ask for a ticket and wait until the client has used it."""
    ticket = control.upload(volume("n"), device="volumes", size_bytes=len(UPLOADED), lasts_ns=1800 * SECOND_NS)
    while "job" in ticket and control.job(ticket["job"])["state"] == "running":
        control.surroundings.sleep_ns(SECOND_NS)
    return ticket


def upload(region: Region) -> None:
    """A client who uploads to every URL that is out, again and again until it is taken or the URL is no more; it leaves when
    there was none for long."""
    idle = 0
    while idle < 1000:
        region.kernel.sleep_ns(SECOND_NS)
        idle += 1
        for link in region.catalogue.repository.transact(lambda session: session.links()):
            if link.kind is LinkKind.UPLOAD and link.url:
                idle = 0
                with contextlib.suppress(httpx.HTTPError):
                    httpx.put(link.url, content=UPLOADED, timeout=10)


def stories() -> list[tuple[str, str, str]]:
    """First kind, second kind and act, for all that make sense. Acts on one device need no second kind but their own."""
    return [
        (first, second, name)
        for first in KINDS
        for second in KINDS
        for name, (needs, _) in ACTS.items()
        if needs in ABLE[first] and (first == second or name in ("across", "migrate"))
    ]


def build(first: str, second: str, name: str) -> Region:
    """A zone with two devices, two volumes, a template, and a snapshot where there can be one."""
    region = one_zone(first, other=second)
    region.__enter__()
    region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
    region.call(lambda c: c.create_volume(volume("b"), 4096, device="volumes"))
    region.call(lambda c: c.create_from(template(), volume("a"), device="images"))
    if "s" in ABLE[first]:
        region.call(lambda c: c.take_snapshot(volume("a"), snapshot()))
    region.web.accept(EXPORT_URL)
    if name == "upload":
        region.visit(lambda: upload(region))
    return region


def builder(first: str, second: str, name: str) -> Callable[[], Region]:
    """The same region each time it is called, for the act of that name."""
    return partial(build, first, second, name)
