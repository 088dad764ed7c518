"""The faults that a proxy before a real NFS server can show, and the statuses it gives in the server's place.

The names are those of the simulated export, so that one schedule runs on both. What is different in real time:

- ``request_lost`` and ``answer_lost``: silence is not waited for, the connection is reset at once. The client makes a new one
  and sends the same request again, as the kernel's client does when it waited in vain.
- ``cut``: inside the record of a WRITE (not done), or inside that of an answer (done).
- ``server_restart``: the server is really killed and started again; it has forgotten what it had answered, and its write
  verifier is another one. The machine goes on: what the server had written unstably may be there.
- ``full``, ``quota``, ``read_only``: the proxy refuses what the simulator refuses, overwriting included.
- ``full_at_commit``: COMMIT is refused; data that were to be committed may be there.
"""

from __future__ import annotations

from collections.abc import Mapping

from storcert.simulators.device import FaultKind
from storcert.simulators.nfs.legal_faults import LEGAL_FAULTS
from storcert.simulators.nfs.status import NfsStatus

NOT_SHOWN = {
    "crash": "the driver runs in this process: it cannot die alone",
    "power_loss": "nobody cuts the power of a real server here",
    "frozen": "silence is not waited for in real time",
    "root_squash": "what modes allow is the real server's affair",
}
SHOWN: tuple[FaultKind, ...] = tuple(kind for kind in LEGAL_FAULTS if kind.name not in NOT_SHOWN)

ONCE: Mapping[str, NfsStatus] = {
    "jukebox": NfsStatus.NFS3ERR_JUKEBOX, "stale": NfsStatus.NFS3ERR_STALE, "io_error": NfsStatus.NFS3ERR_IO,
}  # fmt: skip
"""Said to the request that is struck."""
UNTIL_HEALED: Mapping[str, NfsStatus] = {
    "full": NfsStatus.NFS3ERR_NOSPC, "full_at_commit": NfsStatus.NFS3ERR_NOSPC, "quota": NfsStatus.NFS3ERR_DQUOT,
    "read_only": NfsStatus.NFS3ERR_ROFS,
}  # fmt: skip
"""Said from then on to every request that the fault can strike."""
OPERATIONS: Mapping[str, tuple[str, ...]] = {kind.name: kind.operations for kind in SHOWN}
