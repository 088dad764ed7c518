"""Who and where one is."""

from __future__ import annotations

import getpass
import os
import platform
import socket
from typing import Any


def facts() -> dict[str, Any]:
    return {
        "pid": os.getpid(), "host": socket.gethostname(), "fqdn": socket.getfqdn(), "node": platform.node(),
        "uname": os.uname().nodename, "name": platform.uname().node,
    }


def test_locations_differ(world: Any) -> None:
    there = world.kernel.location("host2", hostname="ssvm.example")
    here, other = world.run(facts), world.run(facts, location=there)
    assert here["host"] == here["node"] == here["uname"] == here["name"] == "host1"
    assert other["fqdn"] == "ssvm.example"
    assert not [key for key in here if here[key] == other[key]]
    assert facts()["pid"] not in (here["pid"], other["pid"])


def test_environment_is_the_locations(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ONLY_REAL", "1")
    captured = os.environ
    there = world.kernel.location("host2")

    def change() -> list[Any]:
        assert "ONLY_REAL" not in captured
        before = dict(captured)
        captured["NEW"] = "ä"
        del captured["COLOUR"]
        captured.update(A="1")
        assert captured.pop("A") == "1"
        os.putenv("ELSEWHERE", "1")
        home = os.path.expanduser("~/x")
        return [before, os.getenv("NEW"), os.environb[b"NEW"], sorted(captured), captured.get("COLOUR"), home]

    assert world.run(change) == [
        {"HOME": "/home/storage", "COLOUR": "red"}, "ä", "ä".encode(), ["HOME", "NEW"], None, "/home/storage/x",
    ]
    assert world.here.environ == {"HOME": "/home/storage", "NEW": "ä"}
    assert world.run(lambda: dict(os.environ), location=there) == {}
    assert "NEW" not in os.environ
    assert os.environ["ONLY_REAL"] == "1"


def test_user_is_the_same_on_every_machine(world: Any) -> None:
    assert world.run(lambda: (os.getuid(), os.getlogin(), getpass.getuser())) == (0, "root", "root")
    there = world.kernel.location("bare")
    assert world.run(os.path.expanduser, "~", location=there) == "/root"


def test_machine_is_the_same_on_every_machine(world: Any) -> None:
    assert world.run(platform.platform) == "Linux-6.1.0-x86_64-with-glibc2.36"
    assert world.run(lambda: (platform.system(), platform.release(), platform.processor())) == ("Linux", "6.1.0", "")
    assert world.here.findings == []
