"""``live:directory``: a directory of the local file system, which stands for a mount."""

from __future__ import annotations

import shutil
from pathlib import Path

from storcert.conformance.live_targets import folder_place
from storcert.conformance.live_targets.target import Reached

open_place = folder_place.open_folder


def missing() -> str:
    """A directory is everywhere."""
    return ""


class Directory:
    """One directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> Reached:
        """It is there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return Reached("live:directory", {"mount": str(self._folder), "behind": str(self._folder)})

    def stop(self) -> None:
        """It is gone."""
        shutil.rmtree(self._folder, ignore_errors=True)


def server(folder: Path) -> Directory:
    """One of its own."""
    return Directory(folder)
