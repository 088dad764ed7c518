"""A driver for Sheepdog, on the ``dog`` command alone: no library, no block device, no file.

An object is a *version*, which holds its bytes, and a *marker*, a VDI named after the URI whose size says which version is
published. Why that makes publishing and deleting one step each is told in ``sheepdog_publish``, which does it;
``sheepdog_names`` maps names, ``sheepdog_command`` runs dog within bounds and reads its complaints, ``sheepdog_vdis`` asks the
questions, and ``sheepdog_streams`` moves bytes.

Copies, snapshots and clones are the same thing here: a version of its own that shares the data objects of the source. The
cluster counts who uses them, so each is independent of all others at once.

Not offered, because dog cannot keep it: ``random_access`` (two dogs that write into one data object for the first time lose
one of the two writes, and there is no lock to be had), and with it ``revert``, which would have nothing to undo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.sheepdog_command import Dog, Effort, Failed, Trouble
from storcert.harness.drivers.sheepdog_names import doom_of, name_bytes_max, uri_of
from storcert.harness.drivers.sheepdog_publish import Draft, Place, settled
from storcert.harness.drivers.sheepdog_streams import SheepdogInputStream, SheepdogOutputStream
from storcert.harness.drivers.sheepdog_vdis import VDI_BYTES_MAX, Listing, Row, Size, Vdis

NAME_BYTES_MIN = 64
_CREATE_ROUNDS = 4
_KEYS = ("address", "port", "prefix")


class SheepdogDriver:
    """Configuration: ``address`` (127.0.0.1) and ``port`` (7000) of a sheep; optional ``prefix`` of all names, for a cluster
    that holds other things too."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        if not isinstance(configuration, Mapping):
            raise InvalidRequest("the configuration of the sheepdog driver is a mapping")
        unknown = sorted(str(key) for key in configuration if key not in _KEYS)
        if unknown:
            raise InvalidRequest(f"sheepdog has no configuration key {', '.join(unknown)}; it has {', '.join(_KEYS)}")
        address = configuration.get("address", "127.0.0.1")
        port = configuration.get("port", 7000)
        prefix = configuration.get("prefix", "")
        if not isinstance(address, str) or not address:
            raise InvalidRequest("configuration key address of sheepdog must be a text")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 1 << 16:
            raise InvalidRequest("configuration key port of sheepdog must be a number from 1 to 65535")
        if not isinstance(prefix, str) or not prefix.isascii() or any(one in "\0\\+" or one.isspace() for one in prefix):
            raise InvalidRequest("configuration key prefix of sheepdog must be plain ASCII without spaces, + and \\")
        if name_bytes_max(prefix) < NAME_BYTES_MIN or prefix.startswith("-"):
            raise InvalidRequest("configuration key prefix of sheepdog is too long, or begins with -")
        self._prefix = prefix
        self._vdis = Vdis(Dog(address, port))

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=VDI_BYTES_MAX,
            on_device_copy=True,
            range_read=True,
            snapshots=True,
            clone=True,
            enumerate=True,
            max_name_bytes=name_bytes_max(self._prefix),
        )

    def _place(self, uri: DataObjectUri) -> Place:
        return Place(self._vdis, self._prefix, uri)

    def create(self, uri: DataObjectUri, size: int) -> None:
        place, effort = self._place(uri), Effort()
        size = self._size(size, uri)
        for _ in range(_CREATE_ROUNDS):
            if self._has_size(effort, place, size):
                return
            draft = Draft(place)
            draft.make(effort, size)
            try:
                return draft.publish(effort)
            except ObjectExists as taken:
                # Somebody made it between the look and the publication: what counts is what is there now.
                if taken.outcome is Outcome.UNKNOWN:
                    raise
        raise DeviceUnavailable("others make and delete it all the time", uri, Outcome.NOT_DONE)

    def _has_size(self, effort: Effort, place: Place, size: int) -> bool:
        """Whether the object is there with ``size``. Raises ``ObjectExists`` where it has another."""
        try:
            if not self._vdis.exists(effort, place.marker):
                return False
            found = place.version(settled(effort, place))
        except Failed as failure:
            raise failure.typed(place.uri, Outcome.NOT_DONE) from failure
        if found is not None and found.size_bytes != size:
            raise ObjectExists(f"the object has {found.size_bytes} bytes, not {size}", place.uri)
        return found is not None

    def delete(self, uri: DataObjectUri) -> None:
        place = self._place(uri)
        try:
            place.remove(Effort())
        except Failed as failure:
            raise failure.typed(uri, Outcome.UNKNOWN) from failure

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        origin, place, effort = self._place(source), self._place(destination), Effort()
        listing = self._listing(effort, source, origin, place)
        version = self._published(origin, listing)
        if origin.marker == place.marker or place.version(listing) is not None:
            raise ObjectExists("the destination is taken", destination)
        draft = Draft(place)
        try:
            draft.clone(effort, version)
            if self._vdis.exact(effort, version.name, version.size_bytes) is not Size.SAME:
                raise Failed(Trouble.ABSENT, "the source was deleted meanwhile")
        except Failed as failure:
            gone = failure.trouble in (Trouble.ABSENT, Trouble.NO_TAG)
            error = ObjectNotFound("the source has gone", source) if gone else failure.typed(destination, Outcome.NOT_DONE)
            raise draft.give_up(error) from failure
        draft.publish(effort)

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> None:
        self._require_kind(volume, ObjectKind.VOLUME)
        self._require_kind(snapshot, ObjectKind.SNAPSHOT)
        self.copy(volume, snapshot)

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> None:
        self._require_kind(snapshot, ObjectKind.SNAPSHOT)
        self._require_kind(volume, ObjectKind.VOLUME)
        self.copy(snapshot, volume)

    def _require_kind(self, uri: DataObjectUri, kind: ObjectKind) -> None:
        self._place(uri)
        if uri.kind is not kind:
            raise InvalidRequest(f"a {kind} was due, not a {uri.kind}", uri)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> SheepdogInputStream:
        place = self._place(uri)
        offset = count_of_bytes("offset", offset, uri)
        if length is not None:
            length = count_of_bytes("length", length, uri)
        version = self._published(place, self._listing(Effort(), uri, place))
        size = version.size_bytes
        end = size if length is None else min(size, offset + length)
        return SheepdogInputStream(place, version, offset, max(offset, end))

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> SheepdogOutputStream:
        place = self._place(uri)
        if size is not None:
            size = self._size(size, uri)
        try:
            taken = place.is_taken(Effort())
        except Failed as failure:
            raise failure.typed(uri, Outcome.NOT_DONE) from failure
        if taken:
            raise ObjectExists("the name is taken", uri)
        return SheepdogOutputStream(place, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        place = self._place(uri)
        version = self._published(place, self._listing(Effort(), uri, place))
        return DataObjectDescription(uri, version.size_bytes, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        effort = Effort()
        listing = self._listing(effort, None)
        uris = {uri for name in listing.all_working() if (uri := uri_of(self._prefix, name)) is not None}
        for uri in sorted(uris):
            place = self._place(uri)
            version = place.version(listing)
            if version is not None and listing.working(doom_of(version.name)) is not None:
                version = place.version(self._listing(effort, uri, place))
            if version is not None:
                yield uri

    def _listing(self, effort: Effort, uri: DataObjectUri | None, *places: Place) -> Listing:
        """One in which it is settled what is published at these places."""
        try:
            return settled(effort, *places) if places else self._vdis.listing(effort)
        except Failed as failure:
            raise failure.typed(uri, Outcome.NOT_DONE) from failure

    def _published(self, place: Place, listing: Listing) -> Row:
        found = place.version(listing)
        if found is None:
            raise ObjectNotFound("no such object", place.uri)
        return found

    def _size(self, value: object, uri: DataObjectUri) -> int:
        size = count_of_bytes("size", value, uri)
        if size > VDI_BYTES_MAX:
            raise CapacityExceeded(f"an object has at most {VDI_BYTES_MAX} bytes", uri)
        return size
