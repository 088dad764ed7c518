"""What the Sheepdog driver asks of VDIs: one listing that tells all, and steps that may be repeated. No object is known here.

Nothing but ``vdi list -r`` tells the size of a VDI, and it reads every inode of the cluster. The driver therefore lists once
where it must, and otherwise asks a cheap question: reading one byte at the supposed end tells whether a VDI of exactly
that size exists (:meth:`Vdis.exact`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from storcert.harness.drivers.sheepdog_command import PASSING, Dog, Effort, Failed, Trouble

#: A VDI whose size is at least this is being deleted: dog enlarges in one step, and deletes in several.
DEAD_BYTES = 1 << 41
_DELETE_ROUNDS = 4
_ROW = re.compile(
    rb"^([s=c]) ((?:\\[\s\S]|[^\\\s])*) (\d+) (\d+) \d+ \d+ \d+ ([0-9a-f]+) \S+ (.*) (\d+)$", re.MULTILINE)


class Size(Enum):
    """What a VDI's size is, compared with the one asked for."""

    SAME = "same"
    OTHER = "other"
    ABSENT = "no such VDI"


@dataclass(frozen=True, slots=True)
class Row:
    """One VDI of a listing. ``snap_id``: 0 for a working VDI, else its snapshot; ``vid`` grows with age within one name."""

    name: str
    snap_id: int
    size_bytes: int
    vid: int
    tag: str
    object_bytes: int


class Listing:
    """All VDIs of the cluster as one ``vdi list -r`` saw them, one after the other."""

    def __init__(self, output: bytes) -> None:
        self.working: dict[str, Row] = {}
        self.snapshots: dict[str, list[Row]] = {}
        for kind, name, snap_id, size, vid, tag, shift in _ROW.findall(output):
            text, label = name.decode(errors="replace"), tag.decode(errors="replace")
            row = Row(text, int(snap_id), int(size), int(vid, 16), label, 1 << int(shift))
            if kind == b"s":
                self.snapshots.setdefault(row.name, []).append(row)
            else:
                self.working[row.name] = row

    def contents(self, name: str) -> Row | None:
        """Where the bytes of a VDI are: the working VDI, or where there is none, the newest snapshot: a snapshot that is being
        taken, or was cut short, has no working VDI. ``None`` where it is absent or being deleted."""
        row = self.working.get(name)
        if row is None:
            row = max(self.snapshots.get(name, ()), key=lambda one: one.snap_id, default=None)
        return None if row is None or row.size_bytes >= DEAD_BYTES else row

    def names(self, stem: str) -> list[str]:
        """The names that begin so, of working VDIs and snapshots, sorted."""
        return sorted({name for name in (*self.working, *self.snapshots) if name.startswith(stem)})

    def tagged(self, stem: str) -> list[Row]:
        """The snapshots whose tag begins so."""
        return [row for rows in self.snapshots.values() for row in rows if row.tag.startswith(stem)]


class Vdis:
    """Typed runs of dog. Raise :class:`Failed`."""

    def __init__(self, dog: Dog) -> None:
        self._dog = dog

    def listing(self, effort: Effort) -> Listing:
        """All there is."""
        return Listing(self._dog.repeated(effort, "vdi", "list", "-r"))

    def exact(self, effort: Effort, name: str, size_bytes: int) -> Size:
        """Whether the working VDI has exactly that size: at its end there is nothing to read, past it dog complains."""
        try:
            found = self._dog.repeated(effort, "vdi", "read", name, str(size_bytes), "1")
        except Failed as failure:
            if failure.trouble is Trouble.ABSENT:
                return Size.ABSENT
            if failure.trouble is Trouble.BEYOND:
                return Size.OTHER
            raise
        return Size.OTHER if found else Size.SAME

    def exists(self, effort: Effort, name: str, *which: str) -> bool:
        """Whether there is a working VDI of that name, or with ``-s`` the snapshot."""
        try:
            self._dog.repeated(effort, "vdi", "read", *which, name, "0", "0")
        except Failed as failure:
            if failure.trouble in (Trouble.ABSENT, Trouble.NO_TAG):
                return False
            raise
        return True

    def read(self, effort: Effort, row: Row, offset: int, length: int) -> bytes:
        """Bytes of a VDI, as many as there are."""
        which = ("-s", str(row.snap_id)) if row.snap_id else ()
        return self._dog.repeated(effort, "vdi", "read", *which, row.name, str(offset), str(length))

    def create(self, effort: Effort, name: str, size_bytes: int) -> bool:
        """Make an empty VDI. ``False``: the name is taken, perhaps by an earlier attempt of this call."""
        return self._made(effort, "vdi", "create", name, str(size_bytes))

    def clone(self, effort: Effort, row: Row, tag: str, name: str) -> bool:
        """Make a VDI that shares the bytes of a snapshot. As :meth:`create`."""
        return self._made(effort, "vdi", "clone", "-s", str(row.snap_id) if row.snap_id else tag, row.name, name)

    def snapshot(self, effort: Effort, name: str, tag: str) -> None:
        """Freeze a VDI under a tag that nobody else uses."""
        self._made(effort, "vdi", "snapshot", "-s", tag, name)

    def _made(self, effort: Effort, *words: str) -> bool:
        try:
            self._dog.repeated(effort, *words)
        except Failed as failure:
            if failure.trouble is Trouble.TAKEN:
                return False
            if failure.trouble is Trouble.REFUSED:
                raise self._why_refused(failure) from failure
            raise
        return True

    def _why_refused(self, failure: Failed) -> Failed:
        """Making a VDI fails in the same words on a full cluster and on a halted one; free space tells them apart."""
        try:
            report = self._dog.run("node", "info", "-r").decode().splitlines()
            total = next(line.split() for line in report if line.startswith("Total"))
            free_bytes = int(total[3])
        except (Failed, StopIteration, ValueError, IndexError):
            return failure
        return Failed(Trouble.FULL, f"{failure.text}; no space is left") if free_bytes <= 0 else failure

    def enlarge(self, effort: Effort, name: str, size_bytes: int) -> None:
        """Make a VDI that large."""
        self._dog.repeated(effort, "vdi", "resize", name, str(size_bytes))

    def write(self, effort: Effort, name: str, offset: int, data: bytes) -> None:
        """Write bytes inside a VDI."""
        self._dog.repeated(effort, "vdi", "write", name, str(offset), str(len(data)), data=data)

    def delete(self, effort: Effort, name: str, *which: str) -> bool:
        """Delete the working VDI, or with ``-s`` a snapshot; whether there was one. dog says success whatever happened, so it
        is looked for afterwards. Raises where it is still there: then perhaps emptied, and a repetition goes on from there."""
        was_there = False
        for _ in range(_DELETE_ROUNDS):
            effort.check()
            try:
                self._dog.run("vdi", "delete", *which, name)
            except Failed as failure:
                if failure.trouble in (Trouble.ABSENT, Trouble.NO_TAG):
                    return was_there
                if failure.trouble not in PASSING:
                    raise
                doubt = failure
            else:
                doubt = Failed(Trouble.ODD, f"{name} is still there after it was deleted")
            was_there = True
            if not self.exists(effort, name, *which):
                return True
            if doubt.trouble is Trouble.SILENT or not effort.again():
                raise doubt
        raise doubt

    def kill(self, effort: Effort, listing: Listing, name: str) -> None:
        """Delete a VDI with all its snapshots. It is marked as dead first, in one step: whoever reads zeros from it, or is
        about to publish it, sees the mark."""
        row = listing.working.get(name)
        if row is not None and row.size_bytes < DEAD_BYTES:
            try:
                self.enlarge(effort, name, DEAD_BYTES + row.size_bytes)
            except Failed as failure:
                if failure.trouble not in (Trouble.ABSENT, Trouble.LARGER):
                    raise
        if row is not None:
            self.delete(effort, name)
        for old in listing.snapshots.get(name, ()):
            self.delete(effort, name, "-s", str(old.snap_id))
