"""A live target for as long as a run takes: started with free ports in a folder of its own, and ended however the run ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from storcert.conformance.devices import LIVE
from storcert.conformance.interrupts import answered
from storcert.conformance.live_targets import places
from storcert.conformance.live_targets.target import Reached, Server
from storcert.conformance.live_targets.targets import TARGETS, require_present
from storcert.conformance.usage import InvalidUsage, one_line


@contextmanager
def started(device: str) -> Iterator[Reached | None]:
    """The named live target, running; ``None`` for any other device, where nothing is started.

    Raises :class:`InvalidUsage`: it is not installed, or did not come up. Its variables are in the environment meanwhile, so
    that processes that begin now have them too. On any live device a polite request to end (SIGTERM) is taken for an
    interrupt: then everything ends in order, and at once where it is asked for again (``interrupts``). Where this process is
    killed outright, the kernel ends what it started.
    """
    kind = TARGETS.get(device)
    if kind is None:
        with answered() if device == LIVE else nullcontext():
            yield None
        return
    require_present(kind)
    folder = Path(tempfile.mkdtemp(prefix="storcert-live-"))
    server = None
    try:
        with answered():
            server = kind.load().server(folder / "target")
            reached = _start(device, server)
            try:
                with _environment(reached.environment):
                    yield reached
            finally:
                places.forget(reached)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start(device: str, server: Server) -> Reached:
    try:
        return server.start()
    except (RuntimeError, OSError) as error:
        raise InvalidUsage(f"--device {device} did not start: {one_line(error, 400)}") from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """An empty value takes the variable away."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
