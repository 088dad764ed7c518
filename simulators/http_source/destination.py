"""Where a simulated web server takes bodies, as data: what is stored under a URL, and how well or badly. Values only; what a
request does to them stands in ``receiving``.
"""

from __future__ import annotations

from dataclasses import dataclass

from storcert.simulators.extents import Extents


@dataclass(slots=True)
class Destination:
    """A URL that bodies can be sent to. The defaults are a good server's: PUT stores the body whole or not at all, replaces
    what was there, and GET gives it back.

    ``methods``: those that store. ``status``: of a success, for a body that is new; ``replaced_status``: for one that took
    another's place. ``once``: what is there stays, 409. ``refused``: this status to every body instead (403 as for a
    signature that ran out, 405, 507 ...). ``size_max_bytes``: a larger one is refused, 413; ``room_bytes``: or there is no
    room for it, 507. ``needs_length``: a body in chunks is refused, 411. ``readable``: whether GET and HEAD give back what is
    stored, else they are refused, 403, as to a URL that is signed for writing alone. ``user`` and ``password``: basic
    authentication. ``moved_to``: 307 with that Location: the body is to be sent there. ``keeps_bytes``: a careless one: it
    keeps no more than so many bytes of a body and says that all is well.

    ``stored``: what it holds now, or ``None``. ``received``: how many bodies it stored so far.
    """

    methods: tuple[str, ...] = ("PUT",)
    status: int = 201
    replaced_status: int = 204
    once: bool = False
    refused: int = 0
    size_max_bytes: int | None = None
    room_bytes: int | None = None
    needs_length: bool = False
    readable: bool = True
    user: str = ""
    password: str = ""
    moved_to: str = ""
    keeps_bytes: int | None = None
    stored: Extents | None = None
    received: int = 0
