"""Legal faults of an NFS export: what a real server can do to a client, and nothing a real one cannot.

Fault model. Every procedure is one instant: a fault strikes before its effect or after it, never between. What was
acknowledged as stable (all changes of names and attributes; data of a WRITE with FILE_SYNC or DATA_SYNC; data that a COMMIT
confirmed) is never lost, also not over a power loss. What varies:

- the wire's own faults (``request_lost``, ``answer_lost``, ``cut``, ``slow``, ``server_restart``, ``power_loss``, ``crash``),
  described in ``simulators.network.wire``. A restart and a loss of power do more here: all unstable data are gone, files
  stand as they were when last committed; the write verifier is another one; the duplicate request cache is empty; and for a
  grace period SETATTR is answered JUKEBOX. Handles stay good. [RFC 1813 3.3.7, 3.3.21, 4.5; measured on nfs-ganesha 4.3
  killed with -9: verifier changed, handles of its VFS survive; src/Protocols/NFS/nfs3_setattr.c: JUKEBOX in grace]
- ``jukebox``: the server is not ready to do it now; no effect; the client shall try again later. [RFC 1813 2.6]
- ``stale``: STALE for a handle whose access has been revoked, as while an export is taken away and given again; no effect.
  [RFC 1813 2.6; nfs.sourceforge.net: Linux NFS FAQ A10]
- ``io_error``: NFS3ERR_IO, a disk says no; no effect. [RFC 1813 2.6]
- ``full``: from then on no space: NOSPC at WRITE and MKDIR, until healed. CREATE, REMOVE and reads work, and so does
  overwriting. [measured on nfs-ganesha 4.3 over a full ext4: error on WRITE, COMMIT and CREATE fine]
- ``full_at_commit``: from then on the server takes unstable data and finds no space for them when it must write them down:
  NOSPC at COMMIT, and they are gone; NOSPC at a stable WRITE. Until healed. [RFC 1813 3.3.21; delayed allocation]
- ``quota``: the same as ``full`` with DQUOT, at WRITE and MKDIR. [RFC 1813 2.6; cctools#2784, leilfs#233]
- ``read_only``: from then on the export is read-only: ROFS for every change, until healed. [measured on nfs-ganesha 4.3]
- ``root_squash``: from then on root counts as nobody: what the modes do not allow to others is ACCES or PERM, until healed.
  [measured on nfs-ganesha 4.3]
- ``frozen``: from then on no request is answered until the server is healed; then all that arrived meanwhile are done, in
  order, though their clients have given up. [measured: nfs-ganesha under SIGSTOP, the MKDIR happened after SIGCONT]

Not modelled, and why:

- safe data that are lost or rot: a server that does so cannot be used safely by any client.
- a procedure that is half done: the file systems behind real servers journal what changes names, and a WRITE that was cut was
  never answered, so its range is unsafe either way.
- version 4, file locks, O_DIRECT, UDP: no operation of the contract needs them; their calls raise ``NotModelled``.
- writing back in the background: bytes that Linux' flusher would send after some 30 seconds wait here until somebody asks
  (``client_writeback``). A driver that relies on the flusher loses more here at a crash than there: the safe way to err.
- handles that a restart makes stale: those of real file systems survive it. What a revoked export does is ``stale``.
"""

from __future__ import annotations

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.wire import TRANSPORT_FAULTS

ANY = ("*",)
SPACE = ("WRITE", "MKDIR")
DATA = ("READ", "WRITE", "COMMIT")
CHANGES = (
    "SETATTR", "WRITE", "CREATE", "MKDIR", "SYMLINK", "MKNOD", "REMOVE", "RMDIR", "RENAME", "LINK", "COMMIT",
)  # fmt: skip
_B = (Phase.BEFORE,)
_MEASURED = "measured on loopback: nfs-ganesha 4.3"

LEGAL_FAULTS: tuple[FaultKind, ...] = (
    *TRANSPORT_FAULTS,
    FaultKind("jukebox", _B, ANY, "", "JUKEBOX: later, no effect", "RFC 1813 2.6"),
    FaultKind("stale", _B, ANY, "", "STALE, no effect", "RFC 1813 2.6; Linux NFS FAQ A10"),
    FaultKind("io_error", _B, DATA, "", "NFS3ERR_IO, no effect", "RFC 1813 2.6"),
    FaultKind("full", _B, SPACE, "", "no space until healed", _MEASURED),
    FaultKind("full_at_commit", _B, ("COMMIT",), "", "no space for unstable data until healed", "RFC 1813 3.3.21"),
    FaultKind("quota", _B, SPACE, "", "over quota until healed", "RFC 1813 2.6"),
    FaultKind("read_only", _B, CHANGES, "", "the export is read-only until healed", _MEASURED, lasting=True),
    FaultKind("root_squash", _B, ANY, "", "root is nobody until healed", _MEASURED, lasting=True),
    FaultKind("frozen", _B, ANY, "", "no answers until healed; the effects come then", _MEASURED, lasting=True),
)
