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
- a marker that means nothing is removed only if nobody has taken the name after it, or there would be a gap. So who removes it
  makes a doom for its turn first, and looks for the next name then; who has taken a further name looks for that doom then,
  and makes again what has gone. Of two that meet, at least one sees the other.
- what a dead process left is found by name: all versions of a URI begin with one stem. ``delete`` and the next commit of
  the URI sweep them away; no version of another URI is ever touched.
- between the look of a sweep and its kill the version may be published. So who sweeps makes a *doom* first, a VDI named after
  the version, and looks for a marker then; who publishes makes the marker first, and looks for a doom then. Of two that
  meet, at least one sees the other: a sweep spares what has a marker, a publisher that sees a doom waits for what comes of
  it. The version goes before its doom, so that a doom that is gone stands for a version that is spared or gone.

- who looks for the object while its version is doomed waits as well: it is there for certain, or was never there.

Not excluded: where the doom is of somebody who died, nobody waits for ever, and a reader may see an object that its publisher
gives up.
"""

from __future__ import annotations

from collections.abc import Collection

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectExists, Outcome, StorageError
from storcert.harness.drivers.sheepdog_command import Effort, Failed, Trouble
from storcert.harness.drivers.sheepdog_names import (
    doom_of,
    marker_of,
    new_number,
    stem_of,
    turn_of,
    version_name,
    version_of,
)
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
        return listing.several(self.marker, (turn_of(self.marker, turn) for turn in range(_TURNS_MAX)))

    def version(self, listing: Listing) -> Row | None:
        """The sealed version of what is published, as the listing saw it."""
        for marker in self.turns(listing):
            row = listing.sealed(version_name(self.stem, marker.size_bytes))
            if row is not None:
                return row
        return None

    def is_taken(self, effort: Effort) -> bool:
        """Whether an object is published."""
        return self.vdis.exists(effort, self.marker) and self.version(settled(effort, self)) is not None

    def still_is(self, effort: Effort, marker: str, number: int) -> bool:
        """Whether that marker has that number still."""
        return self.vdis.exact(effort, marker, number) is Size.SAME

    def remove(self, effort: Effort) -> None:
        """Unpublish, then sweep away every version and inner snapshot. Raises :class:`Failed`."""
        listing = self.vdis.listing(effort)
        markers = self.turns(listing)
        if not markers:
            # One that a halted cluster deleted by half is in no listing.
            self.vdis.delete(effort, self.marker, unlisted=True)
        for row in reversed(markers):
            if not self._unmark(effort, row, meant=listing.sealed(version_name(self.stem, row.size_bytes)) is not None):
                break  # the object that took the next name needs all names before it
            effort.progressed()
        # One call removes one object: what was published since then is another.
        removed = {version_name(self.stem, row.size_bytes) for row in markers}
        self._sweep(effort, self.vdis.listing(effort) if markers else listing, removed)

    def _unmark(self, effort: Effort, row: Row, *, meant: bool) -> bool:
        """Remove a marker; ``meant``: one that counts, after which nobody takes the next name. ``False``: it has to stay."""
        turn, number = [turn_of(self.marker, turn) for turn in range(_TURNS_MAX)].index(row.name), new_number()
        doom = doom_of(version_name(self.stem, turn))
        doomed = not meant and self._make_doom(effort, doom, number)
        if doomed and self.vdis.exists(effort, turn_of(self.marker, turn + 1)):
            self.vdis.delete(effort, doom, number)
            return False
        self.vdis.delete(effort, row.name, row.size_bytes)
        if doomed:
            self.vdis.delete(effort, doom, number)
        return True

    def hold_names_before(self, effort: Effort, turn: int, number: int) -> None:
        """After a marker was made in that turn: none before it may go, or the next one who publishes takes the name that is
        free. One that somebody is about to remove is waited for, and one that went is made again, for the same version."""
        for before in reversed(range(turn)):
            doom = doom_of(version_name(self.stem, before))
            while self.vdis.exists(effort, doom) and effort.again():
                pass  # whoever made the doom looks for the name after it next
            if self.vdis.exists(effort, turn_of(self.marker, before)):
                return
            self.vdis.create(effort, turn_of(self.marker, before), number)

    def _sweep(self, effort: Effort, listing: Listing, removed: Collection[str]) -> None:
        """Kill all versions of the listing, and dooms without one, but nothing that is published. ``removed``: those that
        lost their marker to this call, and can have no other."""
        names = listing.names(self.stem)
        versions = {version_of(name) for name in names}
        doomed = {
            name: self._make_doom(effort, doom_of(name), new_number())
            for name in sorted(versions - set(removed))
            if name in names
        }
        if doomed:
            listing = self.vdis.listing(effort)
        published = {version_name(self.stem, row.size_bytes) for row in self.turns(listing)}
        for name in sorted(versions):
            if name in published and listing.sealed(name) is not None:
                if doomed.get(name):
                    self.vdis.delete(effort, doom_of(name))
                continue
            if name in names:
                self.vdis.kill(effort, name, [str(row.snap_id) for row in listing.snapshots(name)])
            if name in doomed or doom_of(name) in names:
                self.vdis.delete(effort, doom_of(name))
            effort.progressed()

    def _make_doom(self, effort: Effort, doom: str, number: int) -> bool:
        """Whether that doom is made by this call, be it by an attempt whose answer was lost."""
        try:
            return self.vdis.create(effort, doom, number) or self.still_is(effort, doom, number)
        except Failed as failure:
            if failure.trouble is not Trouble.FULL:
                raise
            return False  # a full cluster has no room for a marker either

    def sweep_after_publishing(self, listing: Listing, number: int) -> None:
        """What dead processes left. Never turns the success into a failure."""
        try:
            if listing.names(self.stem) != [version_name(self.stem, number)]:
                self._sweep(Effort.closing(), listing, ())
        except Failed:
            return  # the object is there and whole; what could not be removed goes with its delete


def settled(effort: Effort, *places: Place) -> Listing:
    """A listing in which nothing that is published at these places is about to be swept away: what becomes of it is waited for,
    but not for ever, because the doom of somebody who died stays. Raises :class:`Failed`."""
    while True:
        listing = places[0].vdis.listing(effort)
        versions = [row.name for place in places if (row := place.version(listing)) is not None]
        if all(listing.working(doom_of(name)) is None for name in versions) or not effort.again():
            return listing


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
        place = self.place
        try:
            place.vdis.seal(effort, self.name)
        except Failed as failure:
            raise self.give_up(self._swept(failure)) from failure
        turn = missed = 0
        effort.in_doubt = False  # from here on: a marker of ours may have been there, seen and deleted
        while turn < _TURNS_MAX:
            marker = turn_of(place.marker, turn)
            try:
                if self._claim(effort, marker):
                    place.hold_names_before(effort, turn, self.number)
                    return self._confirm(marker, in_doubt=effort.in_doubt)
                listing = settled(effort, place)
                if place.version(listing) is not None:
                    outcome = Outcome.UNKNOWN if effort.in_doubt else Outcome.NOT_DONE
                    raise self.give_up(ObjectExists("the name is taken", place.uri, outcome))
                # A listing is made one VDI after the other: a marker made meanwhile is not in it. Only one that was seen,
                # and is the same still, is known to mean nothing; what no listing ever shows a halted cluster deleted.
                row = listing.working(marker)
                missed = missed + 1 if row is None else 0
                if missed == _MISSES_MAX or (row is not None and place.still_is(effort, marker, row.size_bytes)):
                    turn, missed = turn + 1, 0
            except Failed as failure:
                if not (failure.ambiguous or effort.in_doubt):
                    raise self.give_up(failure.typed(place.uri)) from failure
                if self._is_published(marker, failure):
                    return self._confirm(marker, in_doubt=True)
                # The marker may still come: then the object is there, whole.
                raise failure.typed(place.uri, Outcome.UNKNOWN) from failure
        outcome = Outcome.UNKNOWN if effort.in_doubt else Outcome.NOT_DONE
        raise self.give_up(DeviceUnavailable("no marker can be had", place.uri, outcome))

    def _claim(self, effort: Effort, marker: str) -> bool:
        """Whether the marker is ours now, be it by an attempt whose answer was lost."""
        place = self.place
        return place.vdis.create(effort, marker, self.number) or place.still_is(effort, marker, self.number)

    def _is_published(self, marker: str, failure: Failed) -> bool:
        try:
            return self.place.still_is(Effort.closing(), marker, self.number)
        except Failed:
            raise failure.typed(self.place.uri, Outcome.UNKNOWN) from failure

    def _confirm(self, marker: str, *, in_doubt: bool) -> None:
        """The marker is made. It counts only if the version was not swept away meanwhile, be it by half, and will not be.
        Where the marker has gone too the object was published, and deleted already by somebody who had seen it.
        ``in_doubt``: there may have been one before it, so that what was swept away may have been published."""
        place, effort = self.place, Effort.closing()
        while True:
            try:
                listing = place.vdis.listing(effort)
                seen = listing.working(marker)
                moved = seen is None or seen.size_bytes != self.number
                deleted = moved and not place.still_is(effort, marker, self.number)
            except Failed as failure:
                raise failure.typed(place.uri, Outcome.UNKNOWN) from failure
            if deleted:
                self.discard()
                return
            row, doomed = listing.sealed(self.name), listing.working(doom_of(self.name)) is not None
            swept = row is None or row.stored_bytes < self.filled_bytes
            if swept or (doomed and not effort.again()):
                outcome = Outcome.UNKNOWN if in_doubt else Outcome.NOT_DONE
                raise self.give_up(DeviceUnavailable("what was written was swept away", place.uri, outcome))
            if not doomed:
                break
        counts = place.version(listing)
        if counts is not None and counts.name != self.name:  # of somebody who took a name before ours when it was free
            raise self.give_up(ObjectExists("the name is taken", place.uri, Outcome.UNKNOWN))
        self._made = False
        place.sweep_after_publishing(listing, self.number)

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
