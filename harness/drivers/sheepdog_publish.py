"""One object on the cluster: which VDIs it is made of, how it is published exactly once, and what is swept away around it.

The *version* holds the bytes, under a name nobody else ever uses: a snapshot, sealed when the last byte was written, and a
working VDI beside it that nobody writes any more. The *marker*, a VDI named after the URI, holds nothing: its size is the
number of the version. The object is published if and only if a marker is there and the version it numbers is whole. So

- ``vdi create`` of the marker publishes: it is one step, and of several who try exactly one succeeds. After a lost answer
  the size of the marker tells whose it is.
- ``vdi delete`` of the marker unpublishes: it has no data, so dog has only one step to do. The version, whose deletion is
  many steps, goes afterwards, when nobody can see it.
- dog empties what it deletes first, and from then on zeros are read. Readers and copiers use the snapshot; who deletes
  deletes the working VDI before it, so that zeros, and copies, count only if the working VDI is still there afterwards.
- a version that lost its working VDI never gets it back. A publisher looks again after it made the marker: if its version
  was swept away meanwhile, the marker means nothing.
- a marker that means nothing cannot be taken away safely, because dog deletes by name, whatever the name means by then. It
  is passed over: the next marker has the next name (``+1``, ``+2``), and the first one that means something counts. Only
  ``delete`` removes markers, the last name first, so that the names in use never have a gap before the one that counts.
- copies leave their source alone. Were it frozen for each copy, two at once would destroy it: dog makes its snapshots of
  what it saw some steps ago.
- what a dead process left is found by name: all versions of a URI begin with one stem. ``delete`` and the next commit of
  the URI sweep them away; no version of another URI is ever touched.

Not excluded: a sweep of a commit that is held up between its last look and its kill, while the object is deleted and another
stream, open all the time, is committed, kills that stream's version. dog has no conditional step to prevent it.
"""

from __future__ import annotations

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectExists, Outcome, StorageError
from storcert.harness.drivers.sheepdog_command import Effort, Failed, Trouble
from storcert.harness.drivers.sheepdog_names import marker_of, new_number, stem_of, turn_of, version_name
from storcert.harness.drivers.sheepdog_vdis import Listing, Row, Size, Vdis

_TURNS_MAX = 16
_MISSES_MAX = 4


class Place:
    """Where the object of one URI is, or will be. Keeps nothing but names."""

    def __init__(self, vdis: Vdis, prefix: str, uri: DataObjectUri) -> None:
        self.vdis = vdis
        self.uri = uri
        self.marker = marker_of(prefix, uri)
        self.stem = stem_of(prefix, self.marker)

    def turns(self, listing: Listing) -> list[Row]:
        """The markers there are, by their turn."""
        names = (turn_of(self.marker, turn) for turn in range(_TURNS_MAX))
        return [listing.working[name] for name in names if name in listing.working]

    def version(self, listing: Listing) -> Row | None:
        """The sealed version of what is published, as the listing saw it."""
        for marker in self.turns(listing):
            row = listing.sealed(version_name(self.stem, marker.size_bytes))
            if row is not None:
                return row
        return None

    def is_taken(self, effort: Effort) -> bool:
        """Whether an object is published."""
        return self.vdis.exists(effort, self.marker) and self.version(self.vdis.listing(effort)) is not None

    def still_is(self, effort: Effort, marker: str, number: int) -> bool:
        """Whether that marker has that number still."""
        return self.vdis.exact(effort, marker, number) is Size.SAME

    def remove(self, effort: Effort) -> None:
        """Unpublish, then sweep away every version and inner snapshot. Raises :class:`Failed`."""
        listing = self.vdis.listing(effort)
        markers = self.turns(listing)
        if not markers:
            # One that a halted cluster deleted by half is in no listing.
            self.vdis.delete(effort, self.marker)
        for row in reversed(markers):
            self.vdis.delete(effort, row.name, row.size_bytes)
            effort.progressed()
        # One call removes one object: what was published since then is another.
        listing = self.vdis.listing(effort) if markers else listing
        since = self.version(listing)
        self._sweep(effort, listing, since.name if since is not None else None)

    def _sweep(self, effort: Effort, listing: Listing, kept: str | None) -> None:
        for name in listing.names(self.stem):
            if name != kept:
                self.vdis.kill(effort, name, [str(row.snap_id) for row in listing.snapshots.get(name, ())])
                effort.progressed()

    def sweep_after_publishing(self, listing: Listing, marker: str, number: int) -> None:
        """What dead processes left. Never turns the success into a failure."""
        kept, effort = version_name(self.stem, number), Effort.closing()
        try:
            # While our own marker stands, no other version of the listing can be published.
            if listing.names(self.stem) != [kept] and self.still_is(effort, marker, number):
                self._sweep(effort, listing, kept)
        except Failed:
            return  # the object is there and whole; what could not be removed goes with its delete


class Draft:
    """A version in the making: invisible until :meth:`publish`. ``size_bytes``: how large it is made; ``filled_bytes``: up to
    where it was written."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.number = new_number()
        self.name = version_name(place.stem, self.number)
        self.size_bytes = 0
        self.filled_bytes = 0
        self._made = False

    def make(self, effort: Effort, size_bytes: int) -> None:
        """Create the VDI, or enlarge it. Raises a typed error; the draft is discarded then."""
        try:
            if not self._made:
                self._made = True
                # The name is ours alone: if it is taken, an earlier attempt of this very call took it.
                self.place.vdis.create(effort, self.name, size_bytes)
            elif size_bytes > self.size_bytes:
                self.place.vdis.enlarge(effort, self.name, size_bytes)
        except Failed as failure:
            raise self.give_up(self._swept(failure)) from failure
        self.size_bytes = max(self.size_bytes, size_bytes)

    def write(self, effort: Effort, offset: int, data: bytes) -> None:
        """Raises as :meth:`make`."""
        try:
            effort.check()
            self.place.vdis.write(effort, self.name, offset, data)
        except Failed as failure:
            raise self.give_up(self._swept(failure)) from failure
        self.filled_bytes = offset + len(data)
        effort.progressed()

    def clone(self, effort: Effort, source: Row) -> None:
        """Fill it with the bytes of another version, on the cluster. Raises :class:`Failed`."""
        self._made = True
        self.size_bytes, self.filled_bytes = source.size_bytes, source.stored_bytes
        self.place.vdis.clone(effort, source.name, self.name)

    def publish(self, effort: Effort) -> None:
        """Seal it, make the marker, and sweep around it. Raises a typed error; with ``not_done`` nothing is left, with
        ``unknown`` it is there whole or not at all."""
        place, lost = self.place, False
        try:
            place.vdis.seal(effort, self.name)
        except Failed as failure:
            raise self.give_up(self._swept(failure)) from failure
        turn = missed = 0
        while turn < _TURNS_MAX:
            marker = turn_of(place.marker, turn)
            try:
                if self._claim(effort, marker):
                    return self._confirm(marker)
                listing = place.vdis.listing(effort)
                if place.version(listing) is not None:
                    raise self.give_up(ObjectExists("the name is taken", place.uri, Outcome.UNKNOWN if lost else None))
                # A listing is made one VDI after the other: a marker made meanwhile is not in it. Only one that was seen,
                # and is the same still, is known to mean nothing; what no listing ever shows a halted cluster deleted.
                row = listing.working.get(marker)
                missed = missed + 1 if row is None else 0
                if missed == _MISSES_MAX or (row is not None and place.still_is(effort, marker, row.size_bytes)):
                    turn, missed = turn + 1, 0
            except Failed as failure:
                lost = lost or failure.ambiguous
                if not lost:
                    raise self.give_up(failure.typed(place.uri)) from failure
                if self._is_published(marker, failure):
                    return self._confirm(marker)
                # The marker may still come: then the object is there, whole.
                raise failure.typed(place.uri, Outcome.UNKNOWN) from failure
        raise self.give_up(DeviceUnavailable("no marker can be had", place.uri, Outcome.NOT_DONE))

    def _claim(self, effort: Effort, marker: str) -> bool:
        """Whether the marker is ours now, be it by an attempt whose answer was lost."""
        place = self.place
        return place.vdis.create(effort, marker, self.number) or place.still_is(effort, marker, self.number)

    def _is_published(self, marker: str, failure: Failed) -> bool:
        try:
            return self.place.still_is(Effort.closing(), marker, self.number)
        except Failed:
            raise failure.typed(self.place.uri, Outcome.UNKNOWN) from failure

    def _confirm(self, marker: str) -> None:
        """The marker is made. It counts only if the version was not swept away meanwhile, be it by half."""
        place = self.place
        try:
            listing = place.vdis.listing(Effort.closing())
        except Failed as failure:
            raise failure.typed(place.uri, Outcome.UNKNOWN) from failure
        row = listing.sealed(self.name)
        if row is None or row.stored_bytes < self.filled_bytes:
            raise self.give_up(DeviceUnavailable("what was written was swept away", place.uri, Outcome.NOT_DONE))
        self._made = False
        place.sweep_after_publishing(listing, marker, self.number)

    def _swept(self, failure: Failed) -> StorageError:
        """Nothing is published, whatever became of the last step. A draft that is gone was swept away: by a delete of the
        name, or by the commit that won it."""
        place = self.place
        if failure.trouble not in (Trouble.ABSENT, Trouble.LARGER):
            return failure.typed(place.uri, Outcome.NOT_DONE)
        try:
            if place.is_taken(Effort.closing()):
                return ObjectExists("the name is taken", place.uri)
        except Failed:
            pass  # then it is not known that it is taken
        return DeviceUnavailable("what was written was swept away", place.uri, Outcome.NOT_DONE)

    def give_up(self, error: StorageError) -> StorageError:
        """Discard the draft; ``error``, with its outcome unknown where something of it may be left."""
        if self.discard() or error.outcome is Outcome.UNKNOWN:
            return error
        return type(error)(error.message, error.uri, Outcome.UNKNOWN, error.retryable)

    def discard(self) -> bool:
        """Remove the version; whether it is certainly gone. May be repeated."""
        if self._made:
            try:
                self.place.vdis.kill(Effort.closing(), self.name, ())
            except Failed:
                return False
            self._made = False
        return True
