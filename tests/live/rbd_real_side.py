"""The real side of the RBD differential test, in a process of its own: librbd sometimes takes its process with it.

``python -m tests.live.rbd_real_side CONF FIRST COUNT STEPS [damage]`` prints, one line each, the answers of a program per
number, on the real modules, in a fresh pool.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from tests.simulators.rbd.programs import CONF_OF_CLIENTS, Runner, clone_format, draw


def main(conf: str, first: int, count: int, steps: int, damage: bool) -> None:
    """Run and print."""
    rados: Any = importlib.import_module("rados")
    rbd: Any = importlib.import_module("rbd")
    clients: dict[str, list[Any]] = {}
    for form in ("1", "2"):
        clients[form] = [
            rados.Rados(conffile=conf, conf={**CONF_OF_CLIENTS, "rbd_default_clone_format": form}) for _ in range(2)]
        for client in clients[form]:
            client.connect()
    for number in range(first, first + count):
        pair = clients[clone_format(number)]
        pool = f"program-{number}-{os.getpid()}"
        pair[0].create_pool(pool)
        pair[1].wait_for_latest_osdmap()
        contexts = tuple(client.open_ioctx(pool) for client in pair)
        answers = Runner(rados, rbd, contexts).run(draw(number, steps, damage=damage))
        print(json.dumps([number, answers]), flush=True)
        pair[0].delete_pool(pool)
    sys.stdout.flush()
    os._exit(0)  # without the destructors of handles whose pools are gone


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), "damage" in sys.argv)
