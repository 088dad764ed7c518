"""Hypothesis draws from storcert's own streams: a Hypothesis backend whose every choice comes from one seeded stream.

Hypothesis' own generator mixes in constants that it finds in the loaded source files, so its draws differ between an
installed and an editable copy. Here a draw depends on the seed and on the strategy alone; shrinking is Hypothesis' own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.internal.conjecture import engine
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider, PrimitiveProvider
from hypothesis.strategies import SearchStrategy

BACKEND = "storcert"
# They judge a test suite by the clock on the wall; here a draw is a draw.
_NO_HEALTH_CHECKS = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.too_slow,
)
_stream: list[random.Random] = [random.Random(0)]
_BOUNDARY_CHANCE = 0.15


class StreamProvider(PrimitiveProvider):
    """Every primitive choice from the current stream; integers lean towards the ends of their range."""

    lifetime = "test_case"

    def draw_boolean(self, p: float = 0.5) -> bool:
        """``True`` with probability ``p``."""
        return False if p <= 0 else True if p >= 1 else _stream[0].random() < p

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        """Uniform in the range, its ends more often."""
        low = min_value if min_value is not None else (max_value if max_value is not None else 0) - (1 << 16)
        high = max_value if max_value is not None else low + (1 << 17)
        stream = _stream[0]
        if weights:
            keys = sorted(weights)
            mark = stream.random()
            for key in keys:
                mark -= weights[key]
                if mark < 0:
                    return key
        if high - low > 16 and stream.random() < _BOUNDARY_CHANCE:
            return (low, low + 1, high - 1, high)[stream.randrange(4)]
        return stream.randint(low, high)

    def draw_float(
        self,
        *,
        min_value: float = -math.inf,
        max_value: float = math.inf,
        allow_nan: bool = True,
        smallest_nonzero_magnitude: float,
    ) -> float:
        """Uniform in the range, cut to a million either way."""
        low, high = max(min_value, -1e6), min(max_value, 1e6)
        return low + (high - low) * _stream[0].random()

    def draw_string(self, intervals: Any, *, min_size: int = 0, max_size: int = 1 << 16) -> str:
        """Characters uniformly from the alphabet, at most 40 more than asked for."""
        stream = _stream[0]
        if len(intervals) == 0:
            return ""
        size = stream.randint(min_size, min(max_size, min_size + 40))
        return "".join(chr(intervals[stream.randrange(len(intervals))]) for _ in range(size))

    def draw_bytes(self, min_size: int = 0, max_size: int = 1 << 16) -> bytes:
        """Random bytes, at most 40 more than asked for."""
        stream = _stream[0]
        return stream.randbytes(stream.randint(min_size, min(max_size, min_size + 40)))


class PlainHypothesisProvider(HypothesisProvider):
    """Hypothesis' own source of choices, which shrinking draws from, without constants of the source files around."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


AVAILABLE_PROVIDERS[BACKEND] = StreamProvider


class _Falsified(Exception):
    """The run under test failed; what it raised is kept beside."""


@contextmanager
def drawing_from(stream: random.Random) -> Iterator[None]:
    """Let the backend draw from ``stream`` inside the block."""
    before, _stream[0] = _stream[0], stream
    shrinking = vars(engine)["HypothesisProvider"]
    setattr(engine, "HypothesisProvider", PlainHypothesisProvider)  # noqa: B010  (a name the engine does not export)
    try:
        yield
    finally:
        _stream[0] = before
        setattr(engine, "HypothesisProvider", shrinking)  # noqa: B010


def search(strategy: SearchStrategy[Any], run: Callable[[Any], None], stream: random.Random, examples: int) -> None:
    """Run ``run`` on ``examples`` draws and shrink the first failure; what ``run`` raised last is raised again."""

    @hypothesis.seed(0)
    @settings(
        backend=BACKEND,
        database=None,
        deadline=None,
        max_examples=examples,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=_NO_HEALTH_CHECKS,
        verbosity=Verbosity.quiet,
        print_blob=False,
    )
    @hypothesis.given(strategy)
    def test(drawn: Any) -> None:
        failed = False
        try:
            run(drawn)
        except AssertionError as error:
            last[:], failed = [error], True
        # One place and one type for every failure, and nothing chained to it: Hypothesis tells failures apart, and orders
        # them, by the file names in their tracebacks, which differ between an installed and an editable copy.
        if failed:
            raise _Falsified

    last: list[AssertionError] = []
    with drawing_from(stream):
        try:
            test()
        except _Falsified:
            pass
    if last:
        raise last[0]
