"""Publishing an object exactly once, and removing what is loose until nothing of it is left.

The order is always the same. First the loose key, then the image or snapshot it names, then the guarded write that publishes.
Where that fails, and whenever an object is deleted or a dead process left something: the key is doomed, which fences every
publication of it; then what it names is removed; then whatever was only kept for that; the key goes last. So at every moment a
key leads to all there is, and the next delete of, or commit to, the URI finishes what was begun.

An image that snapshots or clones still need stays behind its doomed key. Who removes the last of them comes by and removes
the image too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.rbd_directory import Directory, Record, loose_key, published_key
from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_images import SLICE_BYTES, Images, Removed
from storcert.harness.drivers.rbd_pool import Effort, Pool

GRACE_S = 3.0


class Discarded(Enum):
    """What became of something that was given up."""

    FENCED = "doomed before it was published, and removed"
    GONE = "somebody else doomed it, and it is removed"
    PUBLISHED = "it was published after all, and stays"
    UNSURE = "something may be left"


class Remover:
    """Removes what is loose."""

    def __init__(self, pool: Pool) -> None:
        self.directory = Directory(pool)
        self.images = Images(pool)

    def doom(self, effort: Effort, uri: str, record: Record, doomed: Record) -> bool:
        """Make the loose key one that is never published. Says whether it is that now; ``False``: it has gone."""
        key = loose_key(uri, record.name)
        if record.doomed or self.directory.change(effort, {key: record}, {key: doomed}):
            return True
        now = self.directory.loose(effort, uri, record.name)
        return now is not None and now.doomed

    def clear(self, effort: Effort, uri: str, record: Record) -> None:
        """Remove what a doomed key of ``uri`` names, and the key, unless snapshots or clones still need it.

        Raises :class:`RequestFailed`; the key then still leads to what is left. May be repeated."""
        if record.snapshot:
            self.images.remove_snapshot(effort, record.image, record.snapshot)
            self._collect(effort, record.owner, record.image)
        else:
            if not 0 < record.size_bytes <= SLICE_BYTES:  # 0: empty, or begun without a known size
                self.images.shrink(effort, record.image)
            removed = self.images.remove(effort, record.image)
            if removed is Removed.NEEDED:
                return
            if removed is Removed.ABSENT and record.lost_by:
                self.images.remove_lost_headers(record.lost_by)
            if record.parent_image:
                self.images.release_parent(effort, record.parent_image, record.parent_snapshot, record.parent_is_own)
                self._collect(effort, record.parent_owner, record.parent_image)
        effort.progressed()
        self.directory.change(effort, {}, {}, (loose_key(uri, record.name),))

    def _collect(self, effort: Effort, owner: str, image: str) -> None:
        """Remove the image if it is doomed too and nothing needs it any more."""
        found = self.directory.loose(effort, owner, image)
        if found is not None and found.doomed:
            self.clear(effort, owner, found)

    def doom_and_clear(self, effort: Effort, uri: str, records: Sequence[Record]) -> None:
        """Both, for all that is loose under ``uri``. A key that was published or removed meanwhile is left alone."""
        doomed = [record for record in records if record.doomed]
        fresh = [record for record in records if not record.doomed]
        fresh = [record.to_be_removed() for record in fresh if self.doom(effort, uri, record, record.to_be_removed())]
        if fresh:
            # Whoever is at work on one finds out and removes it. Librbd must not make and remove an image at the same time:
            # a header made after its name was removed is found by nobody.
            time.sleep(GRACE_S)
        for record in fresh:
            if self.directory.loose(effort, uri, record.name) is not None:
                doomed.append(record)
        for record in doomed:
            effort.progressed()
            self.clear(effort, uri, record)

    def clear_others(self, uri: str, but: Record) -> None:
        """After publishing: remove what dead processes left under the URI. What cannot be removed now waits for the next."""
        effort = Effort.closing()
        try:
            loose = self.directory.entries(effort, uri).loose
            self.doom_and_clear(effort, uri, [record for record in loose if record.name != but.name])
        except RequestFailed:
            pass  # the object is published, and the keys still lead to what is left


class Publication:
    """One object in the making, from its loose key to its publication or its end. Invisible until then.

    ``needed``: the published objects that must still be the same at the moment of publication."""

    def __init__(
        self,
        remover: Remover,
        uri: DataObjectUri,
        record: Record,
        needed: Mapping[DataObjectUri, Record] | None = None,
    ) -> None:
        self.record = record
        self._remover = remover
        self._directory = remover.directory
        self._uri = uri
        self._name = str(uri)
        self._needed = dict(needed or {})
        self._lost_by = ""
        self._over = False

    def begin(self, effort: Effort) -> None:
        """Set the loose key. Raises a typed error, and nothing is left then, or ``unknown`` says so."""
        try:
            if not self.record.snapshot:
                self.record = replace(self.record, lost_by=self._remover.images.client_id(effort))
            self._directory.change(effort, {}, {loose_key(self._name, self.record.name): self.record})
        except RequestFailed as failure:
            raise self.failed(failure) from failure

    def require_alive(self, effort: Effort) -> None:
        """Raise a typed error where somebody has doomed it: a delete of the URI, or a commit that was faster."""
        try:
            if self._directory.loose(effort, self._name, self.record.name) == self.record:
                return
            error = self.doomed_by(*self._directory.find(effort, self._name))
        except RequestFailed as failure:
            error = failure.typed(self._uri, Outcome.NOT_DONE)
        raise self.given_up(error)

    def publish(self, effort: Effort, size_bytes: int | None = None) -> None:
        """The one moment. ``size_bytes``: the size, where it was not known when this began. Raises a typed error; nothing
        is published and nothing left then, or ``unknown`` says so."""
        wanted = replace(self.record, lost_by="")
        if size_bytes is not None:
            wanted = replace(wanted, size_bytes=size_bytes)
        loose, published = loose_key(self._name, self.record.name), published_key(self._name)
        guards: dict[str, Record | None] = {published_key(str(uri)): known for uri, known in self._needed.items()}
        guards |= {published: None, loose: self.record}
        failure, done, effort.in_doubt = None, False, False
        try:
            done = self._directory.change(effort, guards, {published: wanted}, (loose,))
        except RequestFailed as error:
            failure, effort.in_doubt = error, True
        if not done:
            self._settle(wanted, failure, effort.in_doubt)
        self._over = True
        self._remover.clear_others(self._name, wanted)

    def _settle(self, wanted: Record, failure: RequestFailed | None, in_doubt: bool) -> None:
        """It was refused, or nobody knows: return if it is published after all, else see to it that it never will be."""
        found: list[Record | None] = []
        if failure is None:
            try:
                found = self._directory.find(Effort.closing(), self._name, *map(str, self._needed))
            except RequestFailed as lost:
                failure = lost
            else:
                if found[0] == wanted:
                    return
        error = failure.typed(self._uri, Outcome.NOT_DONE) if failure is not None else self._reason(found)
        discarded = self.discard()
        if discarded is Discarded.PUBLISHED:
            return
        sure = discarded is Discarded.FENCED or (discarded is Discarded.GONE and not in_doubt)
        raise error if sure else unsure(error)

    def _reason(self, found: list[Record | None]) -> StorageError:
        if found[0] is not None:
            return self.doomed_by(found[0])
        for (uri, known), now in zip(self._needed.items(), found[1:], strict=True):
            if now != known:
                return ObjectNotFound("it was deleted meanwhile", uri)
        return self.doomed_by(None)

    def failed(self, failure: RequestFailed) -> StorageError:
        """Discard everything; the typed error for a step that failed before anything was published."""
        self._lost_by = failure.lost_by
        error = failure.typed(self._uri, Outcome.NOT_DONE)
        if failure.trouble is Trouble.NOT_FOUND:
            try:
                error = self.doomed_by(*self._directory.find(Effort.closing(), self._name))
            except RequestFailed as lost:
                error = lost.typed(self._uri, Outcome.NOT_DONE)
        return self.given_up(error)

    def doomed_by(self, found: Record | None) -> StorageError:
        """Who ended it: a commit that was faster, where something has the name now, or else a delete."""
        if found is not None:
            return ObjectExists("the name is taken", self._uri)
        return DeviceUnavailable("the object was deleted while it was made", self._uri, Outcome.NOT_DONE)

    def given_up(self, error: StorageError) -> StorageError:
        """Discard everything; ``error``, with its outcome unknown where something may be left."""
        return unsure(error) if self.discard() is Discarded.UNSURE else error

    def discard(self) -> Discarded:
        """Remove what was made. May be repeated."""
        if self._over:
            return Discarded.GONE
        effort, doomed = Effort.closing(), replace(self.record.to_be_removed(), lost_by=self._lost_by)
        try:
            fenced = self._remover.doom(effort, self._name, self.record, doomed)
            if not fenced:
                # Whoever took the key may have come before what it names was made, so that is still ours to remove.
                (found,) = self._directory.find(effort, self._name)
                if found is not None and found.name == self.record.name:
                    return Discarded.PUBLISHED
            self._remover.clear(effort, self._name, doomed)
        except RequestFailed:
            return Discarded.UNSURE
        self._over = True
        return Discarded.FENCED if fenced else Discarded.GONE


def unsure(error: StorageError) -> StorageError:
    """The same error with its outcome unknown."""
    return type(error)(error.message, error.uri, Outcome.UNKNOWN, error.retryable)
