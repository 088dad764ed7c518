"""What a request is about, as one readable word for logs: a path where there is one, else the number of the object."""

from __future__ import annotations

from typing import Any

from storcert.simulators.nfs.protocol import (
    CreateArguments,
    Handle,
    LinkArguments,
    MkdirArguments,
    MknodArguments,
    NameArguments,
    RenameArguments,
    SymlinkArguments,
)
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.tree import Directory, Tree, readable

_NAMED = (NameArguments, CreateArguments, MkdirArguments, SymlinkArguments, MknodArguments)


def target_of(tree: Tree, arguments: Any) -> str:
    """``volume/a`` for a name, ``volume/a -> volume/b`` for two, ``#17`` for a file."""
    if isinstance(arguments, _NAMED):
        return _path(tree, arguments.directory, arguments.name)
    if isinstance(arguments, RenameArguments):
        source = _path(tree, arguments.from_directory, arguments.from_name)
        return f"{source} -> {_path(tree, arguments.to_directory, arguments.to_name)}"
    if isinstance(arguments, LinkArguments):
        return f"{_object(tree, arguments.file)} -> {_path(tree, arguments.directory, arguments.name)}"
    for name in ("file", "object", "directory"):
        handle = getattr(arguments, name, None)
        if handle is not None:
            return _object(tree, handle)
    return "-"


def _object(tree: Tree, handle: Handle) -> str:
    try:
        found = tree.resolve(handle)
    except Refusal as refusal:
        return f"({refusal.status.name})"
    if isinstance(found, Directory):
        return found.path() or "/"
    return f"#{found.fileid}"


def _path(tree: Tree, handle: Handle, name: bytes) -> str:
    above = _object(tree, handle)
    return readable(name) if above == "/" else f"{above}/{readable(name)}"
