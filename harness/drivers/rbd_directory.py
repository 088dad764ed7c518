"""The directory: one RADOS object whose omap says which data objects there are, and what is not (yet, or any more) one.

==========================  ====================================================================================
key                         value
==========================  ====================================================================================
``o:<uri>``                 a published object: the image, or snapshot of an image, that holds its bytes
``x:<uri>/<name>``          something loose, made for or left by ``<uri>``: an image or snapshot that is being made,
                            or is to be removed as soon as nothing needs it
==========================  ====================================================================================

Creating, renaming and removing an image are many requests in librbd and can end half way. A write to the omap of one RADOS
object is one request that happens whole or not at all, and it can carry guards: the values that certain keys must still
have. So whatever happens to images happens while they are loose, and the one moment at which an object appears or goes is one
guarded write here, which moves it from ``x:`` to ``o:`` or back. A guard on the loose key also fences: once somebody has
changed it, a publication that was under way can no longer happen, however late its request arrives. A dead process leaves
loose keys, and those of one URI are read together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_pool import Effort, Pool, Session

OBJECT = "storcert.directory"
PUBLISHED, LOOSE = "o:", "x:"
PAGE = 500
CREATE_IDEMPOTENT = 0  # LIBRADOS_CREATE_IDEMPOTENT

Omap = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Record:
    """What one key says. ``image`` is the image, ``snapshot`` the snapshot of it that holds the bytes, or empty where the
    image itself does. ``owner``: the URI whose key the image is loose under once it is no object any more. The ``parent``
    fields name what a clone was made from, where the parent becomes loose, and whether its snapshot was made for this clone
    alone. ``doomed``: loose for good, to be removed. ``lost_by``: the client that may have made a header and lost it."""

    image: str
    size_bytes: int
    owner: str
    snapshot: str = ""
    parent_image: str = ""
    parent_owner: str = ""
    parent_snapshot: str = ""
    parent_is_own: bool = False
    doomed: bool = False
    lost_by: str = ""

    @property
    def name(self) -> str:
        """What it is called under a loose key: unique, for image and snapshot names are."""
        return self.snapshot or self.image

    @property
    def text(self) -> str:
        """As it stands in the directory: always the same text for the same record, because guards compare text."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return json.dumps(given, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    @classmethod
    def parse(cls, text: bytes) -> Record:
        """Raises :class:`RequestFailed` for what this driver did not write."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            raise RequestFailed(Trouble.ODD, "the directory holds an entry that is none of this driver's") from None

    def to_be_removed(self) -> Record:
        """The same, loose for good."""
        return replace(self, doomed=True)


@dataclass(frozen=True, slots=True)
class Entries:
    """What the directory says of one URI: its object, if there is one, and everything loose."""

    published: Record | None
    loose: tuple[Record, ...]


class Directory:
    """Reads and guarded writes. Every write may be made again: guards make the second one refused, not repeated."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def find(self, effort: Effort, *uris: str) -> list[Record | None]:
        """The published record of each URI, all as of one moment."""
        keys = tuple(PUBLISHED + uri for uri in uris)
        found, *_ = self._read(effort, lambda ioctx, op: (_by_keys(ioctx, op, keys),))
        return [Record.parse(found[key]) if key in found else None for key in keys]

    def entries(self, effort: Effort, uri: str) -> Entries:
        """All of one URI, as of one moment."""
        key, prefix = PUBLISHED + uri, f"{LOOSE}{uri}/"

        def read(ioctx: Any, op: Any) -> tuple[Any, ...]:
            return _by_keys(ioctx, op, (key,)), _by_prefix(ioctx, op, "", prefix)

        found, loose = self._read(effort, read)
        published = Record.parse(found[key]) if key in found else None
        more = loose
        while more:  # a server may give fewer than were asked for; only an empty page is the last one
            more = self._loose_after(effort, max(more), prefix)
            loose |= more
        return Entries(published, tuple(Record.parse(loose[name]) for name in sorted(loose)))

    def _loose_after(self, effort: Effort, last: str, prefix: str) -> Omap:
        return self._read(effort, lambda ioctx, op: (_by_prefix(ioctx, op, last, prefix),))[0]

    def loose(self, effort: Effort, uri: str, name: str) -> Record | None:
        """One loose record."""
        key = loose_key(uri, name)
        found, *_ = self._read(effort, lambda ioctx, op: (_by_keys(ioctx, op, (key,)),))
        return Record.parse(found[key]) if key in found else None

    def page(self, effort: Effort, after: str) -> list[str]:
        """Some of the published URIs after that one, in order; none where there are no more."""
        found, *_ = self._read(
            effort, lambda ioctx, op: (_by_prefix(ioctx, op, PUBLISHED + after if after else "", PUBLISHED),)
        )
        return [key.removeprefix(PUBLISHED) for key in sorted(found)]

    def change(
        self,
        effort: Effort,
        guards: Mapping[str, Record | None],
        values: Mapping[str, Record],
        removed: Iterable[str] = (),
    ) -> bool:
        """Set and remove keys at one moment, if every guarded key is still as given. Says whether it did.

        After an ambiguous answer it is sent again; ``False`` may then mean that the first one did it. The caller looks.
        """
        gone = tuple(removed)

        def write(session: Session) -> bool:
            with self._pool.rados.WriteOpCtx() as op:
                op.new(CREATE_IDEMPOTENT)
                for key, record in guards.items():
                    # An absent key compares as an empty value, and no value is empty.
                    op.omap_cmp(key, "" if record is None else record.text)
                if gone:
                    session.ioctx.remove_omap_keys(op, gone)
                if values:
                    texts = tuple(record.text.encode() for record in values.values())
                    session.ioctx.set_omap(op, tuple(values), texts)
                session.ioctx.operate_write_op(op, OBJECT)
            return True

        try:
            return self._pool.ask(effort, write, safe=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.GUARDED:
                return False
            if failure.trouble is Trouble.NOT_FOUND:
                raise RequestFailed(Trouble.NO_POOL, "the pool has gone") from failure
            raise

    def _read(self, effort: Effort, ask: Callable[[Any, Any], tuple[Any, ...]]) -> list[Omap]:
        """The answers of one read operation. A directory that is not there yet is empty, if its pool is there."""

        def read(session: Session) -> list[Omap]:
            with self._pool.rados.ReadOpCtx() as op:
                answers = ask(session.ioctx, op)
                session.ioctx.operate_read_op(op, OBJECT)
                return [dict(answer) for answer in answers]

        try:
            return self._pool.ask(effort, read, safe=True)
        except RequestFailed as failure:
            if failure.trouble is not Trouble.NOT_FOUND:
                raise
        self._pool.require_pool(effort)
        return [{}, {}]


def published_key(uri: str) -> str:
    """The key of a published object."""
    return PUBLISHED + uri


def loose_key(uri: str, name: str) -> str:
    """The key of something loose."""
    return f"{LOOSE}{uri}/{name}"


def _by_keys(ioctx: Any, op: Any, keys: tuple[str, ...]) -> Any:
    return ioctx.get_omap_vals_by_keys(op, keys)[0]


def _by_prefix(ioctx: Any, op: Any, after: str, prefix: str) -> Any:
    return ioctx.get_omap_vals(op, after, prefix, PAGE)[0]
