"""Legal faults of the RBD cluster: what a Ceph cluster can do to a client, and nothing a real one cannot.

Fault model. A request to an OSD is atomic, and what was acknowledged stays, also over a power loss. An operation of librbd
is not atomic: it is several requests, and the client or the cluster can stop between any two of them. What a client learns
is what librados makes of it: a broken connection is not seen at all, the request is sent again and the OSD knows it by its
id (so it is done once); silence lasts until ``rados_osd_op_timeout``, which by default is 0: for ever. A timeout is no
proof of failure. [measured: Ceph 16.2.15, SIGSTOP and SIGKILL of monitor and OSD]

- ``request_lost``, ``answer_lost``: silence, without or with the effect, until the client's timeout. With value 1 the
  connection breaks instead, and the request is sent again.
- ``slow``: before the effect only; after it, it looks like ``answer_lost`` or like nothing. A client that gives up earlier
  does not stop the effect; it comes before that of the client's next request (an OSD keeps the order).
- ``server_restart``, ``power_loss``: daemons killed and back after a while. Requests wait and are sent again; with a
  timeout they fail meanwhile. Acknowledged data stays. [measured: SIGKILL of one of three OSDs, bluestore: 0.16 s stall]
- a connection cut inside a body is not a kind of its own: librados sends again, as after a restart. [same measurement]
- ``frozen``: the OSDs stop (SIGSTOP) until healed. What they had received takes effect afterwards, in order, also what the
  client was told had timed out. Reads, flushes, opens time out; a cached write still answers "done". [measured]
- ``monitor_gone``: until healed no new connection, no new snapshot id, no pool operation: they time out
  (``rados_mon_op_timeout``, ``client_mount_timeout``). Reads and writes go on. [measured: SIGSTOP of the monitor]
- ``blocklisted``: this client's address is on the blocklist: ESHUTDOWN (108) on everything until it connects anew.
  [measured: ``osd blocklist add``; happens to whoever loses an exclusive lock while it was not answering]
- ``full``: the pool's quota is reached: writes, discards and removals wait until healed or timed out, reads work, nothing
  says ENOSPC. After ``set_osdmap_full_try`` what needs room is refused with EDQUOT (a clone: with ENOENT) and the rest,
  removals among it, is done. [measured: pool quota with a manager; enforced seconds late]
- ``dead_watcher``: another client died just now with this image open and locked. Its watch and lock live 30 s; opening
  works, writing and removing block until then. [measured: SIGKILL of the holder, 30.03 s]

Not modelled, and why:

- placement groups, recovery, single OSDs: what a client sees of them is a request that takes longer (``slow``) or waits until
  it is healed (``frozen``). [measured: one of three OSDs killed, 0.16 s]
- acknowledged data that are lost or rot: replicas, scrubbing and checksums are the cluster's own affair.
- erasure-coded pools: they have no omaps, which the directory of images needs.
- mirroring, namespaces, groups, encryption, journaling, striping, the asynchronous calls: no operation of the contract needs
  them; their calls raise ``NotModelled``.
- quotas that are enforced late: ``full`` begins at once, since a driver cannot rely on the delay.
"""

from __future__ import annotations

from dataclasses import replace

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.wire import TRANSPORT_FAULTS

_B, _BA = (Phase.BEFORE,), (Phase.BEFORE, Phase.AFTER)
_MEASURED = "measured on loopback: Ceph 16.2.15 (monitor, OSD on memstore and bluestore; SIGSTOP, SIGKILL, blocklist, quota)"

MONITOR = ("connect", "pool_create", "pool_delete", "snap_allocate", "snap_release", "mon_command")
WRITES = (
    "write", "discard", "write_zeroes", "dir_add_image", "id_create", "header_create", "trash_add", "trim", "header_remove",
    "copyup", "copy_write", "rollback", "object_write",
)
WATCHED = ("remove_validate", "remove_open", "lock_acquire")

_PHASES = {
    "request_lost": _B, "answer_lost": (Phase.AFTER,), "slow": _B, "server_restart": _B, "power_loss": _B,
    "crash": (Phase.BEFORE, Phase.DURING, Phase.AFTER),
}

LEGAL_FAULTS: tuple[FaultKind, ...] = (
    *(
        replace(kind, phases=_PHASES[kind.name], source=_MEASURED)
        for kind in TRANSPORT_FAULTS
        if kind.name in _PHASES
    ),
    FaultKind("frozen", _B, ("*",), "", "the OSDs stop until healed; received requests take effect then", _MEASURED,
              lasting=True),
    FaultKind("monitor_gone", _B, MONITOR, "", "no monitor until healed", _MEASURED),
    FaultKind("blocklisted", _B, ("*",), "", "the client's address is blocklisted", _MEASURED),
    FaultKind("full", _B, WRITES, "", "writes and removals wait until healed", _MEASURED),
    FaultKind("dead_watcher", _B, WATCHED, "", "another client died with the image open", _MEASURED),
)
