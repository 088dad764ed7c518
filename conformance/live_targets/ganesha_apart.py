"""An nfs-ganesha behind a proxy that puts faults on the wire, in a process of its own.

    python ganesha_apart.py FOLDER DESCRIPTOR

Apart from the process of the driver, because driver code may hold Python's lock while it waits for its mount (a page of a
mapped file is enough), and would wait for the proxy that it keeps from running. The descriptor is one end of a pair of
sockets: lines of JSON ask and answer there (``ganesha_way``), and its end is the end of everything here. The server is this
process's child, so that nobody else's world dies with it.
"""

from __future__ import annotations

import json
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from storcert.conformance.live_targets.ganesha import Export, Ganesha
from storcert.conformance.live_targets.rpc_proxy import RpcProxy
from storcert.harness.record.fault import Fault
from storcert.simulators.device import Request

EXPORT = "plain"
Job = Callable[[], object]


class Apart:
    """The server, the proxy before it, and what is asked of them."""

    def __init__(self, folder: Path, asked: socket.socket) -> None:
        self._server = Ganesha(folder, (Export(EXPORT),))
        self._asked = asked
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._proxy: RpcProxy | None = None
        self._born_s = 0

    def run(self) -> None:
        """Until the other end is closed. What the server needs is done in this thread: children of another one die with it."""
        try:
            self._server.start()
            self._born_s = int(time.time())
            self._proxy = RpcProxy(("127.0.0.1", self._server.port), self._die)
            threading.Thread(target=self._listen, args=(self._proxy,), daemon=True).start()
            while (job := self._jobs.get()) is not None:
                job()
        finally:
            if self._proxy is not None:
                self._proxy.close()
            self._server.stop()

    def _die(self, outage_ns: int, forgetting: bool) -> None:
        self._jobs.put(lambda: self._dies(outage_ns, forgetting))

    def _dies(self, outage_ns: int, forgetting: bool) -> None:
        self._server.kill()
        time.sleep(outage_ns / 1e9)
        while forgetting and int(time.time()) == self._born_s:
            time.sleep(0.01)  # its write verifier is the second of its start: a later one tells clients that it forgot
        self._server.restart()
        self._born_s = int(time.time())
        if self._proxy is not None:
            self._proxy.returned()

    def _listen(self, proxy: RpcProxy) -> None:
        try:
            with self._asked.makefile("rw", encoding="utf-8") as lines:
                self._say(lines, {"port": proxy.port, "mount_port": self._server.mount_port, "behind": self._behind})
                for line in lines:
                    try:
                        answer = self._answer(proxy, json.loads(line))
                    except ValueError as error:
                        answer = {"refused": str(error)}
                    self._say(lines, answer)
        except OSError:
            pass  # whoever asked is gone
        finally:
            self._jobs.put(None)

    @property
    def _behind(self) -> str:
        return str(self._server.path(EXPORT))

    @staticmethod
    def _say(lines: Any, value: object) -> None:
        lines.write(json.dumps(value) + "\n")
        lines.flush()

    @staticmethod
    def _answer(proxy: RpcProxy, asked: dict[str, Any]) -> Any:
        match asked["do"]:
            case "begin":
                proxy.begin()
            case "arm":
                proxy.arm([Fault.from_json(one) for one in asked["faults"]])
            case "heal":
                proxy.heal()
            case "from":
                proxy.location = asked["location"]
            case "requests":
                return [_told(one) for one in proxy.requests[asked["since"] :]]
            case "fired":
                return [one.to_json() for one in proxy.plan.fired]
        return None


def _told(one: Request) -> dict[str, Any]:
    return {
        "index": one.index, "time_ns": one.time_ns, "location": one.location, "operation": one.operation, "target": one.target,
        "sent_bytes": one.sent_bytes, "received_bytes": one.received_bytes, "answer": one.answer, "ended_ns": one.ended_ns,
        "faults": [fault.to_json() for fault in one.faults],
    }  # fmt: skip


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    Apart(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))).run()
