"""One pool as the RBD driver sees it: its configuration, its connection, one way to make calls with bounded effort.

librados and librbd wait for ever by default. The connection made here has limits, so that a call of the library fails
with a timeout instead; only the driver knows which calls may be made twice and how much one call of its own may cost in all
(C-BUDGET). Nothing the device answered is kept here. A connection is one client of the cluster: when the cluster has shut
that client out, the next call makes a new one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from storcert.harness.contract import DataObjectUri, InvalidRequest, JsonValue
from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble, classify

T = TypeVar("T")

TIB = 1024**4
LIMITS = {
    # Without these a call to a pool that is full or an OSD that is frozen never returns.
    "rados_osd_op_timeout": "20",
    "rados_mon_op_timeout": "20",
    "client_mount_timeout": "20",
    # Clones that need no protected snapshot, so that a parent can be deleted before its children.
    "rbd_default_clone_format": "2",
}


class Effort:
    """What one call of the driver may still spend: retries in a row, retries in all, waiting for others, and time."""

    def __init__(
        self, retries: int = 4, retries_in_all: int = 30, seconds: float = 300.0, patience_s: float = 45.0
    ) -> None:
        self._retries = retries
        self._left_in_all = retries_in_all
        self._in_a_row = 0
        self._patience_s = patience_s
        self._ends = time.monotonic() + seconds
        self.in_doubt = False  # a call was made again after an answer that left its effect open

    @classmethod
    def closing(cls) -> Effort:
        """For finding out what happened and for cleaning up, when the main effort may be spent."""
        return cls(retries=2, retries_in_all=6, seconds=60.0)

    def progressed(self) -> None:
        """One step of many is done: the next one starts with fresh patience, but the same time and total."""
        self._in_a_row = 0

    def expired(self) -> bool:
        """Whether the time is spent."""
        return time.monotonic() >= self._ends

    def again(self) -> bool:
        """Wait a little longer each time, then whether one more attempt may be made."""
        if self._in_a_row >= self._retries or self._left_in_all <= 0 or self.expired():
            return False
        delay_s = min(0.05 * 2.0**self._in_a_row, 5.0)
        self._in_a_row += 1
        self._left_in_all -= 1
        time.sleep(delay_s * (0.5 + random.random() / 2))
        return True

    def wait_for_others(self) -> bool:
        """Wait for somebody to let go of an image, then whether to look again. A dead client is a watcher for 30 s."""
        if self._patience_s <= 0 or self.expired():
            return False
        # Not a fixed time: two that wait for each other would meet again and again.
        delay_s = 1.0 + 3.0 * random.random()
        self._patience_s -= delay_s
        time.sleep(delay_s)
        return True


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked configuration."""

    pool: str
    conf: str = "/etc/ceph/ceph.conf"
    user: str = "admin"
    max_object_size_bytes: int = 64 * TIB

    @classmethod
    def parse(cls, configuration: Mapping[str, JsonValue]) -> Settings:
        """Raises ``InvalidRequest`` naming the key that is unknown, missing or wrong; never a value."""
        if not isinstance(configuration, Mapping):
            raise InvalidRequest("the configuration of the rbd driver is a mapping")
        known = cls.__dataclass_fields__
        unknown = sorted(str(key) for key in configuration if key not in known)
        if unknown:
            raise InvalidRequest(
                f"rbd has no configuration key {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        for key, value in configuration.items():
            expected = int if known[key].type == "int" else str
            if not isinstance(value, expected) or isinstance(value, bool):
                raise InvalidRequest(
                    f"configuration key {key} of rbd must be {expected.__name__}, not {type(value).__name__}"
                )
        if not configuration.get("pool"):
            raise InvalidRequest("rbd needs the configuration key pool")
        settings = cls(**configuration)
        if not 0 <= settings.max_object_size_bytes <= 64 * TIB:
            # Larger images work, but to look through the object map of one can take longer than a call may.
            raise InvalidRequest("configuration key max_object_size_bytes of rbd must be from 0 to 64 TiB")
        return settings


class Session:
    """One client of the cluster: connected, with the pool open."""

    def __init__(self, rados: Any, settings: Settings) -> None:
        self.cluster = rados.Rados(conffile=settings.conf, rados_id=settings.user, conf=dict(LIMITS))
        self.cluster.connect()
        try:
            self.ioctx = self.cluster.open_ioctx(settings.pool)
        except rados.ObjectNotFound:
            self.cluster.shutdown()
            raise RequestFailed(Trouble.NO_POOL, f"pool {settings.pool!r} does not exist") from None
        # In a full pool: be told so at once, and remove things all the same, rather than wait for room.
        self.ioctx.set_osdmap_full_try()


class Pool:
    """The connection and the pool it talks to. Holds the connection, never an answer (C-STATELESS)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            # Here and not above: they are Debian's python3-rados and python3-rbd, not packages of PyPI.
            import rados  # pyright: ignore[reportMissingImports]
            import rbd  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise InvalidRequest(
                f"the rbd driver needs the Python modules rados and rbd ({error}); install the packages python3-rados and "
                "python3-rbd of your distribution or of Ceph, for the Python that runs this"
            ) from error
        self.rados: Any = rados
        self.rbd: Any = rbd
        self.foreign: tuple[type[Exception], ...] = (rados.Error, rbd.Error)
        self._session: Session | None = None

    def ask(self, effort: Effort, call: Callable[[Session], T], *, safe: bool = False) -> T:
        """Make one call of the library and return its answer. ``safe``: it may be made again after an ambiguous answer.

        Raises :class:`RequestFailed`.
        """
        while True:
            if effort.expired():
                raise RequestFailed(Trouble.UNREACHED, "the call took too long")
            session = None
            try:
                session = self._connected()
                return call(session)
            except self.foreign as error:
                failure = classify(error)
                if session is None:
                    failure = _not_connected(failure)
            if failure.trouble is Trouble.CUT_OFF and session is self._session:
                self._session = None
            repeatable = failure.trouble is Trouble.UNREACHED or (safe and failure.ambiguous)
            if not (repeatable and effort.again()):
                raise failure
            effort.in_doubt = effort.in_doubt or failure.ambiguous

    def _connected(self) -> Session:
        session = self._session
        if session is None:
            made = Session(self.rados, self.settings)
            if self._session is not None:  # another call of this instance was faster
                made.cluster.shutdown()
                return self._session
            session = self._session = made
        return session

    def require_pool(self, effort: Effort) -> None:
        """Raise :class:`RequestFailed` where the pool is absent: an absent directory may mean either."""
        if not self.ask(effort, lambda session: session.cluster.pool_exists(self.settings.pool), safe=True):
            raise RequestFailed(Trouble.NO_POOL, f"pool {self.settings.pool!r} does not exist")


def name_of(uri: object) -> str:
    """The text form of ``uri``: percent-encoded, so that no two names ever meet (C-NAMES)."""
    if not isinstance(uri, DataObjectUri):
        raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
    return str(uri)


def _not_connected(failure: RequestFailed) -> RequestFailed:
    """What a failed connect says: nothing was done, whatever the number."""
    if failure.trouble is Trouble.DENIED:
        return failure
    return RequestFailed(Trouble.UNREACHED, failure.text)
