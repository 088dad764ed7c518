"""Calls of the RBD driver in a process of its own, so that it can be killed, or stopped, in the middle of one.

``python -m tests.live.rbd_driver_process CONF VERB URI...`` connects, prints ``ready``, waits for a line, makes the call, and
prints how it ended: ``ok``, or the error and its outcome.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from storcert.harness.contract import DataObjectUri, StorageError
from storcert.harness.drivers.rbd import RbdDriver

PART = 4 << 20


def main(conf: str, verb: str, *names: str) -> None:
    """One call."""
    driver: Any = RbdDriver({"conf": conf, "pool": "storcert"})
    uris = [DataObjectUri.parse(name) for name in names]
    list(driver.list_objects())
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        if verb == "write":
            with driver.open_output(*uris) as stream:
                for part in (os.urandom(PART), os.urandom(PART)):
                    view = memoryview(part)
                    while view:
                        view = view[stream.write(view) :]
        elif verb == "create":
            driver.create(uris[0], 8 << 20)
        else:
            getattr(driver, verb)(*uris)
        said = "ok"
    except StorageError as error:
        said = f"{type(error).__name__} {error.outcome}"
    print(said, flush=True)
    os._exit(0)  # a client of a stopped cluster would wait for it in its destructors


if __name__ == "__main__":
    main(*sys.argv[1:])
