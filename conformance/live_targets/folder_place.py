"""Folders below a path that stands for a mount: made, counted and emptied by ordinary file calls."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from storcert.conformance.live_targets.target import Reached
from storcert.harness.contract import JsonValue
from storcert.simulators.device import CensusEntry

_HIDDEN = ".fuse_hidden"
"""What FUSE keeps of a file that was deleted while somebody had it open, as a kernel's NFS client keeps ``.nfs...``."""


class Folder:
    """A folder that was not there before. ``behind``: the same folder without what is tested in between, for counting."""

    def __init__(self, path: Path, behind: Path) -> None:
        self._path = path
        self._behind = behind
        path.mkdir()

    @property
    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated export hands it out."""
        return {"mount": str(self._path)}

    def census(self) -> tuple[CensusEntry, ...]:
        """Every folder and every file below it, whatever its name, but what the mount itself keeps for whoever reads on."""
        found = []
        for folder, folders, files in os.walk(self._behind):
            at = Path(folder)
            found += [CensusEntry("directory", str((at / name).relative_to(self._behind)), "", 0) for name in folders]
            for name in (one for one in files if not one.startswith(_HIDDEN)):
                size = (at / name).lstat().st_size
                found.append(CensusEntry("file", str((at / name).relative_to(self._behind)), "", size))
        return tuple(sorted(found))

    def remove(self) -> None:
        """It goes, with all that is in it."""
        shutil.rmtree(self._path, ignore_errors=True)


def open_folder(reached: Reached, name: str) -> Folder:
    """A folder of that name below the target's."""
    return Folder(Path(str(reached.server["mount"])) / name, Path(str(reached.server["behind"])) / name)
