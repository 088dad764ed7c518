"""``dog``, the client of Sheepdog, as a process at a location: reads its arguments, does one subcommand, exits.

Exit statuses lie at times (``vdi delete`` ends 0 whatever happened, ``vdi list`` skips what it cannot read and ends 0), and
standard error tells more than they do: both are as in the real one, line by line. Modelled are the subcommands that touch
single VDIs, and a few of ``node`` and ``cluster``; all others raise ``NotModelled``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from storcert.harness.kernel.context import current_location
from storcert.simulators.network.wire import Wire
from storcert.simulators.sheepdog import dog_cluster, dog_data, dog_vdi
from storcert.simulators.sheepdog.dog_arguments import Arguments, Usage, parse
from storcert.simulators.sheepdog.dog_run import Run
from storcert.simulators.sheepdog.requests import Ended, Requests, Thaw
from storcert.simulators.sheepdog.results import Exit
from storcert.simulators.sheepdog.sheep import Sheep

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.commands import RunningCommand

Subcommand = Callable[[Run], Exit]

CLUSTERS_SERVICE = "sheepdog.clusters"
"""The ``dog`` of each cluster that a location reaches, by address and port."""
_SUBCOMMANDS: Mapping[tuple[str, str], Subcommand] = {
    ("vdi", "create"): dog_vdi.create, ("vdi", "snapshot"): dog_vdi.snapshot, ("vdi", "clone"): dog_vdi.clone,
    ("vdi", "delete"): dog_vdi.delete, ("vdi", "rollback"): dog_vdi.rollback, ("vdi", "resize"): dog_vdi.resize,
    ("vdi", "list"): dog_vdi.listing, ("vdi", "read"): dog_data.read, ("vdi", "write"): dog_data.write,
    ("vdi", "check"): dog_data.check, ("vdi", "object"): dog_data.show_objects, ("vdi", "setattr"): dog_data.set_attribute,
    ("vdi", "getattr"): dog_data.get_attribute, ("vdi", "lock"): dog_cluster.lock, ("node", "list"): dog_cluster.node_list,
    ("node", "info"): dog_cluster.node_info, ("cluster", "info"): dog_cluster.cluster_info,
    ("cluster", "format"): dog_cluster.cluster_format,
}
_NEED_AN_ARGUMENT = frozenset(
    name for command, name in _SUBCOMMANDS if command == "vdi" and name != "list")


@lru_cache(maxsize=64)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class Dog:
    """The command ``dog`` of one cluster, for any number of processes."""

    def __init__(self, wire: Wire, sheep: Sheep, thaw: Thaw) -> None:
        self._wire = wire
        self._sheep = sheep
        self._thaw = thaw

    def __call__(self, process: RunningCommand) -> int:
        """Run one process to its exit status."""
        try:
            arguments = parse(process.arguments)
            address, port = self._destination(process, arguments)
            other = self._of_another_cluster(address, port)
            if other is not None:
                return other(process)
            run = Run(process, arguments, Requests(process, self._wire, self._sheep, self._thaw, address, port), self._sheep)
            if arguments.subcommand in _NEED_AN_ARGUMENT and not arguments.rest:
                raise Usage
            return int(_SUBCOMMANDS[arguments.command, arguments.subcommand](run))
        except Usage as wrong:
            for line in wrong.lines:
                process.complain(line.encode("utf-8", "surrogateescape") + b"\n")
            if len(process.arguments) > 2:
                process.write(b"Usage: dog %b %b [options]\n" % process.arguments[1:3])
            return int(Exit.USAGE)
        except Ended as ended:
            return int(ended.status)

    def _of_another_cluster(self, address: str, port: int) -> Dog | None:
        """The ``dog`` of the cluster at that address, where the location reaches it and it is not this one."""
        location = current_location()
        found: Dog | None = None if location is None else location.services.get(CLUSTERS_SERVICE, {}).get((address, port))
        return None if found is self else found

    def _destination(self, process: RunningCommand, arguments: Arguments) -> tuple[str, int]:
        environ, options = process.environ, arguments.options
        address = options["a"].decode() if "a" in options else environ.get("SHEEPDOG_DOG_ADDR", "127.0.0.1")
        port = options["p"].decode() if "p" in options else environ.get("SHEEPDOG_DOG_PORT", "7000")
        if not _is_address(address):
            process.complain(f"Invalid ip address {address}\n".encode())
            raise Ended(Exit.FAILURE)
        if not (port.isdigit() and 0 < int(port) < 65_536):
            raise Usage(f"Invalid port number '{port}'")
        return address, int(port)
