"""Runs a drawn program on the simulated modules, and compares its answers with those of the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.rbd import RbdCluster, doors
from storcert.simulators.rbd.known_differences import RBD_DIFFERENCES, KnownDifference
from tests.simulators.rbd.programs import CONF_OF_CLIENTS, Runner, Step, clone_format, draw

LIMIT_NS = 10**15


def simulated(number: int, steps: int, *, damage: bool = False, digest: bool = False) -> list[Any]:
    """Answers of the simulated modules, as JSON gives them back; with ``digest``, that of the world at the end."""
    rados, rbd = doors.modules()
    kernel = Kernel(number)
    try:
        device = RbdCluster(kernel)
        here = kernel.location("here")
        device.attach(here)

        def body() -> list[Any]:
            conf = {**CONF_OF_CLIENTS, "rbd_default_clone_format": clone_format(number)}
            clients = [rados.Rados(conffile="/etc/ceph/ceph.conf", rados_id="storcert", conf=conf) for _ in range(2)]
            for client in clients:
                client.connect()
            clients[0].create_pool("p")
            contexts = tuple(client.open_ioctx("p") for client in clients)
            return Runner(rados, rbd, contexts).run(draw(number, steps, damage=damage))

        with installed():
            task = kernel.spawn(body, location=here)
            kernel.run_until_done(task, limit_ns=LIMIT_NS)
        if task.error is not None:
            raise task.error
        assert task.done, f"program {number} waits for {task.waiting_for}"
        answers: list[Any] = json.loads(json.dumps(task.result))
        return [*answers, kernel.digest()] if digest else answers
    finally:
        kernel.close()


def compare(
    program: Sequence[Step], model: Sequence[Any], real: Sequence[Any],
) -> tuple[int, str | None, KnownDifference | None]:
    """How many answers were compared, the first difference nobody explains, and the row that explains the first one there is.

    After a difference the two worlds are no longer the same; what follows is not compared.
    """
    for place, (step, ours, theirs) in enumerate(zip(program, model, real, strict=True)):
        if ours != theirs:
            for row in RBD_DIFFERENCES:
                if row.explains(step[0], ours, theirs):
                    return place + 1, None, row
            return place + 1, f"step {place} {step}: simulated {ours}, real {theirs}", None
    return len(program), None, None
