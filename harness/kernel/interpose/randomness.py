"""Chance at a location: every source of entropy draws from the location's own named streams.

Covered: the functions of ``random``, ``random.Random()`` and its subclasses seeded with nothing, ``SystemRandom``, ``secrets``,
``os.urandom``, ``os.getrandom``, ``uuid1/4/6/7`` and ``uuid.getnode``, ``ssl.RAND_bytes``, the names ``tempfile`` makes up.

Not caught: ``_random.Random()`` (the C base class, which no one uses directly), entropy drawn in C by extension modules
(numpy's ``default_rng()``, OpenSSL inside a handshake), the hash seed of strings (so set order), ``id()`` and ``hash()``.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.presence import location_here, running, task_here

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

_MODULE_FUNCTIONS = (
    "seed", "random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle", "choices",
    "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "gauss", "betavariate",
    "binomialvariate", "paretovariate", "weibullvariate", "getstate", "setstate", "getrandbits", "randbytes",
)
_GREGORIAN_TO_UNIX_100NS = 0x01B21DD213814000


def stream_bytes(location: Location, size: int) -> bytes:
    """``size`` bytes of the location's entropy."""
    return location.stream("entropy").randbytes(size)


def _function(name: str) -> Callable[[Any], Any]:
    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(*args, **kwargs)
        if name == "seed" and not (args and args[0] is not None) and kwargs.get("a") is None:
            args, kwargs = (int.from_bytes(stream_bytes(location, 16)),), {}
        return getattr(location.stream("random"), name)(*args, **kwargs)

    return lambda original: MethodType(call, original)


def _seed(original: Callable[..., None]) -> Callable[..., None]:
    """``Random.seed``, which the constructor calls too: with nothing given, C would ask the operating system."""

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None and running[0] is not None and (location := location_here()) is not None:
            a = int.from_bytes(stream_bytes(location, 16))
        original(self, a, version)

    return seed


def _urandom(original: Callable[[int], bytes], size: int, /) -> bytes:
    if running[0] is None or (location := location_here()) is None:
        return original(size)
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
        ticks = task.location.kernel.now_ns // 100 + _GREGORIAN_TO_UNIX_100NS
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
    millis = task.location.kernel.now_ns // 1_000_000
    value = (millis & (1 << 48) - 1) << 80 | 7 << 76 | drawn >> 62 << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    return uuid.UUID(int=value)


class _Names:
    """Endless file names of ``tempfile``'s shape, drawn where they are asked for and remembered nowhere."""

    _LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        location = location_here()
        source = random if location is None else location.stream("tempfile")
        return "".join(source.choices(self._LETTERS, k=8))


def _candidate_names(original: Callable[[], Any], /) -> Any:
    return original() if running[0] is None or task_here() is None else _Names()


def install(interposition: Interposition) -> None:
    """Replace the sources of chance. ``tempfile`` and ``ssl`` are imported here: both are cheap and easily loaded later."""
    import ssl
    import tempfile

    replace = interposition.replace
    for name in _MODULE_FUNCTIONS:
        replace(random, name, _function(name))
    replace(random.Random, "seed", _seed)
    replace(os, "urandom", lambda original: MethodType(_urandom, original))
    replace(os, "getrandom", lambda original: MethodType(_getrandom, original))
    replace(ssl, "RAND_bytes", lambda original: MethodType(_urandom, original))
    replace(uuid, "uuid1", _time_based(1))
    replace(uuid, "uuid6", _time_based(6))
    replace(uuid, "uuid7", lambda original: MethodType(_uuid7, original))
    replace(uuid, "getnode", lambda original: MethodType(_getnode, original))
    replace(tempfile, "_get_candidate_names", lambda original: MethodType(_candidate_names, original))
