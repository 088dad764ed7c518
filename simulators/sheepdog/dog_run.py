"""One run of a subcommand: its options, its streams, and what all subcommands print alike. No subcommand is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storcert.simulators.device import NotModelled
from storcert.simulators.sheepdog.dog_arguments import Arguments, Usage
from storcert.simulators.sheepdog.requests import Ended, Requests, Unreachable
from storcert.simulators.sheepdog.results import TEXTS, Exit, Refused, Result
from storcert.simulators.sheepdog.sheep import Sheep, View
from storcert.simulators.sheepdog.vdis import cut

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.commands import RunningCommand


class Run:
    """``requests``: the way to the cluster. ``raw``, ``verbose``: as asked for. ``snap_id``, ``tag``: what ``-s`` named."""

    def __init__(self, process: RunningCommand, arguments: Arguments, requests: Requests, sheep: Sheep) -> None:
        self.process = process
        self.requests = requests
        self.sheep = sheep
        self.options = arguments.options
        self.rest = arguments.rest
        self.raw = "r" in arguments.options
        self.verbose = "v" in arguments.options
        self.snap_id, self.tag = 0, b""
        if "s" in arguments.options:
            self._read_snapshot(arguments.options["s"])
        if "h" in arguments.options or "T" in arguments.options:
            raise NotModelled("the help of dog, or its stopwatch")

    def _read_snapshot(self, word: bytes) -> None:
        """A number is an id, anything else a tag."""
        digits = word.removeprefix(b"-").removeprefix(b"+").strip()
        if not digits.isdigit():
            self.tag = cut(word)
            return
        self.snap_id = int(word)
        if self.snap_id == 0:
            self.say("The snapshot id must be larger than zero")
            raise Ended(Exit.FAILURE)

    @property
    def name(self) -> bytes:
        """The VDI that is meant, cut to what fits into an inode."""
        return cut(self.rest[0])

    def argument(self, place: int, missing: str) -> bytes:
        """A word that must be there; ``missing`` is what dog says where it is not."""
        if len(self.rest) <= place:
            raise Usage(missing)
        return self.rest[place]

    def write(self, data: bytes) -> None:
        """To standard output."""
        self.process.write(data)

    def say(self, line: str | bytes) -> None:
        """One line to standard error."""
        self.requests.say(line)

    def open(self, name: bytes, snap_id: int, tag: bytes, indexes: range | None) -> View:
        """The inode, or dog's complaint and exit status 1."""
        try:
            return self.requests.look_up(name, snap_id, tag, indexes)
        except Refused as refused:
            self.not_opened(name, snap_id, tag, refused.result)
        except Unreachable:
            self.not_opened(name, snap_id, tag, Result.EIO)
        raise Ended(Exit.FAILURE)

    def not_opened(self, name: bytes, snap_id: int, tag: bytes, result: Result) -> None:
        """The complaint alone."""
        self.say(b"Failed to open VDI %b (snapshot id: %d snapshot tag: %b): %b" % (
            name, snap_id, tag, TEXTS[result].encode()))

    def object_failed(self, verb: str, owner: int, index: int, trouble: Refused | Unreachable) -> None:
        """What dog says of an object it could not read or write."""
        oid = f"{owner << 32 | index:016x}"
        if isinstance(trouble, Unreachable):
            self.say(f"Failed to {verb} object {oid}")
        else:
            colon = "" if verb == "read" else ":"
            self.say(f"Failed to {verb} object {oid}{colon} {trouble}")
