"""A virtual machine as storage sees it: somebody at a host who writes blocks to an attached volume and flushes now and then.

Every block it writes carries its own number, so whatever is read later tells which writes are in it. It goes on until it is
stopped; an error ends its writing and is told when it is stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.agent.ports import Machine
from storcert.harness.contract import StorageError, VolumeHandle

BLOCK_BYTES = 4096
_PAUSE_NS = 50_000_000
_FLUSH_EVERY = 8
_STOP_POLL_NS = 10_000_000


class VirtualMachine:
    """``volume``: text of its URI; ``handle``: open on it."""

    def __init__(self, machine: Machine, volume: str, handle: VolumeHandle, size_bytes: int) -> None:
        self._machine = machine
        self.volume = volume
        self._handle = handle
        self._size_bytes = size_bytes
        self._written = 0
        self._error: StorageError | None = None
        self._stopping = False
        self._writing = False

    def start(self, io: Mapping[str, Any] | None) -> None:
        """Begin to write; ``io`` may say ``pause_ns`` between writes, ``block_bytes`` and ``flush_every``. Without ``io``, or
        where there is no room for a block, nothing is written."""
        if io is None or self._size_bytes < int(io.get("block_bytes", BLOCK_BYTES)):
            return
        self._machine.spawn(f"virtual machine on {self.volume}", lambda: self._write(dict(io)))

    def _write(self, io: Mapping[str, Any]) -> None:
        block_bytes, pause_ns = int(io.get("block_bytes", BLOCK_BYTES)), int(io.get("pause_ns", _PAUSE_NS))
        flush_every = int(io.get("flush_every", _FLUSH_EVERY))
        chance = self._machine.stream(f"virtual-machine/{self.volume}/{self._machine.clock_ns()}")
        while self._write_once(chance.randrange(self._size_bytes // block_bytes) * block_bytes, block_bytes, flush_every):
            self._machine.sleep_ns(self._machine.pace_ns(pause_ns))

    def _write_once(self, place: int, block_bytes: int, flush_every: int) -> bool:
        """Write a block; whether to go on."""
        self._writing = True  # said first: whoever stops it says that first, and then looks whether it writes
        try:
            if self._stopping:
                return False
            self._handle.pwrite(place, self._block(block_bytes))
            self._written += 1
            if self._written % flush_every == 0:
                self._handle.flush()
        except StorageError as error:
            self._error = error
        finally:
            self._writing = False
        return self._error is None

    def _block(self, block_bytes: int) -> bytes:
        number = f"{self._machine.boot}/{self.volume}/{self._written}/".encode()
        return (number * (block_bytes // len(number) + 1))[:block_bytes]

    def stop(self) -> dict[str, Any]:
        """Flush and close: how many blocks were written, and the error that ended the writing, if one did."""
        self._stopping = True
        while self._writing:
            self._machine.sleep_ns(_STOP_POLL_NS)
        try:
            self._handle.flush()
        except StorageError as error:
            self._error = self._error or error
        self._handle.close()
        return {"written": self._written, "error": None if self._error is None else self._error.to_json()}
