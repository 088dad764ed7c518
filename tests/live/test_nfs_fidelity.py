"""The simulated NFS server and nfs-ganesha on loopback answer alike, call by call, but for the rows of one table."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter

import pytest

from storcert.conformance.live_targets.ganesha import Ganesha
from storcert.conformance.live_targets.onc_rpc import mount
from storcert.simulators.nfs.protocol import (
    CommitArguments,
    CreateArguments,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    Procedure,
    Stable,
    WriteArguments,
)
from tests.live.nfs_comparison import Comparison, Real, Simulated, compare, smallest
from tests.simulators.nfs.nfs_programs import Run, Slot, Step, draw

pytestmark = pytest.mark.live
P = Procedure
STEPS = 60
MIB = 1 << 20


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("export", "calls_min"), [("plain", 10_000), ("readonly", 2_000), ("squash", 1_000)])
def test_generated_programs(ganesha: Ganesha, export: str, calls_min: int) -> None:
    """Ten thousand calls take half a minute at most, so they are always made; more where the environment asks for more."""
    wanted = max(calls_min, int(os.environ.get("STORCERT_LIVE_CALLS", "0")) if export == "plain" else 0)
    calls = 0
    rows: Counter[str] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for seed in itertools.count():
        if calls >= wanted:
            break
        program = draw(seed, STEPS)
        found = compare(program, ganesha, export)
        if found.unexplained:
            steps = smallest(program[: found.calls], ganesha, export)
            pytest.fail("\n".join([f"seed {seed}", *found.unexplained, "shows with:", *(f"  {step}" for step in steps)]))
        calls += found.calls
        rows += found.rows
        seen += found.statuses
    print(f"{export}: {calls} calls, {len(seen)} kinds of answers; explained: {dict(sorted(rows.items()))}")
    if export == "plain":
        done = {name for name, status in seen if status == "NFS3_OK"}
        assert done >= {str(procedure) for procedure in P} - {"NULL"}, "a procedure that never succeeded was not compared"


def test_the_comparison_sees_a_wrong_model(ganesha: Ganesha, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were GETATTR always about the root, the programs would tell."""
    from storcert.simulators.nfs import reading
    from storcert.simulators.nfs import server as model

    monkeypatch.setitem(model.OPERATIONS, P.GETATTR, lambda fs, caller, call: reading.AttributesResult(
        fs.tree.root.attributes()))  # type: ignore[index]
    results = [compare(draw(seed, STEPS), ganesha) for seed in range(10)]
    assert any(result.unexplained for result in results)


def test_a_full_export(ganesha: Ganesha) -> None:
    """No space: refused at WRITE; CREATE, COMMIT and REMOVE work, and what was removed can be written again."""
    if not ganesha.has_small:
        pytest.skip("no loop mounts here")
    real = Real(ganesha)
    simulated = Simulated(capacity_bytes=14 * MIB)
    told = [_fill(simulated, simulated.server.root), _fill(real, mount(ganesha.mount_port, str(ganesha.path("small"))))]
    real.reconnect()
    assert told[0] == told[1] == [
        "WRITE NOSPC", "COMMIT OK", "CREATE OK", "WRITE NOSPC", "READ-ONLY CALLS OK", "REMOVE OK", "WRITE OK", "COMMIT OK"]


def _fill(target: Simulated | Real, root: bytes) -> list[str]:
    run = Run(target, root)

    def ask(procedure: Procedure, arguments: object) -> NfsStatus:
        run.xid += 1
        reply = target.call(procedure, arguments, uid=0, gid=0, connection=0, xid=run.xid)
        if procedure is P.CREATE and reply.status is NfsStatus.NFS3_OK:
            run.learn(reply.result.handle)
        return reply.status

    told: list[str] = []

    def tell(procedure: Procedure, arguments: object) -> None:
        told.append(f"{procedure} {ask(procedure, arguments).name.split('_')[-1].removeprefix('NFS3ERR')}")

    assert ask(P.CREATE, CreateArguments(root, b"big")) is NfsStatus.NFS3_OK
    big, data = run.slots[1], bytes(range(256)) * 4096
    status, offset = NfsStatus.NFS3_OK, 0
    while status is NfsStatus.NFS3_OK and offset < 64 * MIB:
        status = ask(P.WRITE, WriteArguments(big, offset, data, Stable.FILE_SYNC))
        offset += MIB
    # What is left of the last megabyte goes in small pieces.
    while ask(P.WRITE, WriteArguments(big, offset, data[:4096], Stable.FILE_SYNC)) is NfsStatus.NFS3_OK:
        offset += 4096
    tell(P.WRITE, WriteArguments(big, offset, data[:4096], Stable.FILE_SYNC))
    tell(P.COMMIT, CommitArguments(big))
    tell(P.CREATE, CreateArguments(root, b"more"))
    tell(P.WRITE, WriteArguments(run.slots[2], 0, data, Stable.FILE_SYNC))
    assert ask(P.GETATTR, ObjectArguments(big)) is ask(P.LOOKUP, NameArguments(root, b"big")) is NfsStatus.NFS3_OK
    told.append("READ-ONLY CALLS OK")
    tell(P.REMOVE, NameArguments(root, b"big"))
    tell(P.WRITE, WriteArguments(run.slots[2], 0, data, Stable.FILE_SYNC))
    tell(P.COMMIT, CommitArguments(run.slots[2]))
    return told


def test_a_frozen_server_does_it_later(ganesha: Ganesha) -> None:
    """The client gave up; the server was only slow to wake up. [the simulator's fault ``frozen``]"""
    root = mount(ganesha.mount_port, str(ganesha.path("plain")))
    real = Real(ganesha)
    real.empty(root)
    ganesha.freeze()
    try:
        with pytest.raises(TimeoutError):
            real.call(P.CREATE, CreateArguments(root, b"late"), uid=0, gid=0, connection=0, xid=1)
    finally:
        ganesha.thaw()
    numbers = itertools.count(2)

    def there() -> bool:
        real.reconnect()
        asked = NameArguments(root, b"late")
        return real.call(P.LOOKUP, asked, uid=0, gid=0, connection=0, xid=next(numbers)).status is NfsStatus.NFS3_OK

    # It was asked first, on another connection: the question whether it is done may overtake it.
    ganesha.daemons.wait_until(there, "late effect")
    real.reconnect()


def test_a_killed_server_has_another_verifier(ganesha: Ganesha) -> None:
    """Stable data stay on both; unstable ones the simulator loses. A process that is killed leaves them to the kernel, and
    a machine that loses power does not: the model has the worse of the two, which the verifier tells of on both."""
    told = []
    for target, root in _both(ganesha):
        run = Run(target, root)
        handles = []
        for name, stable in ((b"stable", Stable.FILE_SYNC), (b"unstable", Stable.UNSTABLE)):
            made, handle = run.step(Step("CREATE", {"directory": Slot(0), "name": name}))
            assert handle is not None, made
            run.learn(handle)
            handles.append(handle)
            run.step(Step("WRITE", {"file": Slot(len(handles)), "offset": 0, "data": b"data", "stable": stable}))
        before = run.verifier
        # Its verifier is the second in which it started.
        while int(time.time()) == int.from_bytes(before[:4], "little"):
            time.sleep(0.05)
        target.restart()
        told.append([run.step(Step("READ", {"file": Slot(number), "offset": 0, "count": 9}))[0]["data"] for number in (1, 2)])
        run.step(Step("COMMIT", {"file": Slot(1)}))
        assert run.verifier != before
    assert told == [[b"data", b""], [b"data", b"data"]]


def _both(ganesha: Ganesha) -> list[tuple[Simulated | Real, bytes]]:
    simulated, real = Simulated(), Real(ganesha)
    root = mount(ganesha.mount_port, str(ganesha.path("plain")))
    real.empty(root)
    return [(simulated, simulated.server.root), (real, root)]


def test_comparisons_start_from_nothing(ganesha: Ganesha) -> None:
    assert isinstance(compare(draw(1, 5), ganesha), Comparison)
