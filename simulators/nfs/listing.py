"""READDIR and READDIRPLUS: the entries of a directory in the order of their cookies, page by page.

A cookie is made from the name alone, as ext4's hashed directories have it: it stays good whatever else comes to the
directory or goes from it, so that a listing never skips or repeats an entry that was there all the time. Such a server needs
no cookie verifier: it gives zeros and looks at none, as nfs-ganesha does. Others do not keep cookies over a change and say so
(``strict_cookies``). [RFC 1813 3.3.16]
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from hashlib import blake2b

from storcert.simulators.nfs.attributes import VERIFIER_BYTES
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.permissions import READ, require
from storcert.simulators.nfs.protocol import DirectoryEntry, ReaddirArguments, ReaddirResult
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import NfsStatus
from storcert.simulators.nfs.tree import Directory, Inode

SELF_COOKIE, PARENT_COOKIE = 1, 2
_COOKIE_MASK = (1 << 63) - 1
# XDR sizes [RFC 1813 3.3.16, 3.3.17]: answer without entries; entry without its name; attributes and handle of an entry.
_HEAD_BYTES = 4 + 88 + 8 + 8
_ENTRY_BYTES = 4 + 8 + 4 + 8
_PLUS_BYTES = 4 + 84 + 8 + 20
NO_VERIFIER = bytes(VERIFIER_BYTES)


def cookie_of(name: bytes) -> int:
    """Where ``name`` stands in its directory."""
    return (int.from_bytes(blake2b(name, digest_size=8).digest(), "big") & _COOKIE_MASK) | 4


def readdir(fs: FileSystem, caller: Caller, arguments: ReaddirArguments) -> ReaddirResult:
    """READDIR."""
    return _page(fs, caller, arguments, plus=False)


def readdirplus(fs: FileSystem, caller: Caller, arguments: ReaddirArguments) -> ReaddirResult:
    """READDIRPLUS."""
    return _page(fs, caller, arguments, plus=True)


def _page(fs: FileSystem, caller: Caller, arguments: ReaddirArguments, *, plus: bool) -> ReaddirResult:
    directory = fs.directory(arguments.directory)
    require(directory, caller, READ)
    verifier = directory.mtime_ns.to_bytes(VERIFIER_BYTES, "big") if fs.options.strict_cookies else NO_VERIFIER
    if arguments.cookie and arguments.cookie_verifier != verifier and fs.options.strict_cookies:
        raise Refusal(NfsStatus.NFS3ERR_BAD_COOKIE)
    room = min(arguments.count, fs.options.readdir_bytes_max) - _HEAD_BYTES
    each = _ENTRY_BYTES + (_PLUS_BYTES if plus else 0)
    page = fs.options.page_size
    entries: list[DirectoryEntry] = []
    cookie = arguments.cookie
    eof = True
    for place, name, inode in _after(fs, directory, cookie):
        room -= each + -(-len(name) // 4) * 4
        if room < 0 or (page and len(entries) == page):
            eof = False
            break
        entries.append(
            DirectoryEntry(inode.fileid, name, place, inode.attributes(), inode.handle)
            if plus else DirectoryEntry(inode.fileid, name, place)
        )
    if not entries and not eof:
        raise Refusal(NfsStatus.NFS3ERR_TOOSMALL)
    directory.atime_ns = caller.now_ns
    return ReaddirResult(directory.attributes(), verifier, tuple(entries), eof)


def _after(fs: FileSystem, directory: Directory, cookie: int) -> Iterator[tuple[int, bytes, Inode]]:
    """Entries after a cookie, one by one: a page takes few of many."""
    if cookie < SELF_COOKIE:
        yield SELF_COOKIE, b".", directory
    if cookie < PARENT_COOKIE:
        yield PARENT_COOKIE, b"..", directory.parent
    ordered = _ordered(fs, directory)
    for index in range(bisect_right(ordered, cookie, key=lambda entry: entry[0]), len(ordered)):
        place, name = ordered[index]
        yield place, name, directory.entries[name]


def _ordered(fs: FileSystem, directory: Directory) -> list[tuple[int, bytes]]:
    """All names with their cookies; kept while the same directory is listed and does not change."""
    listed, changes, ordered = fs.listing
    if listed is not directory or changes != directory.changes:
        ordered = sorted((cookie_of(name), name) for name in directory.entries)
        fs.listing = (directory, directory.changes, ordered)
    return ordered
