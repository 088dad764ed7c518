"""Commands that a simulated device stands for: ``subprocess`` at a location, answered by a Python function in virtual time.

A device offers a command as a service of the location, ``command:<name>``: a function that is given a
:class:`RunningCommand` and returns the exit status. It runs as a task of its own at the location, so it dies with it, and a
killed process stops where it waits: what it had done stays done, nothing of it runs any more.

All of ``Popen``, ``run``, ``call``, ``check_output`` works with pipes, text and bytes, ``input`` and ``timeout``; a shell,
files as standard streams and every command nobody stands for are refused by :mod:`.unsimulated`. No device is known here.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.context import current_task
from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.harness.kernel.interpose.pipes import Pipe, PipeReader, PipeWriter, opened
from storcert.harness.kernel.interpose.presence import location_here, running

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

SERVICE = "command:"
FOLDER = "/usr/bin"
_FOLDERS = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin")
_DEFAULT_ENCODING = "utf-8"
_SECOND_NS = 10**9
_WITHOUT_EFFECT = frozenset({0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH})

Command = Callable[["RunningCommand"], int]


class RunningCommand:
    """What a command sees of the world. ``arguments``: bytes, its own name first; ``environ``: as it was given."""

    __slots__ = ("_errors", "_input", "_output", "arguments", "environ", "location", "pid")

    def __init__(
        self, location: Location, arguments: tuple[bytes, ...], environ: Mapping[str, str], pid: int, pipes: _Pipes
    ) -> None:
        self.location = location
        self.arguments = arguments
        self.environ = environ
        self.pid = pid
        self._input, self._output, self._errors = pipes

    def read(self, size: int) -> bytes:
        """``size`` bytes of standard input, fewer only at its end. Waits in virtual time."""
        return b"" if self._input is None else self._input.read_full(size)

    def write(self, data: bytes) -> None:
        """To standard output. ``BrokenPipeError`` where nobody reads it any more: the process then ends as by SIGPIPE."""
        if self._output is not None:
            self._output.write(data)

    def complain(self, data: bytes) -> None:
        """To standard error."""
        if self._errors is not None:
            self._errors.write(data)


_Pipes = tuple[Pipe | None, Pipe | None, Pipe | None]


class SimulatedPopen(subprocess.Popen):  # type: ignore[type-arg]
    """What a ``Popen`` becomes when its command is one of a simulated device. Made by :func:`start`, never directly."""

    _location: Any
    _task: Any
    _ended: Any
    _pipes: Any
    _files: dict[str, Any]
    _how: tuple[int, str | None, str | None]
    _kit_error: Exception | None
    _sent: bool

    # The streams are made when they are asked for: most callers only communicate.

    @property
    def stdin(self) -> Any:  # type: ignore[override]
        return self._file("stdin", 0, PipeWriter)

    @property
    def stdout(self) -> Any:  # type: ignore[override]
        return self._file("stdout", 1, PipeReader)

    @property
    def stderr(self) -> Any:  # type: ignore[override]
        return self._file("stderr", 2, PipeReader)

    def _file(self, name: str, place: int, end: type[PipeReader | PipeWriter]) -> Any:
        found = self._files.get(name)
        if found is None and name in self._files:
            found = self._files[name] = opened(end(self._pipes[place]), *self._how)
        return found

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        return self.returncode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._await(timeout, None)
        self._raise_kit_error()
        status: Any = self.returncode
        return int(status)

    def _await(self, timeout: float | None, output: Callable[[], tuple[Any, Any]] | None) -> None:
        """Wait for the end of the process. ``TimeoutExpired`` with what ``output`` gives."""
        self._location.require_open()
        kernel = self._location.kernel
        limit_ns = None if timeout is None else max(0, round(timeout * _SECOND_NS))
        try:
            kernel.wait(self._ended, limit_ns, reason=f"command {self._task.name}")
        except DeadlineExpired:
            so_far = output() if output is not None else (None, None)
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0, *so_far) from None

    def _raise_kit_error(self) -> None:
        if self._kit_error is not None:
            raise self._kit_error

    def communicate(self, input: Any = None, timeout: float | None = None) -> Any:
        if self._sent and input:
            raise ValueError("Cannot send input after starting communication")
        if not self._sent:
            self._sent = True
            self._send(input)
        if self.returncode is None:
            self._await(timeout, self._so_far)
        self._raise_kit_error()
        found = tuple(self._rest(name, place) for name, place in (("stdout", 1), ("stderr", 2)))
        for stream in self._files.values():
            if stream is not None:
                stream.close()
        return found

    def _send(self, data: Any) -> None:
        if "stdin" not in self._files:
            return
        pipe, stream = self._pipes[0], self._files["stdin"]
        if stream is not None and not stream.closed:
            stream.flush()
        _, encoding, errors = self._how
        if data:
            raw = data.encode(encoding, errors or "strict") if encoding is not None else bytes(data)
            try:
                pipe.write(raw)
            except BrokenPipeError:
                pass  # as communicate() does: the command ended without reading it all
        pipe.close_writing()

    def _so_far(self) -> tuple[Any, Any]:
        return tuple(self._peek(name, place) for name, place in (("stdout", 1), ("stderr", 2)))  # type: ignore[return-value]

    def _peek(self, name: str, place: int) -> bytes | None:
        if name not in self._files:
            return None
        pipe: Pipe = self._pipes[place]
        held = pipe.drain()
        if held:
            pipe.write(held)
        return held or None

    def _rest(self, name: str, place: int) -> Any:
        if name not in self._files:
            return None
        buffered = self._files[name]
        raw: Any = b"" if buffered is None else buffered.read()  # what was read ahead, and the rest
        if buffered is None:
            raw = self._pipes[place].drain()
            _, encoding, errors = self._how
            if encoding is not None:
                text: str = raw.decode(encoding, errors or "strict")
                return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        return raw

    def __exit__(self, *_: object) -> None:
        for name, stream in self._files.items():
            if stream is not None:
                stream.close()
            elif name == "stdin":
                self._pipes[0].close_writing()
            else:
                self._pipes[1 if name == "stdout" else 2].close_reading()
        self.wait()

    def send_signal(self, sig: int) -> None:
        if self.returncode is not None or sig in _WITHOUT_EFFECT:
            return
        self._location.require_open()
        if sig in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            from storcert.harness.kernel.interpose.unsimulated import refuse

            refuse(self._location, "subprocess", f"Popen.send_signal({int(sig)})", sys._getframe(1))
        self._finish(-int(sig))
        self._location.kill(self._task)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _finish(self, status: int) -> None:
        self.returncode = status
        feed, output, errors = self._pipes
        for pipe in (output, errors):
            if pipe is not None:
                pipe.close_writing()
        if feed is not None:
            feed.close_reading()
        if not self._ended.triggered:
            self._ended.succeed()

    def _run(self, command: Command, process: RunningCommand) -> None:
        try:
            status = command(process)
        except BrokenPipeError:
            status = -signal.SIGPIPE
        except Exception as error:  # noqa: BLE001  (the kit's own: it must surface in the task that waits)
            self._kit_error = error
            status = 255
        self._finish(status)


def start(made: Any, location: Location, given: Mapping[str, Any]) -> str:
    """Let the half-made ``Popen`` run the command ``given`` names, if a device stands for it at the location. Gives ``""``,
    or what cannot be done, in words."""
    arguments = _arguments(given["args"])
    called = os.fsencode(given.get("executable") or arguments[0])
    command = _find(location, os.fsdecode(called))
    if command is None or given.get("shell"):
        return "not a simulated command"
    pipes, wanted, trouble = _streams(location, given)
    if trouble:
        return trouble
    kernel = location.kernel
    encoding, errors = given.get("encoding"), given.get("errors")
    if encoding is None and (errors or given.get("text") or given.get("universal_newlines")):
        encoding = _DEFAULT_ENCODING
    environ = given.get("env")
    made.__class__ = _class_for(type(made))
    made.args, made.pid, made.returncode = given["args"], kernel._next_pid(), None
    made.encoding, made.errors, made.text_mode = encoding, errors, bool(encoding)
    made._location, made._pipes, made._how = location, pipes, (given.get("bufsize", -1), encoding, errors)
    made._files, made._sent, made._kit_error = dict.fromkeys(wanted), False, None
    made._ended = kernel.event()
    process = RunningCommand(
        location, arguments, dict(location.environ) if environ is None else _decoded(environ), made.pid, pipes)
    name = b" ".join(arguments[:3]).decode("utf-8", "backslashreplace")
    made._task = kernel.spawn(made._run, command, process, location=location, name=name)
    asker = current_task()
    if asker is not None:
        made._task.behalf = asker.behalf
    return ""


def _arguments(args: Any) -> tuple[bytes, ...]:
    if isinstance(args, (str, bytes, os.PathLike)):
        args = [args]
    found = tuple(
        # What os.fsencode does, without the call: this is the hot path of a driver that runs commands.
        one.encode("utf-8", "surrogateescape") if type(one) is str else os.fsencode(one)
        for one in args
    )
    if b"\0" in b"".join(found):
        raise ValueError("embedded null byte")
    return found


def _decoded(environ: Mapping[Any, Any]) -> dict[str, str]:
    return {os.fsdecode(name): os.fsdecode(value) for name, value in environ.items()}


def _find(location: Location, called: str) -> Command | None:
    folder, _, name = called.rpartition("/")
    if folder and folder not in _FOLDERS:
        return None
    found: Command | None = location.services.get(SERVICE + name)
    return found


def _streams(location: Location, given: Mapping[str, Any]) -> tuple[_Pipes, list[str], str]:
    """The pipes, which of them the caller holds an end of, and what cannot be done."""
    pipes: list[Pipe | None] = [None, None, None]
    wanted = []
    for place, name in enumerate(("stdin", "stdout", "stderr")):
        stream = given.get(name)
        if stream == subprocess.PIPE:
            pipes[place] = Pipe(location.kernel)
            wanted.append(name)
        elif stream == subprocess.STDOUT and name == "stderr":
            pipes[2] = pipes[1]
        elif name == "stdin" and isinstance(_raw(stream), PipeReader):
            pipes[0] = _raw(stream).pipe
        elif stream is not None and stream != subprocess.DEVNULL:
            return (None, None, None), [], f"{name}=a file"
    return (pipes[0], pipes[1], pipes[2]), wanted, ""


def _raw(stream: Any) -> Any:
    while hasattr(stream, "buffer"):
        stream = stream.buffer
    return getattr(stream, "raw", stream)


_classes: dict[type, type] = {}


def _class_for(cls: type) -> type:
    """``SimulatedPopen``, or for a vendor's own subclass of ``Popen`` one that keeps what it overrides."""
    if cls is subprocess.Popen:
        return SimulatedPopen
    if cls not in _classes:
        _classes[cls] = type(cls.__name__, (cls, SimulatedPopen), {"__module__": cls.__module__})
    return _classes[cls]


def signature_of_popen(original: Callable[..., None]) -> inspect.Signature:
    """The parameters of ``Popen.__init__`` in this Python, to sort positional arguments by."""
    return inspect.signature(original)


def _which(original: Callable[..., Any]) -> Callable[..., Any]:
    def which(cmd: Any, mode: int = os.F_OK | os.X_OK, path: Any = None) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(cmd, mode, path)
        name = os.fsdecode(cmd)
        if _find(location, name) is None:
            return original(cmd, mode, path)
        if "/" in name:
            return cmd
        folders = (location.environ.get("PATH") or FOLDER if path is None else os.fsdecode(path)).split(os.pathsep)
        if not any(folder in _FOLDERS for folder in folders):
            return None
        found = f"{FOLDER}/{name}"
        return os.fsencode(found) if isinstance(cmd, bytes) else found

    return which


def install(interposition: Interposition) -> None:
    """``shutil.which`` finds the commands that a device stands for. ``Popen`` itself is replaced by :mod:`.unsimulated`."""
    import shutil

    interposition.replace(shutil, "which", _which)
