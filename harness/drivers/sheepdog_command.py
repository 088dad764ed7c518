"""Running ``dog``: one process per question, bounded in time, and what is to be made of how it ended.

dog itself never gives up: it asks a silent cluster for ever, so every run has a time limit and is killed after it. Its exit
status is not to be trusted (``vdi delete`` always ends 0, ``vdi list`` too when it could not read all): anything on standard
error is a failure. Whether a failed command had an effect is told by :attr:`Failed.ambiguous`.
"""

from __future__ import annotations

import random
import subprocess
import time
from enum import Enum

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    StorageError,
)

COMMAND_SECONDS = 30.0


class Trouble(Enum):
    """What dog's complaint means."""

    ABSENT = "no such VDI"
    NO_TAG = "no such snapshot"
    TAKEN = "the name is taken"
    BEYOND = "past the end"
    FULL = "the cluster is full"
    REFUSED = "the cluster refuses writes"
    LARGER = "the VDI is larger"
    UNREACHED = "no connection"
    BROKEN = "no answer"
    SILENT = "no answer in time"
    ODD = "something else"


#: In this order: the first that is found counts.
_TEXTS = (
    ("failed to read a response", Trouble.BROKEN),
    ("failed to connect", Trouble.UNREACHED),
    ("has no space", Trouble.FULL),
    ("IO has halted", Trouble.REFUSED),
    ("Failed to write to", Trouble.REFUSED),
    ("VDI exists already", Trouble.TAKEN),
    ("is existed", Trouble.TAKEN),
    ("No VDI found", Trouble.ABSENT),
    ("Failed to find requested tag", Trouble.NO_TAG),
    ("beyond the end", Trouble.BEYOND),
    ("Shrinking VDIs", Trouble.LARGER),
    ("Waiting for", Trouble.UNREACHED),
)
AMBIGUOUS = frozenset({Trouble.BROKEN, Trouble.SILENT, Trouble.ODD})
#: What may go by itself; the rest is an answer.
PASSING = AMBIGUOUS | {Trouble.UNREACHED}


class Failed(Exception):
    """A run of dog did not do what it was asked for."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = text

    @property
    def ambiguous(self) -> bool:
        """Whether it may have had its effect, or part of it."""
        return self.trouble in AMBIGUOUS

    def typed(self, uri: DataObjectUri | None, outcome: Outcome | None = None) -> StorageError:
        """The contract's error. ``outcome``: where the caller knows better than this one run."""
        if outcome is None:
            outcome = Outcome.UNKNOWN if self.ambiguous else Outcome.NOT_DONE
        if self.trouble is Trouble.FULL:
            return CapacityExceeded(self.text, uri, outcome)
        if self.trouble in (Trouble.ABSENT, Trouble.NO_TAG):
            return ObjectNotFound(self.text, uri, outcome)
        if self.trouble is Trouble.TAKEN:
            return ObjectExists(self.text, uri, outcome)
        if self.trouble is Trouble.LARGER:
            return ObjectInUse(self.text, uri, outcome)
        return DeviceUnavailable(self.text, uri, outcome)


class Effort:
    """What one call of the driver may still spend: retries in a row, retries in all, and time."""

    def __init__(self, retries: int = 4, retries_in_all: int = 20, seconds: float = 300.0) -> None:
        self._retries = retries
        self._left_in_all = retries_in_all
        self._in_a_row = 0
        self._ends = time.monotonic() + seconds
        self.in_doubt = False  # a command was run again after an end that left its effect open

    @classmethod
    def closing(cls) -> Effort:
        """For finding out what happened and for cleaning up, when the main effort may be spent."""
        return cls(retries=3, retries_in_all=6, seconds=90.0)

    def progressed(self) -> None:
        """One step of many is done: the next one starts with fresh patience, but the same time and total."""
        self._in_a_row = 0

    def check(self) -> None:
        """Raise :class:`Failed`, without any effect of its own, where the time is spent."""
        if time.monotonic() >= self._ends:
            raise Failed(Trouble.UNREACHED, "the call took too long")

    def again(self) -> bool:
        """Wait a little longer each time, then whether one more attempt may be made."""
        if self._in_a_row >= self._retries or self._left_in_all <= 0 or time.monotonic() >= self._ends:
            return False
        delay_s = min(0.2 * 2.0**self._in_a_row, 5.0)
        self._in_a_row += 1
        self._left_in_all -= 1
        time.sleep(delay_s * (0.5 + random.random() / 2))
        return True


class Dog:
    """The command with the way to its cluster. Keeps nothing."""

    def __init__(self, address: str, port: int) -> None:
        self._where = ("-a", address, "-p", str(port))

    def run(self, *words: str, data: bytes | None = None) -> bytes:
        """One run; gives its output. Raises :class:`Failed`."""
        command = ["dog", *words[:2], *self._where, *words[2:]]
        try:
            done = subprocess.run(
                command,
                input=data,
                stdin=subprocess.DEVNULL if data is None else None,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(Trouble.SILENT, f"dog {words[0]} {words[1]} did not end in {COMMAND_SECONDS:.0f} s") from None
        except OSError as error:
            raise Failed(Trouble.UNREACHED, f"dog cannot be run: {error}") from error
        if done.returncode or done.stderr:
            raise self._failure(words, done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout

    def _failure(self, words: tuple[str, ...], status: int, complaint: str) -> Failed:
        text = f"dog {words[0]} {words[1]}: {' '.join(complaint.split()) or f'exit status {status}'}"
        trouble = next((trouble for text, trouble in _TEXTS if text in complaint), Trouble.ODD)
        return Failed(trouble, text)

    def repeated(self, effort: Effort, *words: str, data: bytes | None = None, late: bool = True) -> bytes:
        """One run, again while its trouble may pass: for what may be done twice. ``late``: and may still happen long after
        it was given up. Raises :class:`Failed`."""
        while True:
            effort.check()
            try:
                return self.run(*words, data=data)
            except Failed as failure:
                if failure.trouble not in PASSING or (failure.trouble is Trouble.SILENT and not late) or not effort.again():
                    raise
                effort.in_doubt = effort.in_doubt or failure.ambiguous
