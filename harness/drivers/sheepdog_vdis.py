"""What the Sheepdog driver asks of VDIs: one listing that tells all, and steps that may be repeated. No object is known here.

Nothing but ``vdi list -r`` tells the size of a VDI, and it reads every inode of the cluster. The driver therefore lists once
where it must, and otherwise asks a cheap question: reading one byte at the supposed end tells whether a VDI of exactly
that size exists (:meth:`Vdis.exact`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from storcert.harness.drivers.sheepdog_command import PASSING, Dog, Effort, Failed, Trouble

#: The tag of the one snapshot that every finished version has.
SEAL = "sealed"
#: What dog makes without being told that it may be a hyper volume.
VDI_BYTES_MAX = 1 << 42
_DELETE_ROUNDS = 4
_ROW = re.compile(
    rb"^([s=c]) ((?:\\[\s\S]|[^\\\s])*) (\d+) (\d+) (\d+) (\d+) \d+ [0-9a-f]+ \S+ (.*) (\d+)$", re.MULTILINE)


class Size(Enum):
    """What a VDI's size is, compared with the one asked for."""

    SAME = "same"
    OTHER = "other"
    ABSENT = "no such VDI"


@dataclass(frozen=True, slots=True)
class Row:
    """One VDI of a listing. ``snap_id``: 0 for a working VDI, else its snapshot. ``stored_bytes``: of whole data objects, its
    own and shared ones."""

    name: str
    snap_id: int
    size_bytes: int
    stored_bytes: int
    tag: str
    object_bytes: int


class Listing:
    """All VDIs of the cluster as one ``vdi list -r`` saw them, one after the other. A large cluster has hundreds of thousands,
    and most callers want to know of a few: only their rows are read, until somebody asks for all."""

    def __init__(self, output: bytes) -> None:
        self._output = b"\n" + output
        self._read: tuple[dict[str, Row], dict[str, list[Row]]] | None = None
        if b"\\" in output:  # where somebody's name is escaped, a line need not begin where a row does
            self._read_all()

    def _read_all(self) -> tuple[dict[str, Row], dict[str, list[Row]]]:
        if self._read is None:
            self._read = {}, {}
            for kind, row in _rows(self._output):
                if kind == b"s":
                    self._read[1].setdefault(row.name, []).append(row)
                else:
                    self._read[0][row.name] = row
        return self._read

    def working(self, name: str) -> Row | None:
        """The working VDI of that name."""
        if self._read is not None:
            return self._read[0].get(name)
        found = [row for kind, row in self._beginning(f"{name} ") if kind != b"s"]
        return found[-1] if found else None

    def several(self, stem: str, names: Iterable[str]) -> list[Row]:
        """The working VDIs of these names, which all begin with ``stem``, as far as there are any."""
        known = self._read
        rows = {row.name: row for kind, row in self._beginning(stem) if kind != b"s"} if known is None else known[0]
        return [rows[name] for name in names if name in rows]

    def snapshots(self, name: str) -> list[Row]:
        """The snapshots of that name."""
        if self._read is not None:
            return self._read[1].get(name, [])
        return [row for kind, row in self._beginning(f"{name} ") if kind == b"s"]

    def all_working(self) -> list[str]:
        """The names of all working VDIs."""
        return list(self._read_all()[0])

    def sealed(self, name: str) -> Row | None:
        """The sealed snapshot of a version, if it is whole: its working VDI is there too."""
        if self.working(name) is None:
            return None
        return next((row for row in self.snapshots(name) if row.tag == SEAL), None)

    def names(self, stem: str) -> list[str]:
        """The names that begin so, of working VDIs and snapshots, sorted."""
        if self._read is not None:
            working, snapshots = self._read
            return sorted({name for name in (*working, *snapshots) if name.startswith(stem)})
        return sorted({row.name for _, row in self._beginning(stem)})

    def _beginning(self, text: str) -> Iterator[tuple[bytes, Row]]:
        """The rows whose name, with a space after it, begins so."""
        output, wanted = self._output, b" " + text.encode()
        at = output.find(wanted)
        while at >= 0:
            end = output.find(b"\n", at)
            end = len(output) if end < 0 else end
            if output[at - 2 : at - 1] == b"\n":
                yield from _rows(output[at - 1 : end])
            at = output.find(wanted, end)


def _rows(output: bytes) -> Iterator[tuple[bytes, Row]]:
    for kind, name, snap_id, size, own, shared, tag, shift in _ROW.findall(output):
        text, label = name.decode(errors="replace"), tag.decode(errors="replace")
        yield kind, Row(text, int(snap_id), int(size), int(own) + int(shared), label, 1 << int(shift))


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

    def exists(self, effort: Effort, name: str) -> bool:
        """Whether there is a working VDI of that name."""
        try:
            self._dog.repeated(effort, "vdi", "read", name, "0", "0")
        except Failed as failure:
            if failure.trouble is Trouble.ABSENT:
                return False
            raise
        return True

    def read(self, effort: Effort, name: str, offset: int, length: int) -> bytes:
        """Bytes of a sealed version, as many as there are."""
        return self._dog.repeated(effort, "vdi", "read", "-s", SEAL, name, str(offset), str(length))

    def create(self, effort: Effort, name: str, size_bytes: int) -> bool:
        """Make an empty VDI. ``False``: the name is taken, perhaps by an earlier attempt of this call."""
        return self._made(effort, "vdi", "create", name, str(size_bytes))

    def clone(self, effort: Effort, source: str, name: str) -> bool:
        """Make a VDI that shares the bytes of a sealed version. As :meth:`create`."""
        return self._made(effort, "vdi", "clone", "-s", SEAL, source, name)

    def seal(self, effort: Effort, name: str) -> None:
        """Freeze a version: from now on it is a snapshot, with an equal working VDI beside it. A cluster that fails between
        the two leaves the snapshot alone; that is a failure."""
        if not self._made(effort, "vdi", "snapshot", "-s", SEAL, name) and not self.exists(effort, name):
            raise Failed(Trouble.BROKEN, f"{name} was sealed by half")

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
        """Make a VDI that large. dog writes back what it read before: were it late, it would break the seal."""
        self._dog.repeated(effort, "vdi", "resize", name, str(size_bytes), late=False)

    def write(self, effort: Effort, name: str, offset: int, data: bytes) -> None:
        """Write bytes inside a VDI."""
        self._dog.repeated(effort, "vdi", "write", name, str(offset), str(len(data)), data=data)

    def delete(self, effort: Effort, name: str, size_bytes: int | None = None, *, unlisted: bool = False) -> None:
        """Delete the working VDI of that name, if there is one; of that size, where others may make it anew meanwhile;
        ``unlisted``: one that no listing showed, so that one which is listed afterwards is another.

        dog says success whatever happened, so it is looked for afterwards. Raises where it is still there: then perhaps
        emptied, and a repetition goes on from there.
        """
        doubt = Failed(Trouble.ODD, f"{name} is still there after it was deleted")
        for _ in range(_DELETE_ROUNDS):
            effort.check()
            try:
                self._dog.run("vdi", "delete", name)
            except Failed as failure:
                if failure.trouble is Trouble.ABSENT:
                    return
                if failure.trouble not in PASSING:
                    raise
                doubt = failure
            if size_bytes is None and not self.exists(effort, name):
                return
            if unlisted and self.listing(effort).working(name) is not None:
                return
            if size_bytes is not None and self.exact(effort, name, size_bytes) is not Size.SAME:
                return
            if doubt.trouble is Trouble.SILENT or not effort.again():
                raise doubt
        raise doubt

    def kill(self, effort: Effort, name: str, snapshots: Iterable[str]) -> None:
        """Delete a version. The working VDI goes first, in one step as far as anybody can see: what is read from the snapshot
        counts only while it is there. Then the snapshots go, which are emptied before they vanish."""
        self.delete(effort, name)
        for which in dict.fromkeys((SEAL, *snapshots)):
            try:
                self._dog.repeated(effort, "vdi", "delete", "-s", which, name)
            except Failed as failure:
                if failure.trouble not in (Trouble.ABSENT, Trouble.NO_TAG):
                    raise
