"""The nodes of the cluster: who is alive, which epoch it is, whether it serves. No VDI is known here.

Source: sheep's request gate and what three nodes on loopback did. With ``strict`` a cluster of fewer nodes than copies
refuses writes (HALT); otherwise one node is enough. After a stop of all nodes nothing is served until all of the last epoch
are back.
"""

from __future__ import annotations

from storcert.simulators.sheepdog.options import SheepdogOptions
from storcert.simulators.sheepdog.results import Refused, Result


class Flock:
    """``alive``: how many of ``nodes`` are up. ``epochs``: when each began, and with how many nodes."""

    def __init__(self, options: SheepdogOptions, now_s: int) -> None:
        self.nodes = options.nodes
        self.alive = options.nodes
        self.copies = options.copies
        self.strict = options.strict
        self.use_locks = options.use_locks
        self.block_size_shift = options.block_size_shift
        self.created_s = now_s if options.formatted else 0
        self.waiting_for_nodes = False
        self.epochs: list[tuple[int, int]] = [(now_s, options.nodes)] if options.formatted else []
        self.no_quorum = False

    @property
    def halted(self) -> bool:
        """Whether writes are refused."""
        return self.no_quorum or (self.strict and self.alive < self.copies)

    def status(self) -> Result:
        """What the cluster says of itself."""
        if not self.created_s:
            return Result.WAIT_FOR_FORMAT
        return Result.WAIT_FOR_JOIN if self.waiting_for_nodes else Result.SUCCESS

    def require_serving(self) -> None:
        """Raises what every request but a few is answered with where the cluster does not serve."""
        status = self.status()
        if status is not Result.SUCCESS:
            raise Refused(status)

    def lose_node(self, now_s: int) -> None:
        """One node dies; the last one never does."""
        if self.alive > 1:
            self.alive -= 1
            self.epochs.append((now_s, self.alive))

    def rejoin(self, now_s: int) -> None:
        """All nodes are back."""
        self.waiting_for_nodes = self.no_quorum = False
        if self.alive < self.nodes:
            self.alive = self.nodes
            self.epochs.append((now_s, self.alive))

    def format(self, now_s: int, *, copies: int, strict: bool, use_locks: bool, block_size_shift: int) -> None:
        """A new, empty cluster of the nodes that are alive."""
        self.copies, self.strict, self.use_locks, self.block_size_shift = copies, strict, use_locks, block_size_shift
        self.created_s = now_s
        self.epochs = [(now_s, self.alive)]
