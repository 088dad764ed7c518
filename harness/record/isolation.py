"""How the processes that ran driver code were held, as the run record tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessIsolation:
    """``mechanism``: ``landlock``; ``version``: of what this kernel offers. ``readable``: what could be read, in words;
    ``writable``: the declared mount, or nothing. ``watched``: what native code tried and was refused is told by its path;
    otherwise only what an exception of the driver carries is.
    """

    mechanism: str
    version: int
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    watched: bool = False
