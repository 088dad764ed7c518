"""``live:radosgw``: Ceph's RADOS gateway over a small cluster in memory."""

from __future__ import annotations

from pathlib import Path

from storcert.conformance.live_targets import s3_place
from storcert.conformance.live_targets.ceph import ACCESS_KEY, SECRET_KEY, Ceph, Layout, unavailable
from storcert.conformance.live_targets.target import Reached

#: One index object a bucket: making one is faster.
GATEWAY_OPTIONS = "rgw override bucket index max shards = 1"

open_place = s3_place.open_bucket
provide = s3_place.provide


def missing() -> str:
    """What to install."""
    return unavailable(gateway=True) or ""


class Gateway:
    """One cluster with its gateway."""

    def __init__(self, folder: Path) -> None:
        self._ceph = Ceph(folder, Layout(more_gateway=GATEWAY_OPTIONS))

    def start(self) -> Reached:
        """Up and answering, with as many buckets as one likes."""
        self._ceph.start()
        try:
            self._ceph.gateway_command("user", "modify", "--uid=t", "--max-buckets=0")
        except BaseException:
            self.stop()
            raise
        found = s3_place.server(self._ceph.endpoint_url, ACCESS_KEY, SECRET_KEY)
        return Reached("live:radosgw", found, s3_place.environment(ACCESS_KEY, SECRET_KEY))

    def stop(self) -> None:
        """Every daemon ends and the folder goes."""
        self._ceph.stop()


def server(folder: Path) -> Gateway:
    """One of its own."""
    return Gateway(folder)
