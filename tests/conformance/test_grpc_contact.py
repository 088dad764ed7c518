"""First contact with the server of a driver, and its loss: one clear line each, and never a driver accused of it."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import first_contact
from storcert.conformance.cli import run
from storcert.conformance.driver_source import find_driver
from storcert.conformance.grpc_source import target_of
from storcert.conformance.options import certify_options
from storcert.conformance.usage import InvalidUsage
from storcert.harness.contract import DataObjectUri, InvalidRequest
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.server import DriverServer
from storcert.harness.record.codec import read_file
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import certify
from tests.harness.protocol.broken_servers import correct, serving
from tests.harness.protocol.serving import served


def refused(reference: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What the command line says, after at most five seconds, with exit code 4."""
    begun_s = time.monotonic()
    assert run(["certify", reference, *more]) == 4
    assert time.monotonic() - begun_s < 5
    said = capsys.readouterr().err
    assert said.startswith("storcert: ") and said.count("\n") == 1, said
    return said


class TestFirstContact:
    def test_nobody_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        said = refused(f"grpc://127.0.0.1:{port}", capsys)
        assert f"nobody answers at 127.0.0.1:{port} (Connection refused); start the driver's server first" in said
        assert f"`storcert serve-driver DRIVER --port {port}`" in said

    def test_a_web_server(self, capsys: pytest.CaptureFixture[str]) -> None:
        class Quiet(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            said = refused(f"grpc://127.0.0.1:{server.server_port}", capsys)
            server.shutdown()
        assert "does not speak gRPC" in said

    def test_a_port_that_says_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler, bind_and_activate=True) as silent:
            said = refused(f"grpc://127.0.0.1:{silent.server_address[1]}", capsys)
        assert "does not speak gRPC" in said

    def test_another_service(self, capsys: pytest.CaptureFixture[str]) -> None:
        with serving({}) as target:
            assert "it does not know storcert.driver.v1.Driver" in refused(f"grpc://{target}", capsys)

    def test_another_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        with served(MemoryDriver, protocol_versions=(2, 3)) as server:
            said = refused(server.address, capsys)
        assert "speaks version 3 of the driver protocol, this storcert speaks 1" in said

    @pytest.mark.parametrize("method", ["Delete", "OpenInput", "OpenOutput", "GetCapabilities"])
    def test_a_mandatory_method_is_missing(self, method: str, capsys: pytest.CaptureFixture[str]) -> None:
        answers = correct()
        del answers[method]
        with serving(answers) as target:
            said = refused(f"grpc://{target}", capsys)
        assert f"its server does not implement {method}, which every driver has (it answers UNIMPLEMENTED)" in said

    def test_a_configuration_that_the_driver_refuses(self, capsys: pytest.CaptureFixture[str]) -> None:
        class Asks(MemoryDriver):
            def __init__(self, configuration: Mapping[str, Any]) -> None:
                raise InvalidRequest("no pool is configured")

        with served(Asks) as server:
            said = refused(server.address, capsys)
        assert "its constructor raised InvalidRequest: no pool is configured" in said and ".py" not in said

    def test_a_server_that_hangs_when_an_instance_is_made(self, capsys: pytest.CaptureFixture[str]) -> None:
        never = threading.Event()

        def hang(request: Any, context: Any) -> Any:
            never.wait(30)
            return pb.MakeInstanceResponse(instance="1")

        with serving({**correct(), "MakeInstance": hang}) as target:
            assert "did not answer within 3.5 s" in refused(f"grpc://{target}", capsys)
            never.set()

    def test_a_server_that_is_slow_at_every_step(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No step is too slow by itself, and together they are."""
        monkeypatch.setattr(first_contact, "LIMIT_S", 1.5)
        never, begun_s = threading.Event(), time.monotonic()

        def slow(answer: Any) -> Any:
            return lambda request, context: never.wait(0.6) or answer(request, context)

        answers = correct()
        for name in ("Hello", "GetCapabilities", "MakeInstance", "Describe"):
            answers[name] = slow(answers[name])
        with serving(answers) as target:
            assert "did not answer within 1.5 s" in refused(f"grpc://{target}", capsys)
            assert time.monotonic() - begun_s < 3
            never.set()

    @pytest.mark.parametrize(
        ("reference", "words"),
        [
            ("grpc://", "say grpc://HOST:PORT"), ("grpc://127.0.0.1", "say grpc://HOST:PORT"),
            ("grpc://127.0.0.1:0", "say grpc://HOST:PORT"), ("grpc://127.0.0.1:70000", "say grpc://HOST:PORT"),
            ("grpc://127.0.0.1:80/x", "say grpc://HOST:PORT"), ("grpc://192.0.2.1:50051", "192.0.2.1 is not this machine"),
            ("grpc://storage.example:50051", "storage.example is not this machine"),
        ],
    )  # fmt: skip
    def test_an_address_that_is_none(self, reference: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert words in refused(reference, capsys)

    def test_without_the_extra(self) -> None:
        program = (
            "import sys; sys.modules['grpc'] = None; sys.modules['google.protobuf'] = None\n"
            "from storcert.conformance import cli\n"
            "codes = cli.run(['certify', 'grpc://127.0.0.1:5']), cli.run(['serve-driver', 'fsspec'])\n"
            "print(codes, cli.run(['certify', 'fsspec', '--rule', 'C-LIST', '--profile', 'core', '--workers', '1']))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stderr.count("gRPC is not installed here: pip install 'storcert[grpc]'") == 1
        assert "serve-driver needs gRPC, which is not installed here" in done.stderr
        assert done.stdout.splitlines()[-1] == "(4, 4) 0", done.stderr

    def test_addresses(self) -> None:
        assert target_of("grpc://[::1]:5/") == "[::1]:5"
        assert target_of("grpc://localhost:5") == "localhost:5"
        assert target_of("grpc://storage.example:5", True) == "storage.example:5"

    def test_who_it_is_stands_in_the_options(self) -> None:
        with served(MemoryDriver, version="2.1", digest="sha256:" + "0" * 64) as server:
            source = find_driver(server.address)
            options = certify_options(server.address)
            with pytest.raises(InvalidUsage, match=r"--device nfs: grpc://.* runs in a process of its own"):
                certify_options(server.address, device="nfs")
        assert (source.name, source.version, options.device) == ("MemoryDriver", "2.1", "live")
        assert source.configuration == {"grpc_target": server.address.removeprefix("grpc://")}
        assert options.configuration == {}, "a port is nothing that a record is to be compared by"
        with served(MemoryDriver, version="2.2", digest="sha256:" + "0" * 64) as other:
            assert find_driver(other.address).digest != source.digest


class Dies(MemoryDriver):
    """Its process ends at the third object that is made."""

    made = 0
    server: DriverServer

    def create(self, uri: DataObjectUri, size: int) -> None:
        Dies.made += 1
        if Dies.made == 3:
            threading.Thread(target=Dies.server.stop).start()
            time.sleep(0.05)
        super().create(uri, size)


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[DriverServer]:
    monkeypatch.setattr("storcert.conformance.confirm.COMES_BACK_NS", 0)  # nobody starts it again
    Dies.made = 0
    with served(Dies) as server:
        Dies.server = server
        yield server


class TestItsEnd:
    def test_a_server_that_dies_in_the_middle_ends_the_run_and_accuses_nobody(self, dying: DriverServer) -> None:
        begun_s = time.monotonic()
        record = certify(dying.address, "C-CREATE", "C-READ", device="live")
        assert time.monotonic() - begun_s < 20
        assert record.verdict is RunVerdict.UNDECIDED and record.exit_code() == 5
        assert record.counts.failed == 0 and record.failures == ()
        assert "the driver's server at" in record.reason and "is gone" in record.reason
        reasons = [check.reason for check in record.checks if check.verdict is Verdict.UNKNOWN]
        assert sum(reason.startswith("not tried: the device is out of reach since C-") for reason in reasons) > 20

    def test_on_the_command_line(self, dying: DriverServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "run.json"
        assert run(["certify", dying.address, "--profile", "core", "--rule", "C-CREATE", "--json", str(file)]) == 5
        assert "is gone" in capsys.readouterr().out
        assert read_file(file).verdict is RunVerdict.UNDECIDED

    def test_a_driver_that_crashes_again_when_it_is_restarted_is_at_fault(self) -> None:
        """Its process is started again at once, as a supervisor does; the same call ends it again."""

        class Crashes(MemoryDriver):
            def create(self, uri: DataObjectUri, size: int) -> None:
                if size == 0:
                    ended.set()
                    time.sleep(1)
                super().create(uri, size)

        ended, over = threading.Event(), threading.Event()

        def supervise() -> None:
            nonlocal server
            while not over.is_set():
                if ended.wait(0.05):
                    ended.clear()
                    server.stop()
                    server = DriverServer(server_of, port=port)

        from storcert.harness.protocol.server import Served

        server_of = Served(Crashes, "crashes")
        server = DriverServer(server_of)
        port = server.port
        supervisor = threading.Thread(target=supervise)
        supervisor.start()
        try:
            record = certify(server.address, "C-CREATE", device="live")
        finally:
            over.set()
            supervisor.join()
            server.stop()
        verdicts = {rule.id: rule.verdict for rule in record.rules}
        assert verdicts["C-CREATE"] is Verdict.FAIL
        assert any("is gone" in failure.message for failure in record.failures)
