"""An nfs-ganesha of its own on loopback, without systemd, rpcbind or a mount on this machine's side.

Everything lives in one folder and ends with this process (``daemons``). Written for 4.3 (Debian 12). What was learnt the hard
way: version 3 insists on registering with rpcbind, so it gets one that lives in a mount and a network namespace of its own
and is reached through a private ``/run``; ganesha is started inside the same mount namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storcert.conformance.live_targets.daemons import Daemons, answers, free_block, missing_programs

PROGRAMS = ("ganesha.nfsd", "rpcbind", "unshare", "nsenter", "mount")
SMALL, SMALL_BYTES = "small", 16 << 20
FIRST_PORT, PORTS = 22049, 2000

_CONF = """\
NFS_CORE_PARAM {{ Protocols = 3, 4; NFS_Port = {port}; MNT_Port = {mount_port}; Bind_addr = 127.0.0.1;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; }}
NFSV4 {{ Graceless = true; Lease_Lifetime = 5; RecoveryBackend = fs; RecoveryRoot = {folder}/recovery; }}
"""
_EXPORT = """\
EXPORT {{ Export_Id = {number}; Path = {path}; Pseudo = /{name}; Access_Type = {access}; Squash = {squash}; SecType = sys;
  Anonymous_Uid = 65534; Anonymous_Gid = 65534;
  Protocols = 3, 4; Transports = TCP; FSAL {{ Name = VFS; }} }}
"""
_NAMESPACE = """
mount -t tmpfs none /run && mkdir -p /run/rpcbind {folder}/run
if [ -f {folder}/small.img ]; then mount -o loop {folder}/small.img {folder}/small || touch {folder}/no-loop; fi
unshare -n rpcbind -f -w; exit
"""


@dataclass(frozen=True, slots=True)
class Export:
    """One export: a folder below the server's, readable-writable or not, with root squashed or not."""

    name: str
    access: str = "RW"
    squash: str = "No_Root_Squash"
    mode: int = 0o777


EXPORTS = (
    Export("plain"), Export("squash", squash="Root_Squash"), Export("readonly", access="RO"), Export(SMALL),
)  # fmt: skip


def unavailable() -> str | None:
    """Why no ganesha can run here, or ``None``."""
    missing = missing_programs(PROGRAMS)
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: nfs-ganesha nfs-ganesha-vfs rpcbind util-linux)"
    if os.geteuid() != 0:
        return "ganesha and its namespaces need root"
    if subprocess.run(["unshare", "-m", "-n", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        return "no namespaces of one's own (unshare -m -n --pid)"
    return None


class Ganesha:
    """One server. ``small`` is an ext4 of 16 MB where loop mounts work, else it is like ``plain`` (see :attr:`has_small`)."""

    def __init__(self, folder: Path, exports: Sequence[Export] = EXPORTS) -> None:
        self.folder = folder
        self._exports = exports
        # Not all from the same one on: servers that are started at the same time would choose the same.
        self.port = free_block(FIRST_PORT + os.getpid() % PORTS * 2, (0, 1), 2)
        self.mount_port = self.port + 1
        self._daemons: Daemons | None = None

    @property
    def daemons(self) -> Daemons:
        """The processes, while it runs."""
        if self._daemons is None:
            raise RuntimeError("ganesha has not been started")
        return self._daemons

    @property
    def has_small(self) -> bool:
        """Whether the small export is really small."""
        return (self.folder / "small.img").exists() and not (self.folder / "no-loop").exists()

    def path(self, name: str) -> Path:
        """The folder behind an export, as this machine sees it (not that of ``small``)."""
        return self.folder / name

    def start(self) -> None:
        """Up and answering; nothing is left where that fails."""
        for name in ("recovery", "log"):
            (self.folder / name).mkdir(parents=True)
        conf = _CONF.format(folder=self.folder, port=self.port, mount_port=self.mount_port)
        for number, export in enumerate(self._exports, 1):
            path = self.path(export.name)
            path.mkdir()
            path.chmod(export.mode)
            conf += _EXPORT.format(
                number=number, path=path, name=export.name, access=export.access, squash=export.squash)
        (self.folder / "ganesha.conf").write_text(conf)
        if any(export.name == SMALL for export in self._exports) and not missing_programs(("mkfs.ext4",)):
            with (self.folder / "small.img").open("wb") as image:
                image.truncate(SMALL_BYTES)
            subprocess.run(["mkfs.ext4", "-q", self.folder / "small.img"], check=True, capture_output=True)
        self._daemons = Daemons(self.folder / "log" / "out")
        try:
            shell = _NAMESPACE.format(folder=self.folder)
            # Rpcbind changes its user, which makes the kernel forget whose death it should not outlive; its process
            # namespace does not.
            space = ["unshare", "-m", "--propagation", "private", "--pid", "--fork", "--kill-child", "bash", "-c", shell]
            self.daemons.start("rpcbind", space)
            self.daemons.wait_until(lambda: (self._inside / "run/rpcbind.sock").exists(), "socket of rpcbind")
            self.restart()
        except BaseException:
            self.stop()
            raise

    @property
    def _inside(self) -> Path:
        """The root folder as rpcbind and ganesha see it."""
        return Path(f"/proc/{self.daemons.pid('rpcbind')}/root")

    def restart(self) -> None:
        """Start ganesha, which does not run, and wait until it answers."""
        log, pid_file = self.folder / "log" / "ganesha.log", self.folder / "ganesha.pid"
        pid_file.unlink(missing_ok=True)
        command = ["ganesha.nfsd", "-F", "-f", self.folder / "ganesha.conf", "-L", log, "-p", pid_file, "-N", "NIV_EVENT"]
        target = str(self.daemons.pid("rpcbind"))
        self.daemons.start("ganesha", ["nsenter", "--mount", "--target", target, *map(str, command)])
        self.daemons.wait_until(lambda: answers(self.mount_port) and answers(self.port), "answer of ganesha")

    def kill(self) -> None:
        """The server dies as in a power cut of its process; :meth:`restart` brings it back."""
        self.daemons.kill("ganesha")

    def freeze(self) -> None:
        """It stays connected and does nothing."""
        self.daemons.send("ganesha", signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stopped."""
        self.daemons.send("ganesha", signal.SIGCONT)

    def stop(self) -> None:
        """Kill all and remove the folder; mounts vanish with their namespace. May be repeated."""
        if self._daemons is not None:
            self._daemons.kill_all()
            self._daemons = None
        shutil.rmtree(self.folder, ignore_errors=True)
