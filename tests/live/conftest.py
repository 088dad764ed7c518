"""Real systems for a whole test session. Each skips, saying why, where it cannot run; none leaves a process or a port.

How to run what is in this folder:

- ``tox -e live``, or ``pytest -m live -rs tests/live`` in an environment of one's own.
- Debian 12 packages, ``--no-install-recommends``: ``ceph-mon ceph-osd ceph-common radosgw`` for everything with Ceph,
  ``python3-rados python3-rbd`` (and Debian's own Python version; ``ceph_binding`` puts the two, and nothing else of
  Debian's, in reach of the processes that need them) for RBD, ``nfs-ganesha nfs-ganesha-vfs rpcbind`` for
  NFS, ``fuse3 libfuse2`` for the FUSE mount. All as root. What is missing is skipped, and ``-rs`` prints why.
- Everything listens on loopback, on ports that are free, in a temporary directory. Daemons die with the test run, also when
  it is killed.
- ``STORCERT_LIVE_KILLS``: how often the RBD driver is killed. ``STORCERT_LIVE_FROZEN``: which of its calls are left without
  an answer, which takes minutes each: any of ``create write copy take_snapshot delete``.
- ``STORCERT_LIVE_CALLS=10000``: so many generated calls are compared per system; the default of a few hundred is the
  everyday run, of some minutes on two quiet cores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storcert.conformance.live_targets import ceph as ceph_cluster
from storcert.conformance.live_targets import ganesha as nfs_server
from storcert.conformance.live_targets.ceph import Ceph, Layout
from storcert.conformance.live_targets.ganesha import Ganesha

#: One index object a bucket: making one is faster. The smallest part as in the programs of the differential test.
GATEWAY_OPTIONS = "rgw multipart min part size = 10\nrgw override bucket index max shards = 1"


def _cluster(layout: Layout) -> Iterator[Ceph]:
    reason = ceph_cluster.unavailable(gateway=layout.gateway)
    if reason is not None:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="storcert-ceph-") as folder:
        cluster = Ceph(Path(folder) / "c", layout)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """A monitor and one OSD in memory; ``rados`` and ``rbd`` reach it with ``conffile=str(ceph.conf)``."""
    yield from _cluster(Layout(gateway=False))


@pytest.fixture(scope="session")
def radosgw() -> Iterator[Ceph]:
    """A cluster with a RADOS gateway at ``radosgw.endpoint_url``, set up so that tests need few megabytes and many buckets."""
    for cluster in _cluster(Layout(more_gateway=GATEWAY_OPTIONS)):
        cluster.gateway_command("user", "modify", "--uid=t", "--max-buckets=0")
        yield cluster


@pytest.fixture(scope="session")
def ganesha() -> Iterator[Ganesha]:
    """An NFS server; ``storcert.conformance.live_targets.onc_rpc`` speaks to it."""
    reason = nfs_server.unavailable()
    if reason is not None:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="storcert-nfs-") as folder:
        server = Ganesha(Path(folder) / "g")
        try:
            server.start()
            yield server
        finally:
            server.stop()
