"""Legal faults of Sheepdog: what a real cluster can do to dog, and nothing a real one cannot.

Fault model. All copies of an object are written before the answer, so acknowledged data survives crashes and power losses.
A request is atomic, except that a clone or snapshot writes two inodes. Most of what goes wrong is between the requests of one
dog, which is a client that does half of the work itself: a dog that dies leaves what it had done.

- the wire's own faults (``request_lost``, ``answer_lost``, ``cut``, ``slow``, ``server_restart``, ``power_loss``, ``crash``),
  described in ``simulators.network.wire``. dog itself never gives up: after silence it hangs until it is killed.
- ``node_loss``: one of the nodes dies. The request is repeated inside the cluster: 1.66 s later it is done, no client sees an
  error. The epoch grows. In a ``strict`` cluster fewer nodes than copies halt it. [measured: 1 of 3 nodes, kill -9, copies 2]
- ``frozen``: the node dog talks to is stopped and answers nothing until healed; what it was asked meanwhile is done then.
  [measured: SIGSTOP, writes hang past 8 s; dog polls every 5 s for ever]
- ``halted``: too few nodes are alive; every write is refused until healed, reads work. Inside NEW_VDI and DEL_VDI the
  refusal is hidden: the one says that it could not write, the other says nothing and marks the VDI as deleted all the same.
  [measured: strict, 2 of 3 nodes; sheep/request.c, sheep/vdi.c: the result of the inode write is not looked at]
- ``waiting``: all nodes were stopped and not all are back: nothing is served until healed. A listing then lists nothing and
  ends 0. [measured: "Waiting for other nodes to join cluster"]
- ``full``: no new objects until healed; overwriting, deleting and reading work. A snapshot on a full cluster loses its working
  VDI. [SD_RES_NO_SPACE; sheep/vdi.c writes the base inode first] A new VDI is refused in the words of a halted cluster,
  "Failed to write to requested VDI": free space in ``dog node info -r`` tells them apart.
- ``torn_inodes``: the node that makes a clone or snapshot dies between the two inodes it writes: the base has been counted
  up, or has become a snapshot, and the new VDI never comes. [sheep/vdi.c: "multiple sd_write_object should be performed
  atomically"]
- ``lock_left``: a client that died holds the lock of the VDI. dog takes no notice. [measured: locks belong to the node]

Not modelled, and why:

- more nodes lost than there are copies, and data that rot: acknowledged data would be gone, and no driver could help it.
- nodes that do not see each other: the cluster is one endpoint here. Which side of a split goes on is decided by its cluster
  manager (corosync, zookeeper) before any client hears of it; one that stops is ``waiting``, one too small is ``halted``.
- recovery: it takes time and bandwidth of the nodes; a client sees slower requests (``slow``, ``node_loss``).
- erasure-coded VDIs, the object cache, journals, sheepfs, the block and HTTP interfaces: dog reaches none of them in what the
  contract needs; subcommands that are not there raise ``NotModelled``.
"""

from __future__ import annotations

from dataclasses import replace

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.wire import TRANSPORT_FAULTS

ANY = ("*",)
WRITES = ("NEW_VDI", "WRITE_OBJ", "WRITE_INODE", "DEL_VDI", "GET_VDI_ATTR")
CREATES = ("NEW_VDI", "WRITE_OBJ")
STALL_NS = 1_660_000_000
_B = (Phase.BEFORE,)
_MEASURED = "measured: three sheep on loopback, local driver, copies 2"

LEGAL_FAULTS: tuple[FaultKind, ...] = (
    *(
        replace(kind, description="power of the cluster fails: as a restart, acknowledged data stays")
        if kind.name == "power_loss" else kind
        for kind in TRANSPORT_FAULTS
    ),
    FaultKind("node_loss", _B, WRITES, "", "a node dies; the request takes 1.66 s longer", _MEASURED),
    FaultKind("frozen", _B, ANY, "", "the node answers nothing until healed", f"{_MEASURED} (SIGSTOP)", lasting=True),
    FaultKind("waiting", _B, ANY, "", "nothing is served until all nodes are back", f"{_MEASURED} (kill -9 of all)",
              lasting=True),
    FaultKind("halted", _B, WRITES, "", "writes are refused until healed", f"{_MEASURED} (format -t)", lasting=True),
    FaultKind("full", _B, CREATES, "", "no new objects until healed", "sheepdog_proto.h: SD_RES_NO_SPACE"),
    FaultKind("torn_inodes", _B, ("NEW_VDI",), "", "the node dies between the two inodes of a clone or snapshot",
              "sheep/vdi.c: clone_vdi, snapshot_vdi"),
    FaultKind("lock_left", _B, ("READ_INODE",), "", "a dead client holds the lock of the VDI", _MEASURED),
)
