"""One deadline over everything that is asked of a driver's server or device before the first check, however many steps it has.

What counts is the time that was waited, not what the kit did in between: a server that is slow to connect, slow to say who it
is and slow to answer has used up its few seconds all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storcert.conformance.usage import InvalidUsage

#: Start-up included, which is a second of work, the answer comes within five seconds.
LIMIT_S = 3.5
LEAST_S = 0.2
"""A step always gets so long: nobody is called unreachable unasked."""
_left_s = [LIMIT_S]


def begin() -> None:
    """A first contact begins."""
    _left_s[0] = LIMIT_S


@contextmanager
def step(at_most_s: float | None = None) -> Iterator[float]:
    """One step of it: gives the seconds that it has, and counts those that it took."""
    begun_s = time.monotonic()
    try:
        yield max(LEAST_S, min(_left_s[0] if at_most_s is None else at_most_s, _left_s[0]))
    finally:
        _left_s[0] -= time.monotonic() - begun_s


def within_reach(look: Callable[[], None], what: str) -> None:
    """The last step: run ``look`` for as long as is left, and no longer. Raises :class:`InvalidUsage` after that; errors of
    ``look`` pass."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            look()
            ended.append(None)
        except BaseException as error:  # noqa: BLE001  (handed to the waiting thread below, whatever it is)
            ended.append(error)

    # A daemon: a client that hangs in its own retries must not keep the program from ending.
    thread = threading.Thread(target=run, daemon=True)
    with step() as within_s:
        thread.start()
        thread.join(within_s)
    begin()
    if not ended:
        raise InvalidUsage(f"{what} did not answer within {LIMIT_S:g} s; is it running, and is the configuration right?")
    if ended[0] is not None:
        raise ended[0]
