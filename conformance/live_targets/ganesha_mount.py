"""``live:ganesha``: an export of nfs-ganesha, mounted through a client in user space (``nfs_client``)."""

from __future__ import annotations

import shutil
from pathlib import Path

from storcert.conformance.live_targets import folder_place, fuse_mount, ganesha, ganesha_way
from storcert.conformance.live_targets.daemons import Daemons
from storcert.conformance.live_targets.target import Reached
from storcert.harness.contract import JsonValue

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
        self._server = ganesha.Ganesha(folder / "server", (ganesha.Export(EXPORT),))
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
        said: dict[str, JsonValue] = {"mount": str(self.mount_point), "behind": str(behind), "folder": str(self._folder)}
        return Reached("live:ganesha", said)

    def restart(self) -> None:
        """The server dies, and another life of it begins: what was written and not committed may be gone."""
        self._server.kill()
        self._server.restart()

    def stop(self) -> None:
        """Unmounted, the server ended, the folder gone."""
        ganesha_way.end_way(str(self._folder))
        for mount_point in (self.mount_point, *self._folder.glob("way-*/above")):  # of workers that were killed, too
            fuse_mount.unmount(mount_point)
        self._daemons.kill_all()
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def server(folder: Path) -> GaneshaMount:
    """One of its own."""
    return GaneshaMount(folder)
