"""The way of one process to nfs-ganesha on which faults can be put: a server, a proxy and a mount of its own, made when first
needed. Worlds of other processes have others, so that a server that dies takes nobody else's with it."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from storcert.conformance.live_targets import fuse_mount
from storcert.conformance.live_targets.daemons import Daemons
from storcert.conformance.live_targets.rpc_proxy_faults import NOT_SHOWN, SHOWN
from storcert.conformance.live_targets.target import Place, Reached
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import Request

__all__ = ["IN_PROCESS", "NOT_SHOWN", "SHOWN", "end_way", "way_to"]

IN_PROCESS = False
START_LIMIT_S = 60.0
_HERE = Path(__file__).parent
_ways: dict[str, GaneshaWay] = {}


def way_to(reached: Reached) -> GaneshaWay:
    """The one of this process to that target; it ends with the process, or with the target."""
    folder = str(reached.server["folder"])
    if folder not in _ways:
        made = GaneshaWay(Path(folder) / f"way-{os.getpid()}", reached)
        # While the interpreter of a worker is still whole: it has no other moment to take its mount away in order.
        Finalize(None, end_way, (folder,), exitpriority=12)
        _ways[folder] = made
    return _ways[folder]


def end_way(folder: str) -> None:
    """That of this process to the target in that folder ends, if there is one. May be repeated."""
    made = _ways.pop(folder, None)
    if made is not None:
        made.close()


class GaneshaWay:
    """Raises ``RuntimeError`` where it does not come up; nothing is left then."""

    def __init__(self, folder: Path, target: Reached) -> None:
        folder.mkdir(parents=True)
        self._mount_point = folder / "above"
        self._mount_point.mkdir()
        self._daemons = Daemons(folder / "log")
        self._location = ""
        self._known: list[Request] = []
        mine, theirs = socket.socketpair()
        try:
            command = [sys.executable, "-P", str(_HERE / "ganesha_apart.py"), str(folder / "server"), str(theirs.fileno())]
            # It sees by itself that this end is closed, also where this process is killed, and ends its server in order.
            self._daemons.start("server", command, orphaned=None, kept=(theirs.fileno(),))
            theirs.close()
            mine.settimeout(START_LIMIT_S)
            self._lines = mine.makefile("rw", encoding="utf-8")
            self._socket = mine
            said = self._heard()
            fuse_mount.serve(
                self._daemons, _HERE / "nfs_client.py", [str(said["port"]), str(said["mount_port"]), said["behind"]],
                self._mount_point)  # fmt: skip
        except BaseException:
            theirs.close()
            mine.close()
            fuse_mount.unmount(self._mount_point)
            self._daemons.kill_all()
            raise
        self.reached = Reached(target.target, {"mount": str(self._mount_point), "behind": said["behind"]})

    def begin(self, place: Place) -> Mapping[str, JsonValue]:
        """A new world in that place: nothing was asked yet, nothing is armed. What it gives a driver in place of what the
        place does."""
        del place
        self._ask("begin")
        self._known = []
        return {}

    @property
    def requests(self) -> list[Request]:
        """Those of this world, so far."""
        settled = next((at for at, one in enumerate(self._known) if one.answer == "pending"), len(self._known))
        self._known[settled:] = [
            Request(**{**one, "faults": tuple(map(Fault.from_json, one["faults"]))})
            for one in self._ask("requests", since=settled)
        ]
        return self._known

    @property
    def fired(self) -> list[Fault]:
        """The faults that struck."""
        return [Fault.from_json(one) for one in self._ask("fired")]

    def called_from(self, location: str) -> None:
        """Whose calls come now."""
        if location != self._location:
            self._location = location
            self._ask("from", location=location)

    def arm(self, faults: Sequence[Fault]) -> None:
        """Put a schedule on the way. ``ValueError`` for a fault that cannot be shown here."""
        self._ask("arm", faults=[one.to_json() for one in faults])

    def heal(self) -> None:
        """No faults any more, and the server is there."""
        self._ask("heal")

    def close(self) -> None:
        """Unmounted, and the server ended."""
        fuse_mount.unmount(self._mount_point)
        self._lines.close()
        self._socket.close()
        self._daemons.kill("fuse")
        self._daemons.end("server")

    def _ask(self, do: str, **more: Any) -> Any:
        self._lines.write(json.dumps({"do": do, **more}) + "\n")
        self._lines.flush()
        return self._heard()

    def _heard(self) -> Any:
        line = self._lines.readline()
        if not line:
            raise RuntimeError(f"the server apart ended: {self._daemons.log_tail()}")
        said = json.loads(line)
        if isinstance(said, dict) and "refused" in said:
            raise ValueError(said["refused"])
        return said
