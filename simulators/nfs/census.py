"""What the export holds, entry by entry: the raw material of every leak check. Read-only."""

from __future__ import annotations

import re

from storcert.simulators.device import CensusEntry
from storcert.simulators.nfs.tree import Directory, File, Symlink, Tree, readable

_SILLY = re.compile(rb"\.nfs[0-9A-Za-z]{4,}\Z")
"""What a Linux client renames a file to that is removed while it is open. [fs/nfs/unlink.c]"""


def census(tree: Tree) -> tuple[CensusEntry, ...]:
    """Every directory entry below the root, sorted: kind ``file``, ``dir``, ``silly``, ``symlink`` or ``special``.

    ``name`` is the path from the root, bytes that are no UTF-8 as escapes; ``detail`` of a symlink is where it points.
    """
    found: list[CensusEntry] = []
    _look(tree.root, "", found)
    return tuple(sorted(found))


def _look(directory: Directory, path: str, found: list[CensusEntry]) -> None:
    for name, inode in directory.entries.items():
        here = f"{path}{readable(name)}"
        if isinstance(inode, Directory):
            found.append(CensusEntry("dir", here, "", 0))
            _look(inode, f"{here}/", found)
        elif isinstance(inode, File):
            kind = "silly" if _SILLY.match(name) else "file"
            found.append(CensusEntry(kind, here, "", inode.size_bytes))
        elif isinstance(inode, Symlink):
            found.append(CensusEntry("symlink", here, readable(inode.target), 0))
        else:
            found.append(CensusEntry("special", here, inode.type.name.lower(), 0))
