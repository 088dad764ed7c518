"""``live:ganesha``: an export of nfs-ganesha, mounted through a client in user space (``nfs_client``)."""

from __future__ import annotations

import shutil
from pathlib import Path

from storcert.conformance.live_targets import folder_place, fuse_mount, ganesha
from storcert.conformance.live_targets.daemons import Daemons
from storcert.conformance.live_targets.target import Reached

_PROGRAM = Path(__file__).with_name("nfs_client.py")
EXPORT = "plain"

open_place = folder_place.open_folder


def missing() -> str:
    """What to install."""
    return ganesha.unavailable() or fuse_mount.missing()


class GaneshaMount:
    """One server and one mount of it. Both end with this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mount_point = folder / "above"
        self._server = ganesha.Ganesha(folder / "server")
        self._daemons = Daemons(folder / "log")

    def start(self) -> Reached:
        """Up, answering, mounted."""
        self.mount_point.mkdir(parents=True)
        behind = self._server.path(EXPORT)
        try:
            self._server.start()
            ports = [str(self._server.port), str(self._server.mount_port)]
            fuse_mount.serve(self._daemons, _PROGRAM, [*ports, str(behind)], self.mount_point)
        except BaseException:
            self.stop()
            raise
        return Reached("live:ganesha", {"mount": str(self.mount_point), "behind": str(behind)})

    def restart(self) -> None:
        """The server dies, and another life of it begins: what was written and not committed may be gone."""
        self._server.kill()
        self._server.restart()

    def stop(self) -> None:
        """Unmounted, the server ended, the folder gone."""
        fuse_mount.unmount(self.mount_point)
        self._daemons.kill_all()
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def server(folder: Path) -> GaneshaMount:
    """One of its own."""
    return GaneshaMount(folder)
