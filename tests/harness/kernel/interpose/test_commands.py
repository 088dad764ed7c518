"""Commands of a simulated device through ``subprocess``: pipes, text, input, timeouts, kills and crashes in virtual time."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import Any

import pytest

from storcert.harness.kernel.interpose import NotSimulated

SECOND_NS = 10**9


def herd(process: Any) -> int:
    """A command with a subcommand for everything: what a device's would be like."""
    kernel = process.location.kernel
    verb = process.arguments[1].decode() if len(process.arguments) > 1 else ""
    if verb == "upper":
        while data := process.read(4):
            process.write(data.upper())
    elif verb == "count":
        for number in range(int(process.arguments[2])):
            process.write(b"%d\n" % number)
            kernel.sleep_ns(SECOND_NS)
            process.location.services["seen"].append(number)
    elif verb == "fail":
        process.complain(b"no such sheep\r\n")
        return 3
    elif verb == "environ":
        process.write(process.environ.get("COLOUR", "none").encode())
    elif verb == "break":
        raise LookupError("a mistake of the simulator")
    elif verb == "flood":
        while True:
            process.write(b"x" * 100)
            kernel.sleep_ns(SECOND_NS)
    elif verb == "both":
        process.write(b"out ")
        process.complain(b"err ")
        process.write(b"out")
    return 0


@pytest.fixture
def world(world: Any) -> Any:
    world.here.services["command:herd"] = herd
    world.here.services["seen"] = []
    return world


def test_run_with_input_and_output(world: Any) -> None:
    done = world.run(lambda: subprocess.run(["herd", "upper"], input=b"dolly", capture_output=True, check=True))
    assert (done.stdout, done.stderr, done.returncode, done.args) == (b"DOLLY", b"", 0, ["herd", "upper"])


@pytest.mark.parametrize("how", [{"text": True}, {"encoding": "utf-8"}, {"universal_newlines": True}, {"errors": "strict"}])
def test_text(world: Any, how: dict[str, Any]) -> None:
    done = world.run(lambda: subprocess.run(["herd", "fail"], capture_output=True, **how))
    assert (done.stdout, done.stderr, done.returncode) == ("", "no such sheep\n", 3)
    assert world.run(lambda: subprocess.check_output(["herd", "upper"], input="be\n", **how)) == "BE\n"


def test_errors_are_those_of_subprocess(world: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        world.run(lambda: subprocess.check_output(["herd", "fail"], stderr=subprocess.PIPE))
    assert (caught.value.returncode, caught.value.stderr) == (3, b"no such sheep\r\n")
    assert world.run(lambda: subprocess.call(["herd", "fail"])) == 3


@pytest.mark.parametrize("name", ["herd", "/usr/bin/herd", b"herd"])
def test_names_of_a_command(world: Any, name: Any) -> None:
    assert world.run(lambda: subprocess.run([name, "environ"], stdout=-1).stdout) == b"red"
    assert world.run(lambda: subprocess.run([name, "environ"], stdout=-1, env={"COLOUR": "blue"}).stdout) == b"blue"


def test_which(world: Any) -> None:
    assert world.run(lambda: shutil.which("herd")) == "/usr/bin/herd"
    assert world.run(lambda: shutil.which("herd", path="/opt")) is None
    assert world.run(lambda: shutil.which("/usr/bin/herd")) == "/usr/bin/herd"


def test_streams_are_read_as_they_come(world: Any) -> None:
    def act() -> list[Any]:
        seen = []
        made: Any = subprocess.Popen(["herd", "count", "3"], stdout=subprocess.PIPE, text=True)
        with made as process:
            for line in process.stdout:
                seen.append((line, time.monotonic()))
        start = seen[0][1]
        return [*[(line, at - start) for line, at in seen], process.returncode]

    assert world.run(act) == [("0\n", 0), ("1\n", 1), ("2\n", 2), 0]


def test_a_conversation(world: Any) -> None:
    def act() -> list[bytes]:
        process: Any = subprocess.Popen(["herd", "upper"], stdin=-1, stdout=-1, bufsize=0)
        answers = []
        for word in (b"abcd", b"efgh"):
            process.stdin.write(word)
            answers.append(process.stdout.read(4))
        process.stdin.close()
        return [*answers, process.stdout.read(), bytes([process.wait()])]

    assert world.run(act) == [b"ABCD", b"EFGH", b"", b"\0"]


def test_a_timeout_comes_at_its_virtual_time_and_the_rest_can_be_had(world: Any) -> None:
    def act() -> list[Any]:
        start = time.monotonic()
        process: Any = subprocess.Popen(["herd", "count", "4"], stdout=-1)
        with pytest.raises(subprocess.TimeoutExpired) as caught:
            process.communicate(timeout=1.5)
        found = [time.monotonic() - start, caught.value.output, caught.value.timeout, process.poll()]
        return [*found, process.communicate()[0], time.monotonic() - start, process.poll()]

    assert world.run(act) == [1.5, b"0\n1\n", 1.5, None, b"0\n1\n2\n3\n", 4, 0]


def test_run_kills_at_a_timeout_and_what_was_done_stays(world: Any) -> None:
    def act() -> float:
        start = time.monotonic()
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["herd", "count", "9"], timeout=2.5)
        return time.monotonic() - start

    assert world.run(act) == 2.5
    world.kernel.run_for(20 * SECOND_NS)
    assert world.here.services["seen"] == [0, 1]


@pytest.mark.parametrize(("how", "status"), [("kill", -9), ("terminate", -15)])
def test_kill(world: Any, how: str, status: int) -> None:
    def act() -> list[Any]:
        process: Any = subprocess.Popen(["herd", "count", "9"], stdout=-1)
        time.sleep(1.5)
        getattr(process, how)()
        found = [process.wait(), process.poll(), process.stdout.read()]
        process.kill()
        process.send_signal(signal.SIGTERM)
        return [*found, process.returncode]

    assert world.run(act) == [status, status, b"0\n1\n", status]
    world.kernel.run_for(20 * SECOND_NS)
    assert world.here.services["seen"] == [0]


def test_a_crash_takes_the_command_along(world: Any) -> None:
    world.spawn(lambda: subprocess.run(["herd", "count", "9"]))
    world.kernel.run_for(3 * SECOND_NS // 2)
    world.here.crash()
    world.kernel.run_for(20 * SECOND_NS)
    assert world.here.services["seen"] == [0]


def test_a_command_nobody_waits_for_goes_on(world: Any) -> None:
    world.run(lambda: subprocess.Popen(["herd", "count", "3"]))
    world.kernel.run_for(20 * SECOND_NS)
    assert world.here.services["seen"] == [0, 1, 2]


def test_nobody_reads_any_more(world: Any) -> None:
    def act() -> int:
        process: Any = subprocess.Popen(["herd", "flood"], stdout=-1)
        time.sleep(2)
        process.stdout.close()
        return process.wait()

    assert world.run(act) == -signal.SIGPIPE


def test_writing_to_a_command_that_ended(world: Any) -> None:
    def act() -> None:
        process: Any = subprocess.Popen(["herd", "fail"], stdin=-1, bufsize=0)
        process.wait()
        with pytest.raises(BrokenPipeError):
            process.stdin.write(b"x")

    world.run(act)


def test_output_and_errors_in_one(world: Any) -> None:
    done = world.run(lambda: subprocess.run(["herd", "both"], stdout=-1, stderr=subprocess.STDOUT))
    assert (done.stdout, done.stderr) == (b"out err out", None)
    assert world.run(lambda: subprocess.run(["herd", "both"], stdout=-3, stderr=-3).returncode) == 0


def test_one_commands_output_is_the_others_input(world: Any) -> None:
    def act() -> bytes:
        first: Any = subprocess.Popen(["herd", "count", "2"], stdout=-1)
        second = subprocess.run(["herd", "upper"], stdin=first.stdout, stdout=-1)
        return second.stdout

    assert world.run(act) == b"0\n1\n"


def test_a_mistake_of_the_simulator_surfaces_where_it_is_waited_for(world: Any) -> None:
    with pytest.raises(LookupError, match="mistake"):
        world.run(lambda: subprocess.run(["herd", "break"], capture_output=True))


def test_a_vendors_own_popen(world: Any) -> None:
    class Loud(subprocess.Popen):  # type: ignore[type-arg]
        def wait(self, timeout: float | None = None) -> int:
            return super().wait(timeout) + 100

    assert world.run(lambda: Loud(["herd", "fail"]).wait()) == 103
    assert world.run(lambda: isinstance(Loud(["herd"]), Loud))


@pytest.mark.parametrize(
    "call",
    [
        lambda: subprocess.run("herd upper", shell=True),
        lambda: subprocess.run(["flock", "upper"]),
        lambda: subprocess.run(["/opt/herd"]),
        lambda: subprocess.run(["herd"], stdout=7),
        lambda: subprocess.Popen(["herd", "count", "3"]).send_signal(signal.SIGSTOP),
    ],
)
def test_everything_else_stays_refused(world: Any, call: Any) -> None:
    with pytest.raises(NotSimulated):
        world.run(call)
    assert [one.kind for one in world.here.findings] == ["subprocess"]


def test_elsewhere_the_command_does_not_exist(world: Any) -> None:
    with pytest.raises(NotSimulated):
        world.run(lambda: subprocess.run(["herd"]), location=world.kernel.location("host2"))
