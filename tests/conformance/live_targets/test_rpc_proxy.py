"""The fault proxy before an NFS server, and the client that sends again: what each fault makes of one call.

The server here says NOENT to everything and counts what reaches it, which is when something would have happened.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from storcert.conformance.live_door import Door
from storcert.conformance.live_targets import nfs_rpc
from storcert.conformance.live_targets.nfs_rpc import NfsRpc
from storcert.conformance.live_targets.onc_rpc import Connection, decode, encode
from storcert.conformance.live_targets.rpc_proxy import RpcProxy
from storcert.conformance.live_targets.rpc_proxy_faults import NOT_SHOWN, SHOWN
from storcert.conformance.live_targets.rpc_records import call_of, marked, receive_record, refusal
from storcert.conformance.live_targets.xdr import Unpacker
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.nfs.legal_faults import LEGAL_FAULTS
from storcert.simulators.nfs.protocol import (
    PROCEDURES,
    LinkArguments,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    Procedure,
    RenameArguments,
    WriteArguments,
)

HANDLE = b"handle-1"
REMOVE = NameArguments(HANDLE, b"a name")
WRITE = WriteArguments(HANDLE, 0, bytes(1000))
MILLISECOND_NS = 1_000_000


class Server:
    """``done``: what reached it."""

    def __init__(self) -> None:
        self.done: list[tuple[Procedure, int]] = []
        self._door = Door(self._serve)
        self.address = ("127.0.0.1", self._door.port)
        self._door.open()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while True:
                call = call_of(receive_record(connection))
                assert call is not None
                self.done.append((call.procedure, call.xid))
                connection.sendall(marked(refusal(call, NfsStatus.NFS3ERR_NOENT)))
        except OSError:
            connection.close()

    def close(self) -> None:
        self._door.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def proxy(server: Server) -> Iterator[RpcProxy]:
    def die(outage_ns: int, forgetting: bool) -> None:
        assert not forgetting, "nothing was written"
        threading.Timer(outage_ns / 1e9, made.returned).start()

    made = RpcProxy(server.address, die)
    yield made
    made.close()


@pytest.fixture
def rpc(proxy: RpcProxy) -> NfsRpc:
    return NfsRpc(proxy.port)


def answers(proxy: RpcProxy) -> list[str]:
    """How each call ended; what is written after the client has its answer is waited for."""
    ends_s = time.monotonic() + 5
    while any(one.answer == "pending" for one in proxy.requests) and time.monotonic() < ends_s:
        time.sleep(0.001)
    return [one.answer for one in proxy.requests]


def test_a_call_passes_and_is_counted(proxy: RpcProxy, rpc: NfsRpc, server: Server) -> None:
    proxy.location = "host-1"
    assert rpc.ask(Procedure.REMOVE, REMOVE).status is NfsStatus.NFS3ERR_NOENT
    assert answers(proxy) == ["NFS3ERR_NOENT"]
    seen = proxy.requests[0]
    assert (seen.operation, seen.target, seen.location, seen.faults) == ("REMOVE", "a name", "host-1", ())
    assert len(server.done) == 1


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (Fault("request_lost", "REMOVE"), 1),
        (Fault("answer_lost", "REMOVE", phase=Phase.AFTER), 2),
        (Fault("cut", "REMOVE", phase=Phase.DURING, value=5), 2),
        (Fault("cut", "REMOVE", phase=Phase.DURING, value=1 << 20), 2),
        (Fault("server_restart", "REMOVE", value=30 * MILLISECOND_NS), 1),
        (Fault("server_restart", "REMOVE", phase=Phase.AFTER, value=30 * MILLISECOND_NS), 2),
    ],
    ids=str,
)
def test_a_connection_that_breaks_sends_the_same_request_again(
    proxy: RpcProxy, rpc: NfsRpc, server: Server, fault: Fault, done: int
) -> None:
    proxy.arm([fault])
    assert rpc.ask(Procedure.REMOVE, REMOVE).status is NfsStatus.NFS3ERR_NOENT
    assert proxy.plan.fired == [fault]
    assert len(server.done) == done and len({xid for _, xid in server.done}) == 1
    proxy.heal()


def test_a_write_is_cut_before_it_is_done(proxy: RpcProxy, rpc: NfsRpc, server: Server) -> None:
    proxy.arm([Fault("cut", "WRITE", phase=Phase.DURING, value=100)])
    rpc.ask(Procedure.WRITE, WRITE)
    assert len(server.done) == 1
    assert answers(proxy) == ["cut", "NFS3ERR_NOENT"] and [one.sent_bytes for one in proxy.requests] == [1000, 1000]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("jukebox", NfsStatus.NFS3ERR_JUKEBOX), ("stale", NfsStatus.NFS3ERR_STALE), ("io_error", NfsStatus.NFS3ERR_IO)],
)
def test_a_status_in_the_servers_place(
    proxy: RpcProxy, rpc: NfsRpc, server: Server, kind: str, status: NfsStatus
) -> None:
    proxy.arm([Fault(kind, "WRITE")])
    said = [rpc.ask(Procedure.WRITE, WRITE).status for _ in range(2)]
    assert said == [status, NfsStatus.NFS3ERR_NOENT] and len(server.done) == 1


def test_a_full_export_says_so_until_it_is_healed(proxy: RpcProxy, rpc: NfsRpc, server: Server) -> None:
    proxy.arm([Fault("full", "WRITE", nth=2)])
    said = [rpc.ask(Procedure.WRITE, WRITE).status for _ in range(3)]
    said.append(rpc.ask(Procedure.REMOVE, REMOVE).status)
    proxy.heal()
    said.append(rpc.ask(Procedure.WRITE, WRITE).status)
    absent, full = NfsStatus.NFS3ERR_NOENT, NfsStatus.NFS3ERR_NOSPC
    assert said == [absent, full, full, absent, absent]


def test_a_connection_that_breaks_for_ever_is_an_error(
    proxy: RpcProxy, rpc: NfsRpc, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nfs_rpc, "BROKEN_PAUSES_S", (0.0, 0.0))
    proxy.arm([Fault("request_lost", "*", count=0)])
    with pytest.raises(OSError) as caught:
        rpc.ask(Procedure.REMOVE, REMOVE)
    assert caught.value.errno == errno.EIO and answers(proxy) == ["lost"] * 3 and server.done == []


def test_a_delay_strikes_before_and_after_the_effect(proxy: RpcProxy, rpc: NfsRpc) -> None:
    for phase in Phase:
        proxy.arm([Fault("slow", "REMOVE", phase=phase, value=30 * MILLISECOND_NS)])
        begun_ns = time.monotonic_ns()
        rpc.ask(Procedure.REMOVE, REMOVE)
        assert time.monotonic_ns() - begun_ns >= 30 * MILLISECOND_NS


def test_what_it_cannot_show_is_refused_and_said(proxy: RpcProxy) -> None:
    with pytest.raises(ValueError, match="no legal fault here"):
        proxy.arm([Fault("frozen")])
    assert {kind.name for kind in SHOWN} | set(NOT_SHOWN) == {kind.name for kind in LEGAL_FAULTS}


@pytest.mark.parametrize(
    ("procedure", "arguments", "name"),
    [
        (Procedure.GETATTR, ObjectArguments(HANDLE), ""),
        (Procedure.WRITE, WRITE, ""),
        (Procedure.REMOVE, REMOVE, "a name"),
        (Procedure.RENAME, RenameArguments(HANDLE, b"old", HANDLE, b"new"), "old"),
        (Procedure.LINK, LinkArguments(b"another", HANDLE, b"new"), "new"),
    ],
)
def test_a_refusal_is_an_answer_as_the_protocol_has_it(procedure: Procedure, arguments: object, name: str) -> None:
    xid = Connection.new_xid()
    call = call_of(_sent(xid, procedure, arguments))
    assert call is not None and (call.xid, call.procedure, call.target) == (xid, procedure, name)
    answer = Unpacker(refusal(call, NfsStatus.NFS3ERR_STALE))
    assert [answer.u32() for _ in range(3)] == [xid, 1, 0]
    answer.u32()
    answer.opaque()
    answer.u32()
    assert decode(procedure, answer).status is NfsStatus.NFS3ERR_STALE
    with pytest.raises(EOFError):
        answer.u32()


def _sent(xid: int, procedure: Procedure, arguments: object) -> bytes:
    """What a client sends."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        connection = object.__new__(Connection)
        connection._socket, connection._program = mine, 100003
        connection.send(PROCEDURES.index(procedure), encode(procedure, arguments), xid=xid)
        return receive_record(theirs)
