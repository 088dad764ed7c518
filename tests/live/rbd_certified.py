"""The command line in a process that ends clients nobody uses any more: ``python -m tests.live.rbd_certified certify rbd ...``.

The binding leaves a client of the cluster running when it is dropped, with a dozen threads. A driver is made once and kept;
the kit makes a thousand, and with so many threads everything takes ten times as long. Streams hold the pool of their driver,
so when it has gone, and whatever went with it, nothing is open any more: its client is ended when the next one is made.
"""

from __future__ import annotations

import sys
import weakref

from storcert.conformance.cli import main
from storcert.harness.drivers.rbd_pool import Pool, Session

UNUSED: list[Session] = []
CONNECTED = Pool._connected


def connected(pool: Pool) -> Session:
    """As the driver's own."""
    is_new = pool._session is None
    if is_new:
        while UNUSED:
            UNUSED.pop().cluster.shutdown()
    session = CONNECTED(pool)
    if is_new:
        weakref.finalize(pool, UNUSED.append, session)
    return session


if __name__ == "__main__":
    Pool._connected = connected  # type: ignore[method-assign]
    sys.exit(main())
