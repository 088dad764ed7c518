"""Chance at a location: every source of entropy draws from the location's own named streams.

Covered: the functions of ``random``, ``random.Random()`` and its subclasses seeded with nothing, ``SystemRandom``, ``secrets``,
``os.urandom``, ``os.getrandom``, ``uuid1/4/6/7`` and ``uuid.getnode``, ``ssl.RAND_bytes``, the names ``tempfile`` makes up.
Also what a driver module draws while it is imported (``RNG = random.Random()``), at a location or by the kit while installed.

Not caught: ``_random.Random()`` (the C base class, which no one uses directly), entropy drawn in C by extension modules
(numpy's ``default_rng()``, OpenSSL inside a handshake), the hash seed of strings (so set order), ``id()`` and ``hash()``.
"""

from __future__ import annotations

import os
import random
import sys
import uuid
from collections.abc import Callable
from types import FrameType, MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose import blame
from storcert.harness.kernel.interpose.presence import location_here, on_simulation_thread, running, task_here

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

_MODULE_FUNCTIONS = (
    "seed", "random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle", "choices",
    "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "gauss", "betavariate",
    "binomialvariate", "paretovariate", "weibullvariate", "getstate", "setstate", "getrandbits", "randbytes",
)
_GREGORIAN_TO_UNIX_100NS = 0x01B21DD213814000


def _import_site() -> tuple[str, int] | None:
    """Module and line whose import is running, ``None`` if none is.

    A module is imported once in the life of this process, by whoever comes first, and what it drew stays in it. So an import
    draws from its own line: no stream moves, and the module is the same in every run.
    """
    frame: FrameType | None = sys._getframe(1)
    inner = None
    while frame is not None:
        by_import = frame.f_code.co_filename.startswith("<frozen importlib")
        if by_import and inner is not None and inner.f_code.co_name == "<module>":
            return str(inner.f_globals.get("__name__")), inner.f_lineno
        inner = frame
        frame = frame.f_back
    return None


def _bytes_of_import(size: int) -> bytes | None:
    """Bytes for the import that is running, ``None`` if none is."""
    site = _import_site()
    return None if site is None else random.Random(f"import/{site[0]}/{site[1]}").randbytes(size)


def stream_bytes(location: Location, size: int) -> bytes:
    """``size`` bytes of the location's entropy."""
    found = _bytes_of_import(size)
    return location.stream("entropy").randbytes(size) if found is None else found


def _bytes_of_driver_import(size: int) -> bytes | None:
    """Outside a location: bytes for a driver that is being imported, ``None`` for everyone else."""
    if not on_simulation_thread():
        return None
    site = _import_site()
    if site is None or blame.is_library_module(vars(sys.modules.get(site[0], sys))):
        return None
    return _bytes_of_import(size)


def _function(name: str) -> Callable[[Any], Any]:
    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(*args, **kwargs)
        if name == "seed" and not (args and args[0] is not None) and kwargs.get("a") is None:
            args, kwargs = (int.from_bytes(stream_bytes(location, 16)),), {}
        site = _import_site()
        source = location.stream("random") if site is None else random.Random(f"import/{site[0]}/{site[1]}")
        return getattr(source, name)(*args, **kwargs)

    return lambda original: MethodType(call, original)


def _seed(original: Callable[..., None]) -> Callable[..., None]:
    """``Random.seed``, which the constructor calls too: with nothing given, C would ask the operating system."""

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            location = None if running[0] is None else location_here()
            drawn = _bytes_of_driver_import(16) if location is None else stream_bytes(location, 16)
            a = None if drawn is None else int.from_bytes(drawn)
        original(self, a, version)

    return seed


def _urandom(original: Callable[[int], bytes], size: int, /) -> bytes:
    if running[0] is None or (location := location_here()) is None:
        drawn = _bytes_of_driver_import(size) if size > 0 else None
        return original(size) if drawn is None else drawn
    if size < 0:
        raise ValueError("negative argument not allowed")
    return stream_bytes(location, size)


def _getrandom(original: Callable[..., bytes], size: int, flags: int = 0) -> bytes:
    if running[0] is None or (location := location_here()) is None:
        return original(size, flags)
    return stream_bytes(location, size)


def _node(location: Location) -> int:
    # Hardware does not change when a location restarts: the epoch stays out of it. Multicast bit as RFC 9562 asks.
    return location.kernel.stream(f"node/{location.name}").getrandbits(48) | (1 << 40)


def _getnode(original: Callable[[], int], /) -> int:
    if running[0] is None or (location := location_here()) is None:
        return original()
    return _node(location)


def _time_based(version: int) -> Callable[[Any], Any]:
    """``uuid1`` and ``uuid6``: simulated time; drawn bits where the real ones break ties with a counter of the process."""

    def call(original: Callable[..., uuid.UUID], node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        if running[0] is None or (task := task_here()) is None:
            return original(node, clock_seq)
        location = task.location
        ticks = task.location.wall_ns // 100 + _GREGORIAN_TO_UNIX_100NS
        if clock_seq is None:
            clock_seq = location.stream("entropy").getrandbits(14)
        node = (_node(location) if node is None else node) & (1 << 48) - 1
        if version == 1:
            low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
        else:
            low, middle, high = ticks >> 28 & 0xFFFFFFFF, ticks >> 12 & 0xFFFF, ticks & 0x0FFF
        value = low << 96 | middle << 80 | version << 76 | high << 64 | 0b10 << 62 | (clock_seq & 0x3FFF) << 48 | node
        return uuid.UUID(int=value)

    return lambda original: MethodType(call, original)


def _uuid7(original: Callable[[], uuid.UUID], /) -> uuid.UUID:
    if running[0] is None or (task := task_here()) is None:
        return original()
    drawn = task.location.stream("entropy").getrandbits(74)
    millis = task.location.wall_ns // 1_000_000
    value = (millis & (1 << 48) - 1) << 80 | 7 << 76 | drawn >> 62 << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    return uuid.UUID(int=value)


_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def _next_name(original: Callable[[Any], str]) -> Callable[[Any], str]:
    """The names ``tempfile`` makes up: its own generator outlives a world."""

    def __next__(self: Any) -> str:
        if running[0] is None or (location := location_here()) is None:
            return original(self)
        return "".join(location.stream("tempfile").choices(_NAME_LETTERS, k=8))

    return __next__


def install(interposition: Interposition) -> None:
    """Replace the sources of chance."""
    import tempfile

    replace = interposition.replace
    for name in _MODULE_FUNCTIONS:
        replace(random, name, _function(name))
    replace(random.Random, "seed", _seed)
    replace(os, "urandom", lambda original: MethodType(_urandom, original))
    replace(os, "getrandom", lambda original: MethodType(_getrandom, original))
    ssl = sys.modules.get("ssl")
    if ssl is not None:
        replace(ssl, "RAND_bytes", lambda original: MethodType(_urandom, original))
    replace(uuid, "uuid1", _time_based(1))
    replace(uuid, "uuid6", _time_based(6))
    replace(uuid, "uuid7", lambda original: MethodType(_uuid7, original))
    replace(uuid, "getnode", lambda original: MethodType(_getnode, original))
    replace(tempfile._RandomNameSequence, "__next__", _next_name)  # type: ignore[attr-defined]
