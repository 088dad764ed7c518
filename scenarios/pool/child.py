"""A worker in a process of its own, at the other end of a pipe: pickles in, pickles out, and nothing else on that pipe.

A process that is asked by name (``python -c``), and none of ``multiprocessing``: a cluster's worker is often a daemon, which
may have no such children. An interrupt from the keyboard does not reach it; it ends when its parent does.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from typing import IO, Any

from storcert.scenarios.pool.session import Session, Setup, Task

_HEAD = struct.Struct(">Q")
_PROGRAM = "import sys; sys.path[:0] = {path!r}; from storcert.scenarios.pool.child import serve; serve()"


class ChildDied(Exception):
    """The process is gone; what it was doing is not done."""


class TaskFailed(Exception):
    """A task raised something, in words."""


class Child:
    """One worker process. Not for several threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process; 0 where there is none."""
        return 0 if self._process is None else self._process.pid

    def do(self, setup: Setup, task: Task) -> Any:
        """What comes of a task under a setup. Raises :class:`ChildDied`, after which the next task begins in a new process, and
        :class:`TaskFailed`."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        try:
            _write(process.stdin, (setup, task))
            answer = pickle.loads(_read(process.stdout))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            code = self.close()
            raise ChildDied(f"the worker process ended with {code}") from error
        done, value = answer
        if not done:
            raise TaskFailed(value)
        return value

    def close(self) -> int:
        """End the process, whatever it does; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
        return code

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            program = _PROGRAM.format(path=[entry or os.getcwd() for entry in sys.path])
            self._process = subprocess.Popen(  # in a group of its own: an interrupt is for the parent
                [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        return self._process


def serve() -> None:
    """In the child: tasks from standard input until it ends. What anybody prints goes to standard error."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    session = Session()
    while True:
        try:
            data = _read(incoming)
        except (EOFError, OSError):
            break
        try:
            setup, task = pickle.loads(data)
            answer = True, session.do(setup, task)
        except Exception as error:  # noqa: BLE001  (it is told to the parent, who knows what was asked)
            answer = False, f"{type(error).__name__}: {error}"
        try:
            _write(outgoing, answer)
        except OSError:
            break
    session.close()


def _write(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_HEAD.pack(len(data)) + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    size = _HEAD.unpack(head)[0]
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
