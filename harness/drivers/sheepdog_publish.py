"""One object on the cluster: which VDIs it is made of, how it is published exactly once, and what is swept away around it.

An object is two VDIs. The *version* holds the bytes, under a name nobody else ever uses. The *marker*, named after the URI,
holds nothing: its size is the number of the version. The object is published if and only if a marker is there and the
version it numbers is there and not marked as dead. So

- ``vdi create`` of the marker publishes: it is one step, and of several who try exactly one succeeds. After a lost answer
  the size of the marker tells whose it is.
- ``vdi delete`` of the marker unpublishes: it has no data, so dog has only one step to do. The version, whose deletion is
  many steps, goes afterwards, when nobody can see it.
- whoever sweeps away a version marks it as dead first, in one step (:meth:`Vdis.kill`), and the dead never come back. A
  publisher looks at its version again after it made the marker: if it was swept away, the marker means nothing.
- a marker that means nothing cannot be taken away safely, because dog deletes by name, whatever the name means by then. It
  is passed over: the next marker has the next name (``+1``, ``+2``), and the first one that means something counts. Only
  ``delete`` removes markers, the last name first, so that the names in use never have a gap before the one that counts.
- what a dead process left is found by name: all versions of a URI begin with one stem. ``delete`` and the next commit of
  the URI sweep them away; no version of another URI is ever touched.

Not excluded: a sweep of a commit that is held up between its last look and its kill, while the object is deleted and another
stream, open all the time, is committed, kills that stream's version. dog has no conditional step to prevent it.
"""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectExists, Outcome, StorageError
from storcert.harness.drivers.sheepdog_command import Effort, Failed, Trouble
from storcert.harness.drivers.sheepdog_names import marker_of, new_number, stem_of, turn_of, version_name
from storcert.harness.drivers.sheepdog_vdis import Listing, Row, Size, Vdis

_TURNS_MAX = 16


@dataclass(frozen=True, slots=True)
class Published:
    """What a listing saw of an object: the marker that counts, the number of the version, and where its bytes are."""

    marker: str
    number: int
    row: Row


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

    def version(self, listing: Listing) -> Published | None:
        """What is published, as the listing saw it."""
        for marker in self.turns(listing):
            row = listing.contents(version_name(self.stem, marker.size_bytes))
            if row is not None:
                return Published(marker.name, marker.size_bytes, row)
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
        markers = [row.name for row in self.turns(listing)]
        for name in reversed(markers):
            self.vdis.delete(effort, name)
            effort.progressed()
        if self.marker not in markers:
            # One that a halted cluster deleted by half is in no listing.
            self.vdis.delete(effort, self.marker)
        if markers:
            listing = self.vdis.listing(effort)
        self._sweep(effort, listing, None)

    def _sweep(self, effort: Effort, listing: Listing, kept: str | None) -> None:
        for name in listing.names(self.stem):
            if name != kept:
                self.vdis.kill(effort, listing, name)
                effort.progressed()
        for row in listing.tagged(self.stem):
            self.vdis.delete(effort, row.name, "-s", row.tag)
            effort.progressed()

    def sweep_after_publishing(self, marker: str, number: int) -> None:
        """What dead processes left. Never turns the success into a failure."""
        effort = Effort.closing()
        kept = version_name(self.stem, number)
        try:
            listing = self.vdis.listing(effort)
            litter = listing.tagged(self.stem) or listing.names(self.stem) != [kept]
            # While our own marker stands, no other version of the listing can be published.
            if litter and self.still_is(effort, marker, number):
                self._sweep(effort, listing, kept)
        except Failed:
            return  # the object is there and whole; what could not be removed goes with its delete


class Draft:
    """A version in the making: invisible until :meth:`publish`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.number = new_number()
        self.name = version_name(place.stem, self.number)
        self.size_bytes = 0
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
        effort.progressed()

    def clone(self, effort: Effort, row: Row, tag: str) -> None:
        """Fill it with the bytes of another VDI, on the cluster. Raises :class:`Failed`."""
        self._made = True
        self.size_bytes = row.size_bytes
        self.place.vdis.clone(effort, row, tag, self.name)

    def publish(self, effort: Effort) -> None:
        """Make the marker, and sweep around it. Raises a typed error; with ``not_done`` nothing is left, with ``unknown`` it
        is there whole or not at all."""
        place, lost = self.place, False
        for turn in range(_TURNS_MAX):
            marker = turn_of(place.marker, turn)
            try:
                if self._claim(effort, marker):
                    return self._confirm(marker)
                if place.version(place.vdis.listing(effort)) is not None:
                    raise self.give_up(ObjectExists("the name is taken", place.uri, Outcome.UNKNOWN if lost else None))
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
        """The marker is made. It counts only if nobody has marked the version as dead meanwhile."""
        place = self.place
        try:
            alive = place.vdis.exact(Effort.closing(), self.name, self.size_bytes) is Size.SAME
        except Failed as failure:
            raise failure.typed(place.uri, Outcome.UNKNOWN) from failure
        if not alive:
            raise self.give_up(DeviceUnavailable("what was written was swept away", place.uri, Outcome.NOT_DONE))
        self._made = False
        place.sweep_after_publishing(marker, self.number)

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
                self.place.vdis.delete(Effort.closing(), self.name)
            except Failed:
                return False
            self._made = False
        return True
