"""Directed measurements on a real cluster, in a process of its own: ``python -m tests.live.rbd_traps_side CONF NAME OSD_PID``.

Each prints one JSON value, which ``test_rbd_traps`` compares with what the simulator answers to the same steps.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

HOLDER = """
import sys, rados, rbd, os
client = rados.Rados(conffile=sys.argv[1]); client.connect()
io = client.open_ioctx("traps")
image = rbd.Image(io, "held"); image.write(b"x", 0); image.flush()
print("held", flush=True); os.kill(os.getpid(), 9)
"""


class Traps:
    """A connection with short timeouts, and a pool."""

    def __init__(self, conf: str, osd_pid: int) -> None:
        self.rados: Any = importlib.import_module("rados")
        self.rbd: Any = importlib.import_module("rbd")
        self.conf_file, self.osd_pid = conf, osd_pid
        self.client = self.connect()
        if "traps" not in self.client.list_pools():
            self.client.create_pool("traps")
        self.io = self.client.open_ioctx("traps")
        self.images = self.rbd.RBD()

    def connect(self) -> Any:
        client = self.rados.Rados(
            conffile=self.conf_file, conf={"rados_osd_op_timeout": "2", "rados_mon_op_timeout": "2"})
        client.connect()
        return client

    def said(self, call: Any) -> Any:
        """Class and number of what it raises, else what it gives."""
        try:
            answer = call()
        except (self.rbd.OSError, self.rados.Error) as error:
            return [type(error).__name__, error.errno]
        return answer if isinstance(answer, int) else None

    def frozen(self) -> Any:
        """The OSD stops after a write was flushed; what was written then is there when it goes on."""
        self.images.create(self.io, "frozen", 1 << 20)
        image = self.rbd.Image(self.io, "frozen")
        image.write(b"x", 0)
        image.flush()
        os.kill(self.osd_pid, signal.SIGSTOP)
        try:
            found = [
                self.said(lambda: image.write(b"y", 0)), self.said(image.flush),
                self.said(lambda: self.images.create(self.io, "other", 4096)),
                self.said(lambda: self.images.list(self.io)),
            ]
        finally:
            os.kill(self.osd_pid, signal.SIGCONT)
        time.sleep(1)
        return [*found, image.read(0, 1).decode()]

    def blocklisted(self) -> Any:
        """Everything is refused until a new connection."""
        self.images.create(self.io, "blocked", 1 << 20)
        image = self.rbd.Image(self.io, "blocked")
        image.write(b"x", 0)
        image.flush()
        self.connect().blocklist_add(self.client.get_addrs(), 60)
        time.sleep(1)
        return [
            self.said(lambda: image.read(0, 1)), self.said(lambda: self.rbd.Image(self.io, "blocked")),
            self.said(lambda: self.images.list(self.connect().open_ioctx("traps")) and 0),
        ]

    def dead_holder(self) -> Any:
        """Whole seconds a removal waits for a holder that was killed, in tens."""
        self.images.create(self.io, "held", 1 << 20)
        subprocess.run([sys.executable, "-c", HOLDER, self.conf_file], check=False, capture_output=True, timeout=60)
        before = time.monotonic()
        self.images.remove(self.io, "held")
        return round((time.monotonic() - before) / 10)


if __name__ == "__main__":
    traps = Traps(sys.argv[1], int(sys.argv[3]))
    print(json.dumps(getattr(traps, sys.argv[2])()), flush=True)
    os._exit(0)
