"""Writes docs/control-plane.md: what an operator can ask of the control plane, what it does, and what a crash does to it.

    python docs/make_control_plane.py

Names, words of methods, ways, commands and rules are the program's own; what a crash does to an operation stands here, beside a
test that every operation has such a line (tests/docs/test_control_plane.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storcert.conformance.rules_logical import LOGICAL_RULES
from storcert.harness.agent import link_door, upload_door
from storcert.harness.checkers.control_plane import RULES
from storcert.harness.logical import links, making, motion, removing, work
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.logical.providers import Way
from storcert.harness.record.command import Verb

PAGE = Path(__file__).resolve().parent / "control-plane.md"

#: Method: the steps, what stays done when somebody dies in the middle. "" for what asks and changes nothing.
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "create_volume": ("reserve, create at a location, look, ready", "repeated; what is there of it is looked at first"),
    "register": (
        "reserve, download at a location, look, ready",
        "a connection that breaks is resumed; a location that dies begins at zero, at another one",
    ),
    "upload": (
        "reserve, open a door at a storage VM, wait for the client, look, ready",
        """a connection that breaks goes on at its offset; a storage VM that dies opens the door again under the same key, at
        offset 0; a management server that dies does not matter to the client""",
    ),
    "create_from": ("plan, then each leg as below", "legs that are done are not done again"),
    "take_snapshot": ("plan, then each leg as below", "legs that are done are not done again"),
    "copy": ("plan, then each leg as below", "legs that are done are not done again"),
    "seed": (
        "a copy for each zone, side by side", "zones that have their copy are left alone, copies under way are waited for"),
    "migrate": ("plan, legs, look, and only then delete where it was", "the volume is whole at one place at every moment"),
    "export": (
        "send at a location that reaches the device, with PUT; see what the destination shows",
        "sent again from its beginning, at another location: HTTP has no other way",
    ),
    "link": ("open a door at a storage VM", "an agent that was restarted opens it again under the same URL"),
    "unlink": ("shut the door", "done later where the agent does not answer; at the latest when the link's time is over"),
    "revert": ("revert on the device, until its outcome is known", "repeated; the volume stays `changing` until then"),
    "delete": ("destroying, delete at a location, gone", "repeated; record and bytes go in that order, never the other"),
    "attach": ("grant, open at the host", "a host that dies loses the grant when it is back; nobody else may write before"),
    "detach": ("close at the host, revoke", "repeated"),
    "fence": (
        "see that nobody answers there, then take all its grants back in one transaction",
        "repeated; a host that was alive after all closes what it has open once it is reached",
    ),
    "cancel": ("a mark on the job", "whoever runs the job sees it, whoever takes it over too"),
    "reconcile": ("all of what follows", "run again; two in a row: the second mends nothing"),
    "add_device": ("one transaction", ""),
    "set_device_state": ("one transaction", ""),
    "capabilities": ("asked of the driver", ""),
    "progress": ("one look, one question to the location that moves bytes", ""),
    "job": ("one look", ""),
}
WAYS: Mapping[Way, str] = {
    Way.SNAPSHOT: "the device takes a snapshot of the volume that is on it",
    Way.CLONE: "the device clones its snapshot",
    Way.DEVICE_COPY: "the device copies; no byte leaves it",
    Way.SNAPSHOT_CLONE: "a snapshot in between on the device, and a clone of that",
    Way.SNAPSHOT_STREAM: "a snapshot in between, streamed to where it is wanted: the only way for a volume that is written to",
    Way.STREAM: "a location that reaches both devices reads one and writes the other",
    Way.STAGED: "two streams, by way of a staging device that both sides reach; the staged copy stays for whoever comes next",
}
RESUMED = (
    ("the connection to a web server, in a download", "nothing", "resumed at the byte, bound to the same version of the file"),
    ("the source device, in a copy, an export or a link", "nothing", "read on at the offset, where the device reads ranges"),
    ("the destination device, in a copy or download", "that leg, from its beginning", "legs before it"),
    ("the location that moves the bytes", "that leg, from its beginning, at another location", "legs before it"),
    ("the management server", "nothing: another one takes the job over", "finished legs, and the command that is under way"),
    ("the client's connection, in an upload", "nothing", "the upload goes on at the offset that HEAD tells"),
    ("the storage VM, in an upload", "the upload, from offset 0, under the same key", "nothing"),
    ("anything, in a seeding", "the copy of that zone", "zones that have their copy"),
    ("a copy failed for good in its second leg", "that leg, when it is asked for again", "the staged copy is the source now"),
)
HEAD = """# The control plane, for who operates it

Made by `python docs/make_control_plane.py`, do not edit.

A management server speaks of objects by their URIs and touches no byte (L-NOBYTES). What it is asked for is a job, a row of the
catalogue; agents at storage VMs and hosts carry out its commands with the drivers of the devices. Every operation may be
repeated: what is done already is a success (L-REPEAT). Every method below can be called over HTTP as well:
`POST /call {"method": "copy", "arguments": {"uri": "/template/1/t", "device": "images"}}` at
`python -m storcert.harness.service.management`; URIs are texts there, errors are answers.

All of it is tried in a simulated region in which whoever makes a request dies at it, before and after its effect, one request
after the other, over every pair of device kinds (`scenarios/crash_points.py`, `tox -e crashes`), and judged by every rule.
"""


def page() -> str:
    """The page."""
    return "".join((HEAD, _operations(), _legs(), _resumed(), _transfers(), _recovery(), _rules()))


def _operations() -> str:
    rows = "".join(
        f"| `{name}{_signature(name)}` | {_said(getattr(ControlPlane, name))} | {steps} | {' '.join(after.split()) or '-'} |\n"
        for name, (steps, after) in OPERATIONS.items()
    )
    return (
        "\n## Operations\n\n| method | does | steps | when somebody dies in the middle |\n|---|---|---|---|\n" + rows
    )


def methods() -> list[str]:
    """What can be asked of the control plane."""
    return [name for name, found in vars(ControlPlane).items() if inspect.isfunction(found) and not name.startswith("_")]


def _signature(name: str) -> str:
    names = [one.name for one in inspect.signature(getattr(ControlPlane, name)).parameters.values() if one.name != "self"]
    return f"({', '.join(names)})"


def _legs() -> str:
    ways = "".join(f"| `{way}` | {WAYS[way]} |\n" for way in Way)
    verbs = ", ".join(f"`{verb}`" for verb in Verb)
    return (
        f"\n## Plans\n\n{_doc(motion, 0)}\n\n| way, best first | how |\n|---|---|\n{ways}\n"
        f"Each leg is one command to one location. {_doc(making, 1)}\n\nA command carries a deadline. {_doc(work, 1)}\n\n"
        f"{_doc(removing, 1)}\n\nAgents know the commands {verbs}.\n"
    )


def _resumed() -> str:
    rows = "".join(f"| {broke} | {again} | {kept} |\n" for broke, again, kept in RESUMED)
    return (
        "\n## What is resumed, and what is not\n\nAn output stream of the contract publishes an object whole or not at all, "
        "and cannot be opened again (C-COMMIT): what was written when the writer died is lost by design. So a leg is the unit: "
        "a finished one is never repeated, an unfinished one begins anew, unless what broke is on the reading side.\n\n"
        f"| what breaks | done again | not done again |\n|---|---|---|\n{rows}\n"
        "Tests tell it by the ledger of bytes: `tests/scenarios/test_resume.py`, `tests/scenarios/test_uploads.py`.\n"
    )


def _transfers() -> str:
    return (
        f"\n## Clients: uploads and links\n\n{_doc(links, 1)}\n\nWhoever has a URL may use it: it holds a key of "
        f"{8 * links.KEY_BYTES} random bits, and no log and no fact holds the key. Agents serve clients on a port of their own "
        "(`--transfer-port`, and `--transfer-url` where something stands before it); let nobody but management servers reach "
        f"the other one.\n\nAn upload URL. {_doc(upload_door, 0)}\n\n{_code(upload_door)}\n\n{_doc(upload_door, 2)}\n\n"
        f"A download link. {_doc(link_door, 0)} {_doc(link_door, 1)}\n"
    )


def _recovery() -> str:
    from storcert.harness.logical import reconcile
    from storcert.harness.logical.reconcile import Round

    rows = {
        "adopted": "jobs of servers that died, gone on with", "settled": "placements in between that no job owns any more",
        "swept": "bytes that no record speaks of, deleted", "lost": "records whose bytes are gone",
        "evicted": "staged copies that nobody used for a day",
        "released": "grants of hosts that were restarted; links whose time is over, or that were opened again after a restart",
        "recounted": "devices whose capacity was counted wrong",
    }
    table = "".join(f"| `{name}` | {rows[name]} |\n" for name in Round.__slots__)
    return f"\n## Reconciliation\n\n{_doc(reconcile, 0)} {_doc(reconcile, 1)}\n\n| count | of |\n|---|---|\n{table}"


def _rules() -> str:
    lines = []
    for rule in LOGICAL_RULES:
        parts = " ".join(_doc(part, 0) for part in RULES.get(rule.id, ()))
        lines.append(f"| {rule.id} | {rule.text} | {parts or 'not looked at'} |\n")
    return (
        "\n## What is promised, and how it is judged\n\nThe journal of every run is judged by these; "
        "[the planted defects](control-plane-defects.md) prove each.\n\n| rule | promise | looked at |\n|---|---|---|\n"
        + "".join(lines)
    )


def _doc(thing: Any, paragraph: int) -> str:
    """A paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[paragraph].split())


def _code(thing: Any) -> str:
    """The paragraph of a docstring that is indented."""
    found = next(one for one in (inspect.getdoc(thing) or "").split("\n\n") if one.startswith("    "))
    return f"```\n{inspect.cleandoc(found)}\n```"


def _said(thing: Any) -> str:
    """All of a docstring, on one line, in a table."""
    return " ".join((inspect.getdoc(thing) or "").split()).replace(":meth:`unlink`", "``unlink``").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
