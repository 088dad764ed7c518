"""A driver for pools of RBD images, on the client libraries rados and rbd alone. No kernel device, no file.

One object is one image, or one snapshot of an image, under a random name; which one, says the directory, a RADOS object whose
omap has one key for each URI. librbd makes and removes images in many requests, so an object appears and goes by one guarded
write there and never by what happens to images: ``rbd_directory`` explains it, ``rbd_publish`` publishes exactly once and
removes what is left over, ``rbd_images`` works on images, ``rbd_streams`` and ``rbd_volume`` move bytes, ``rbd_pool`` makes
calls with bounded effort, ``rbd_errors`` reads answers.

``copy`` and ``clone`` are copy-on-write clones: no bytes move, and deleting the source leaves its image behind, unlisted,
until the last clone has gone. ``take_snapshot`` is a snapshot of the volume's image and outlives the volume the same way. A
volume that is deleted and created again is another image, so an old snapshot is never taken for one of the new volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.rbd_directory import Entries, Record, loose_key, published_key
from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_images import close_quietly, new_name
from storcert.harness.drivers.rbd_pool import Effort, Pool, Settings, name_of
from storcert.harness.drivers.rbd_publish import Publication, Remover
from storcert.harness.drivers.rbd_streams import RbdInputStream, RbdOutputStream
from storcert.harness.drivers.rbd_volume import RbdVolumeHandle

LOOKS = 8
_CREATE_ROUNDS = 4


class RbdDriver:
    """Configuration: ``pool``; optional ``conf`` (``/etc/ceph/ceph.conf``, read by librados), ``user`` (``admin``) and
    ``max_object_size_bytes`` (64 TiB). The pool must not be erasure-coded: RBD needs omaps, and so does the directory.

    Make one instance for each device and keep it. It holds one connected client, which librados gives a dozen threads and which
    the binding does not end when it is dropped, because a stream may still be at work on it."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        self._settings = Settings.parse(configuration)
        self._pool = Pool(self._settings)
        self._remover = Remover(self._pool)
        self._directory = self._remover.directory
        self._images = self._remover.images

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=self._settings.max_object_size_bytes,
            on_device_copy=True,
            range_read=True,
            random_access=True,
            snapshots=True,
            revert=True,
            clone=True,
            enumerate=True,
        )

    def create(self, uri: DataObjectUri, size: int) -> None:
        name_of(uri)
        effort, size = Effort(), self._size(size, uri)
        for _ in range(_CREATE_ROUNDS):
            if self._has_size(effort, uri, size):
                return
            publication = Publication(self._remover, uri, Record(new_name(), size, owner=str(uri)))
            publication.begin(effort)
            try:
                self._images.create(effort, publication.record.image, size)
            except RequestFailed as failure:
                raise publication.failed(failure) from failure
            try:
                return publication.publish(effort)
            except ObjectExists as taken:
                # Somebody made it between the look and the publication: what counts is what is there now.
                if taken.outcome is Outcome.UNKNOWN:
                    raise
        raise DeviceUnavailable("others make and delete it all the time", uri, Outcome.NOT_DONE)

    def _has_size(self, effort: Effort, uri: DataObjectUri, size: int) -> bool:
        """Whether the object is there with ``size``. Raises ``ObjectExists`` where it has another."""
        (found,) = self._find(effort, uri)
        if found is not None and found.size_bytes != size:
            raise ObjectExists(f"the object has {found.size_bytes} bytes, not {size}", uri)
        return found is not None

    def delete(self, uri: DataObjectUri) -> None:
        name, effort, begun = name_of(uri), Effort(), False
        try:
            entries = self._unpublished(effort, uri)
            begun = entries.published is not None or bool(entries.loose)
            self._remover.doom_and_clear(effort, name, entries.loose)
        except RequestFailed as failure:
            raise failure.typed(uri, Outcome.UNKNOWN if begun else Outcome.NOT_DONE) from failure

    def _unpublished(self, effort: Effort, uri: DataObjectUri) -> Entries:
        """What the directory says of the URI, after its object, if there was one, has become loose."""
        name, first = str(uri), None
        for _ in range(LOOKS):
            entries = self._directory.entries(effort, name)
            record = entries.published
            # One call removes one object. Another under that name now was made after the first one had gone, be it by an
            # attempt of this call whose answer was lost.
            if record is None or (first is not None and record.name != first.name):
                return entries
            first = record
            if uri.kind is ObjectKind.VOLUME and not record.snapshot:
                self._images.wait_until_unwatched(effort, record.image)
            if record.snapshot:
                self._images.wait_until_let_go(effort, record.image, record.snapshot)
            doomed = record.to_be_removed()
            key = published_key(name)
            try:
                done = self._directory.change(effort, {key: record}, {loose_key(name, record.name): doomed}, (key,))
            except RequestFailed as failure:
                raise failure.typed(uri, Outcome.UNKNOWN if failure.ambiguous else Outcome.NOT_DONE) from failure
            if done:
                return Entries(record, (*entries.loose, doomed))
        raise DeviceUnavailable("the object changes all the time", uri, Outcome.NOT_DONE)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        self._copy(Effort(), source, destination)

    def _copy(self, effort: Effort, source: DataObjectUri, destination: DataObjectUri) -> None:
        original = self._source(effort, source, destination)
        record = Record(new_name(), original.size_bytes, owner=str(destination))
        if original.size_bytes:
            record = replace(
                record,
                parent_image=original.image,
                parent_owner=original.owner,
                parent_snapshot=original.snapshot or new_name(),
                parent_is_own=not original.snapshot,
            )
        publication = Publication(self._remover, destination, record, {source: original})
        publication.begin(effort)
        try:
            self._clone(effort, record)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                raise publication.given_up(self._not_cloned(effort, record, source, original)) from failure
            raise publication.failed(failure) from failure
        publication.publish(effort)

    def _not_cloned(self, effort: Effort, record: Record, source: DataObjectUri, original: Record) -> StorageError:
        """Why the source was not found: deleted, or (measured) the pool is full and librbd says it of a clone that way."""
        try:
            if self._directory.find(effort, str(source)) == [original]:
                self._images.create(effort, record.image, 0)  # the publication removes it again
                return DeviceUnavailable("the image of the source is missing", source, Outcome.NOT_DONE, False)
        except RequestFailed as failure:
            return failure.typed(source, Outcome.NOT_DONE)
        return ObjectNotFound("the source has gone", source)

    def _clone(self, effort: Effort, record: Record) -> None:
        """Make the image of ``record``. Without a parent it is empty, for librbd refuses to clone what has no bytes."""
        if not record.parent_image:
            return self._images.create(effort, record.image, 0)
        if record.parent_is_own:
            self._images.copy(effort, record.parent_image, record.parent_snapshot, record.image)
        else:
            self._images.clone(effort, record.parent_image, record.parent_snapshot, record.image)

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        _require_kinds((volume, ObjectKind.VOLUME), (snapshot, ObjectKind.SNAPSHOT))
        effort = Effort()
        original = self._source(effort, volume, snapshot)
        record = Record(original.image, original.size_bytes, owner=str(volume), snapshot=new_name())
        publication = Publication(self._remover, snapshot, record, {volume: original})
        publication.begin(effort)
        try:
            self._images.take_snapshot(effort, record.image, record.snapshot)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                raise publication.given_up(ObjectNotFound("the volume has gone", volume)) from failure
            raise publication.failed(failure) from failure
        publication.publish(effort)

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        _require_kinds((volume, ObjectKind.VOLUME), (snapshot, ObjectKind.SNAPSHOT))
        effort, begun = Effort(), False
        now, then = self._find(effort, volume, snapshot)
        if now is None:
            raise ObjectNotFound("no such volume", volume)
        if then is None:
            raise ObjectNotFound("no such snapshot", snapshot)
        if not then.snapshot or then.image != now.image:
            raise InvalidRequest("the snapshot is not one of this volume", snapshot)

        def still() -> bool:
            return self._directory.find(effort, str(volume), str(snapshot)) == [now, then]

        try:
            self._images.wait_until_unwatched(effort, now.image)
            begun, effort.in_doubt = True, False  # from here on: it may be done, seen, and the snapshot deleted since
            self._images.roll_back(effort, now.image, then.snapshot, still)
        except RequestFailed as failure:
            let_go = not begun or self._images.let_go(now.image, then.snapshot)
            in_doubt = begun and (failure.ambiguous or effort.in_doubt or not let_go)
            outcome = Outcome.UNKNOWN if in_doubt else Outcome.NOT_DONE
            if failure.trouble is Trouble.NOT_FOUND:
                raise self._gone(effort, (volume, now), (snapshot, then), outcome=outcome) from failure
            raise failure.typed(volume, outcome) from failure
        self._images.let_go(now.image, then.snapshot)

    def _gone(
        self, effort: Effort, *known: tuple[DataObjectUri, Record], outcome: Outcome = Outcome.NOT_DONE
    ) -> StorageError:
        """Which of the objects has gone, now that the device does not find what they are made of."""
        for uri, record in known:
            try:
                if self._find(effort, uri) != [record]:
                    return ObjectNotFound("it was deleted meanwhile", uri, outcome)
            except StorageError as error:
                return type(error)(error.message, uri, outcome)
        return DeviceUnavailable("the image of the object is missing", known[0][0], outcome, False)

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        _require_kinds((snapshot, ObjectKind.SNAPSHOT), (volume, ObjectKind.VOLUME))
        self._copy(Effort(), snapshot, volume)

    def open_volume(self, uri: DataObjectUri) -> RbdVolumeHandle:
        _require_kinds((uri, ObjectKind.VOLUME))
        effort = Effort()
        record = self._existing(effort, uri)
        try:
            image = self._images.open(effort, record.image, read_only=False)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                raise self._gone(effort, (uri, record)) from failure
            raise failure.typed(uri, Outcome.NOT_DONE) from failure
        handle = RbdVolumeHandle(self._pool, uri, image, record.size_bytes)
        # From here on the watch keeps it from being deleted; it may have been deleted before that.
        try:
            still = self._find(effort, uri) == [record]
        except BaseException:
            close_quietly(image, self._pool.foreign)
            raise
        if not still:
            close_quietly(image, self._pool.foreign)
            raise ObjectNotFound("the volume was deleted while it was opened", uri)
        return handle

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> RbdInputStream:
        name_of(uri)
        offset = count_of_bytes("offset", offset, uri)
        if length is not None:
            length = count_of_bytes("length", length, uri)
        record = self._existing(Effort(), uri)
        first = min(offset, record.size_bytes)
        end = record.size_bytes if length is None else min(first + length, record.size_bytes)
        return RbdInputStream(self._pool, self._remover, uri, record, first, end)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> RbdOutputStream:
        name_of(uri)
        if size is not None:
            size = self._size(size, uri)
        if self._find(Effort(), uri) != [None]:
            raise ObjectExists("the name is taken", uri)
        return RbdOutputStream(self._pool, self._remover, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, self._existing(Effort(), uri).size_bytes, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        after, effort = "", Effort()
        while True:
            try:
                page = self._directory.page(effort, after)
            except RequestFailed as failure:
                raise failure.typed(None, Outcome.NOT_DONE) from failure
            if not page:
                return
            for name in page:
                yield DataObjectUri.parse(name)
            after, effort = page[-1], Effort()  # the caller's next step is a call of its own

    def _size(self, value: object, uri: DataObjectUri) -> int:
        size = count_of_bytes("size", value, uri)
        if size > self._settings.max_object_size_bytes:
            raise CapacityExceeded(f"an object has at most {self._settings.max_object_size_bytes} bytes", uri)
        return size

    def _find(self, effort: Effort, *uris: DataObjectUri) -> list[Record | None]:
        names = [name_of(uri) for uri in uris]
        try:
            return self._directory.find(effort, *names)
        except RequestFailed as failure:
            raise failure.typed(uris[0], Outcome.NOT_DONE) from failure

    def _existing(self, effort: Effort, uri: DataObjectUri) -> Record:
        (found,) = self._find(effort, uri)
        if found is None:
            raise ObjectNotFound("no such object", uri)
        return found

    def _source(self, effort: Effort, source: DataObjectUri, destination: DataObjectUri) -> Record:
        """The source, if it is there and the destination is free."""
        original, taken = self._find(effort, source, destination)
        if original is None:
            raise ObjectNotFound("no such object", source)
        if taken is not None:
            raise ObjectExists("the name is taken", destination)
        return original


def _require_kinds(*wanted: tuple[DataObjectUri, ObjectKind]) -> None:
    for uri, kind in wanted:
        name_of(uri)
        if uri.kind is not kind:
            raise InvalidRequest(f"a {kind} is wanted here, not a {uri.kind}", uri)
