"""What a request to end does to a run on a real device: the first one ends it in order, the second one at once.

In order means: what was decided is told, servers end, mounts and folders go. That takes as long as a driver's call that is
under way, and such a call may wait for a real device for ever; so whoever asks again is obeyed by a thread of its own, which
needs nothing of the thread that waits. What the kernel ends with this process (servers, mounts, workers) ends then too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, NoReturn

INTERRUPTED = 2
ANSWERED = (signal.SIGINT, signal.SIGTERM)
_USUAL = (signal.SIG_DFL, signal.default_int_handler)


@contextmanager
def answered() -> Iterator[None]:
    """Only where signals can be had at all, and only those that nobody else answers: a shell has Ctrl-C ignored by what it runs
    in the background."""
    in_main = threading.current_thread() is threading.main_thread()
    mine = [number for number in ANSWERED if in_main and signal.getsignal(number) in _USUAL]
    if not mine:
        yield
        return
    interrupt = _once()
    before: dict[int, Any] = {number: signal.signal(number, interrupt) for number in mine}
    told, teller = socket.socketpair()
    teller.setblocking(False)
    wakeup = signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(told, mine), name="storcert-interrupts", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        teller.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _once() -> Any:
    """The second request is the watching thread's: an exception in the middle of tidying up would leave things behind."""
    asked: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        asked.append(number)
        if len(asked) == 1:
            raise KeyboardInterrupt

    return interrupt


def _watch(told: socket.socket, mine: Sequence[int]) -> None:
    asked = 0
    with told:
        while numbers := told.recv(64):
            asked += sum(one in mine for one in numbers)
            if asked > 1:
                end_at_once()


def end_at_once() -> NoReturn:
    """No ``finally`` and no exit handler runs."""
    for child in multiprocessing.active_children():
        child.kill()
    print("storcert: asked twice to end: ended at once, nothing was tidied up", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


def end_with_parent() -> None:
    """In a worker: it ends when the process that started it is gone, however that was. Otherwise it would wait for work that
    nobody can send any more."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(INTERRUPTED)

    threading.Thread(target=wait, name="storcert-parent", daemon=True).start()
