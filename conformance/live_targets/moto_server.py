"""``live:moto``: moto's server in a process of its own. It checks no signature and knows no limits of keys."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import sys
from pathlib import Path

from storcert.conformance.live_targets import s3_place
from storcert.conformance.live_targets.daemons import Daemons, answers
from storcert.conformance.live_targets.target import Reached

ACCESS_KEY, SECRET_KEY = "storcert-moto", "storcert-moto-key"
#: Werkzeug writes a line per request; thousands of them are of no use.
_PROGRAM = """
import logging, sys
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""
START_LIMIT_S = 30.0

open_place = s3_place.open_bucket
provide = s3_place.provide


def missing() -> str:
    """What to install."""
    lacking = [name for name in ("moto", "flask", "flask_cors") if importlib.util.find_spec(name) is None]
    return f"no module {', '.join(lacking)}: pip install 'moto[server]'" if lacking else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class MotoServer:
    """One server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemons = Daemons(folder / "log")

    def start(self) -> Reached:
        """Up and answering."""
        port = _free_port()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._daemons.start("moto", [sys.executable, "-c", _PROGRAM, str(port)])
            self._daemons.wait_until(lambda: answers(port), "answer of moto", START_LIMIT_S)
        except BaseException:
            self.stop()
            raise
        found = s3_place.server(f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY)
        return Reached("live:moto", found, s3_place.environment(ACCESS_KEY, SECRET_KEY))

    def stop(self) -> None:
        """The process ends and the folder goes."""
        self._daemons.kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)


def server(folder: Path) -> MotoServer:
    """One of its own."""
    return MotoServer(folder)
