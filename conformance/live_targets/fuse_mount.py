"""``live:fuse``: a FUSE file system over a local directory: a mount as a kernel has it, standing for an NFS client's."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from storcert.conformance.live_targets import folder_place
from storcert.conformance.live_targets.daemons import Daemons
from storcert.conformance.live_targets.target import Reached

_PROGRAM = Path(__file__).with_name("passthrough.py")
START_LIMIT_S = 20.0

open_place = folder_place.open_folder


def missing() -> str:
    """What to install."""
    if importlib.util.find_spec("fuse") is None:
        return "no module fuse: pip install fusepy"
    if shutil.which("fusermount") is None:
        return "no program fusermount (Debian: fuse3 libfuse2)"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used by this user"
    asked = subprocess.run([sys.executable, "-c", "import fuse"], capture_output=True, text=True, check=False, timeout=20)
    return "fusepy finds no libfuse 2 (Debian: libfuse2)" if asked.returncode else ""


def serve(daemons: Daemons, program: Path, arguments: Sequence[str], mount_point: Path) -> None:
    """Mount there what ``program`` serves, a file beside this one. Raises ``RuntimeError`` where that does not come about."""
    command = [sys.executable, "-P", str(program), *arguments, str(mount_point)]
    daemons.start("fuse", command, orphaned=signal.SIGTERM)
    daemons.wait_until(lambda: os.path.ismount(mount_point), "mount", START_LIMIT_S)


def unmount(mount_point: Path) -> None:
    """Nothing is mounted there any more. May be repeated."""
    if os.path.ismount(mount_point):
        subprocess.run(["fusermount", "-u", "-z", str(mount_point)], capture_output=True, check=False, timeout=20)


class FuseMount:
    """One mount. Whoever serves it ends with this process, and takes the mount away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._below, self._above = folder / "below", folder / "above"
        self._daemons = Daemons(folder / "log")

    def start(self) -> Reached:
        """Mounted."""
        for one in (self._below, self._above):
            one.mkdir(parents=True)
        try:
            serve(self._daemons, _PROGRAM, [str(self._below)], self._above)
        except BaseException:
            self.stop()
            raise
        return Reached("live:fuse", {"mount": str(self._above), "behind": str(self._below)})

    def stop(self) -> None:
        """Unmounted, and the folder goes."""
        unmount(self._above)
        self._daemons.kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)


def server(folder: Path) -> FuseMount:
    """One of its own."""
    return FuseMount(folder)
