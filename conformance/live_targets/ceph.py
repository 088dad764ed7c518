"""A Ceph cluster of its own on loopback: one monitor, OSDs, if asked for a manager and a RADOS gateway, without systemd.

Everything lives in one folder and ends with this process (``daemons``). Versions differ; this was written for 16.2 (Debian 12).
What was learnt the hard way:

- radosgw alone insists on cephx and a secure connection to the monitor; two lines of its section turn that off.
- beast without ``tcp_nodelay=1`` adds 40 ms to every small answer.
- memstore is fast and forgets: an OSD on it cannot be restarted. Use ``store="bluestore"`` to kill and restart OSDs.
- with the default paxos interval every pool or snapshot made or removed takes a second.
- an OSD takes memstore for a slow disk and waits five seconds before it trims the next object of a removed snapshot.
- without a manager, quotas never trigger and statistics are zero.
- by default every daemon keeps its last thousands of log lines in memory, at finer levels than it writes; making them costs the
  gateway half of its CPU. Errors are logged at level 0, too.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storcert.conformance.live_targets.daemons import Daemons, answers, free_block, missing_programs

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool")
GATEWAY_PROGRAMS = ("radosgw", "radosgw-admin")
ACCESS_KEY = "AKtest"
SECRET_KEY = "SKtest"
_TALKATIVE = (
    "default", "asok", "auth", "buffer", "client", "context", "crush", "filer", "finisher", "heartbeatmap", "mgr", "mgrc",
    "mon", "monc", "ms", "objclass", "objecter", "optracker", "osd", "paxos", "perfcounter", "rados", "rbd", "rgw", "rgw sync",
    "throttle", "timer", "tp",
)  # fmt: skip
_QUIET = "\n".join(f"debug {one} = 0/0" for one in _TALKATIVE)

_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor},v1:127.0.0.1:{monitor_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = {osd_first}
ms bind port max = {osd_last}
auth cluster required = none
auth service required = none
auth client required = none
keyring = {folder}/keyring
pid file = {folder}/run/$name.pid
log file = {folder}/log/$name.log
crash dir = {folder}/run
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool delete = true
mon warn on pool no redundancy = false
mon data avail warn = 1
mon data avail crit = 0
paxos propose interval = 0.05
paxos min wait = 0.01
admin socket = {folder}/run/$name.asok
{quiet}
{more_global}
[mon]
mon data = {folder}/mon/$id
[mgr]
mgr data = {folder}/mgr/$id
[osd]
osd data = {folder}/osd/$id
osd objectstore = {store}
memstore device bytes = 4294967296
bluestore block size = 4294967296
osd memory target = 939524096
osd snap trim sleep hdd = 0
[client]
admin socket =
log file =
{more_client}
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw thread pool size = 32
ms mon client mode = crc
auth client required = none
{more_gateway}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the daemons listen. OSDs and the manager take what is free in ``osd_first .. osd_first + 100``."""

    monitor: int = 23300
    osd_first: int = 23400
    gateway: int = 27480

    @classmethod
    def free(cls, monitor: int = 23300, osd_first: int = 23400, gateway: int = 27480) -> Ports:
        """These, or the same some hundreds further where another cluster has them."""
        shift = free_block(0, (monitor, monitor + 1, osd_first, osd_first + 1, gateway), 200)
        return cls(monitor + shift, osd_first + shift, gateway + shift)


@dataclass(frozen=True, slots=True)
class Layout:
    """What to start. The texts are further lines of the sections of ``ceph.conf``."""

    store: str = "memstore"
    osds: int = 1
    manager: bool = False
    gateway: bool = True
    more_global: str = ""
    more_client: str = ""
    more_gateway: str = ""


def unavailable(*, gateway: bool = False) -> str | None:
    """Why no cluster can run here, or ``None``."""
    missing = missing_programs((*PROGRAMS, *(GATEWAY_PROGRAMS if gateway else ())))
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: ceph-mon ceph-osd ceph-common radosgw)"
    if os.geteuid() != 0:
        return "the daemons of Ceph are started as root"
    return None


class Ceph:
    """One cluster. Daemons are named ``mon``, ``mgr``, ``osd0`` ... and ``rgw``."""

    def __init__(self, folder: Path, layout: Layout | None = None, ports: Ports | None = None) -> None:
        self.folder = folder
        self.layout = layout or Layout()
        self.ports = ports or Ports.free()
        self.conf = folder / "ceph.conf"
        self._daemons: Daemons | None = None

    @property
    def endpoint_url(self) -> str:
        """Of the gateway."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    def start(self) -> None:
        """Everything up and answering; nothing is left where that fails."""
        for name in ("mon", "mgr/x", "osd", "rgw", "log", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._daemons = Daemons(self.folder / "log" / "out")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        fsid, ports, layout = str(uuid.uuid4()), self.ports, self.layout
        for port in (ports.monitor, ports.monitor + 1, *((ports.gateway,) if layout.gateway else ())):
            if answers(port):
                raise RuntimeError(f"port {port} is taken")
        self.conf.write_text(
            _CONF.format(
                fsid=fsid, folder=self.folder, quiet=_QUIET, store=layout.store, monitor=ports.monitor,
                monitor_v1=ports.monitor + 1, osd_first=ports.osd_first, osd_last=ports.osd_first + 100, gateway=ports.gateway,
                more_global=layout.more_global, more_client=layout.more_client, more_gateway=layout.more_gateway,
            )
        )  # fmt: skip
        keyring = str(self.folder / "keyring")
        everything = [word for daemon in ("mon", "osd", "mgr") for word in ("--cap", daemon, "allow *")]
        for index, name in enumerate(("mon.", "client.admin", "client.rgw")):
            create = [] if index else ["--create-keyring"]
            self._run("ceph-authtool", *create, keyring, "--gen-key", "-n", name, *everything)
        addresses = f"[v2:127.0.0.1:{ports.monitor},v1:127.0.0.1:{ports.monitor + 1}]"
        monmap = str(self.folder / "monmap")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", addresses, monmap)
        self._run("ceph-mon", "-c", str(self.conf), "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self.restart("mon")
        if layout.manager:
            self.restart("mgr")
        for number in range(layout.osds):
            one = str(uuid.uuid4())
            (self.folder / "osd" / str(number)).mkdir()
            self.command("osd", "new", one, str(number))
            self._run("ceph-osd", "-c", str(self.conf), "-i", str(number), "--mkfs", "--osd-uuid", one)
            self._launch(f"osd{number}")
        self._until_up(layout.osds)
        if layout.gateway:
            user = ("user", "create", "--uid=t", "--display-name=T", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
            self.gateway_command(*user)
            self.restart("rgw")

    @property
    def daemons(self) -> Daemons:
        """The processes, while it runs."""
        if self._daemons is None:
            raise RuntimeError("the cluster has not been started")
        return self._daemons

    def stop(self) -> None:
        """Kill all and remove the folder. May be repeated."""
        if self._daemons is not None:
            self._daemons.kill_all()
            self._daemons = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, name: str) -> None:
        """End one daemon as a power cut would."""
        self.daemons.kill(name)

    def freeze(self, name: str) -> None:
        """The daemon stays connected and does nothing."""
        self.daemons.send(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """It goes on where it stopped."""
        self.daemons.send(name, signal.SIGCONT)

    def restart(self, name: str) -> None:
        """Start a daemon that does not run and wait until it answers (an OSD: until the monitor says it is up)."""
        up_before = self._up() if name.startswith("osd") else 0
        self._launch(name)
        if name == "mon":
            self.daemons.wait_until(lambda: self._asks("mon", "stat"), "answer of the monitor")
        elif name == "rgw":
            self.daemons.wait_until(lambda: answers(self.ports.gateway), "answer of the gateway")
        elif name.startswith("osd"):
            self._until_up(up_before + 1)

    def _launch(self, name: str) -> None:
        conf = ["-c", str(self.conf)]
        commands = {
            "mon": ["ceph-mon", *conf, "-i", "a", "-f"],
            "mgr": ["ceph-mgr", *conf, "-i", "x", "-f"],
            "rgw": ["radosgw", *conf, "-n", "client.rgw", "-f"],
        }
        command = commands.get(name) or ["ceph-osd", *conf, "-i", name.removeprefix("osd"), "-f"]
        self.daemons.start(name, command)

    def _until_up(self, osds: int) -> None:
        self.daemons.wait_until(lambda: self._up() >= osds, f"{osds} OSDs")

    def _up(self) -> int:
        status: dict[str, Any] = json.loads(self.command("osd", "stat", "-f", "json"))
        return int(status["num_up_osds"])

    def _asks(self, *arguments: str) -> bool:
        program = ["ceph", "-c", str(self.conf), "--connect-timeout", "5", *arguments]
        return subprocess.run(program, capture_output=True, check=False, timeout=60).returncode == 0

    def command(self, *arguments: str) -> str:
        """What ``ceph <arguments>`` prints."""
        return self._run("ceph", "-c", str(self.conf), *arguments)

    def gateway_command(self, *arguments: str) -> str:
        """What ``radosgw-admin <arguments>`` prints."""
        return self._run("radosgw-admin", "-c", str(self.conf), *arguments)

    @staticmethod
    def _run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr[-1000:]}")
        return done.stdout
