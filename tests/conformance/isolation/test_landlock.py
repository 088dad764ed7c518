"""Landlock as the kit uses it: what is refused and what is not, in a process of its own; where it is missing, clear words."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from storcert.conformance import cli, isolation, isolation_landlock
from storcert.conformance.isolation_landlock import LandlockMissing
from tests.simulators.nfs.mounted_world import M, mounted

TRY = textwrap.dedent("""
    import ctypes, json, os, sys
    from storcert.conformance import isolation_landlock
    open_, mount, other = sys.argv[1:4]
    isolation_landlock.restrict([open_, other + "/missing", open_ + "/file"], [mount])
    def tried(what):
        try:
            what()
        except OSError as error:
            return error.errno
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    def native(path, flags):
        def call():
            if libc.open(os.fsencode(path), flags, 0o600) < 0:
                raise OSError(ctypes.get_errno(), path)
        return call
    os.pipe()
    print(json.dumps({
        "read": tried(native(open_ + "/file", os.O_RDONLY)), "list": tried(lambda: os.listdir(open_)),
        "write": tried(native(open_ + "/file", os.O_WRONLY)), "make": tried(native(open_ + "/new", os.O_WRONLY | os.O_CREAT)),
        "remove": tried(lambda: os.unlink(open_ + "/file")), "folder": tried(lambda: os.mkdir(open_ + "/folder")),
        "rename": tried(lambda: os.rename(open_ + "/file", open_ + "/other")),
        "read elsewhere": tried(native(other + "/file", os.O_RDONLY)), "list elsewhere": tried(lambda: os.listdir(other)),
        "mount": tried(native(mount + "/new", os.O_WRONLY | os.O_CREAT)), "mount folder": tried(lambda: os.mkdir(mount + "/f")),
        "run": tried(lambda: os.execv("/bin/true", ["true"])),
    }))
""")


def has_landlock() -> bool:
    try:
        isolation_landlock.abi()
    except LandlockMissing:
        return False
    return True


needs_landlock = pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")


@needs_landlock
def test_only_what_is_named_can_be_opened_whoever_opens_it(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("open", "mount", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "file").write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", TRY, *map(str, folders)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "read": 0, "list": 0, "mount": 0, "mount folder": 0,
        **dict.fromkeys(("write", "make", "remove", "folder", "read elsewhere", "list elsewhere", "run"), errno.EACCES),
        "rename": errno.EACCES,
    }  # fmt: skip
    assert (tmp_path / "mount" / "new").exists() and not (tmp_path / "open" / "new").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSYS, "this kernel has no Landlock: Linux 5.13 or later is needed"),
        (errno.EOPNOTSUPP, "switched off: add landlock to its lsm= parameter"),
        (errno.EPERM, "a container or sandbox around this process forbids"),
        (errno.EIO, "the kernel answers Input/output error"),
    ],
)
def test_where_landlock_is_missing_certify_says_so_and_does_not_run(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(isolation_landlock, "_call", lambda *arguments: (-1, number))
    assert cli.run(["certify", "s3", "--isolate"]) == 4
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("storcert: --isolate: ") and words in said.err
    assert said.err.count("\n") == 1


def test_another_system_or_machine_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LandlockMissing, match="Landlock is a part of Linux, and this is darwin"):
        isolation_landlock.abi()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "alpha")
    with pytest.raises(LandlockMissing, match="alpha"):
        isolation_landlock.abi()


def test_newer_kernels_are_held_to_the_rights_we_know() -> None:
    rights = [isolation_landlock.handled_rights(version).bit_length() for version in (1, 2, 3, 4, 5, 7, 99)]
    assert rights == [13, 14, 15, 15, 16, 16, 16]


def test_outside_of_isolated_processes_a_refusal_is_the_drivers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = PermissionError(errno.EACCES, "no", "/x/y")
    assert isolation.refused(denied) == []
    monkeypatch.setattr(isolation, "_active", [True])
    try:
        raise ValueError("wrapped") from denied
    except ValueError as wrapped:
        (found,) = isolation.refused(wrapped)
    assert found.kind == "file-system" and found.message == "a path '/x/y', tried past Python, in native code"
    assert isolation.refused(FileNotFoundError(errno.ENOENT, "no", "/x")) == []
    assert isolation.refused(None) == []


class _Silent:
    @staticmethod
    def told() -> list[str]:
        return []


@pytest.mark.parametrize("watched", [True, False])
def test_what_a_simulated_server_refuses_is_no_refusal_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    """A server that squashes root says ``EACCES`` too, and a correct driver was accused of it in profile standard."""
    monkeypatch.setattr(isolation, "_active", [True])
    monkeypatch.setattr(isolation, "_watch", [_Silent()] if watched else [])
    with mounted() as world:
        world.run(lambda: os.mkdir(f"{M}/d"))
        world.arm("root_squash", "*")
        with pytest.raises(PermissionError) as caught:
            world.run(lambda: os.open(f"{M}/d/b", os.O_CREAT | os.O_WRONLY))
    assert caught.value.errno == errno.EACCES
    assert isolation.refused(caught.value) == []


def test_where_somebody_watches_his_word_counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_active", [True])
    monkeypatch.setattr(isolation, "_watch", [_Silent()])
    assert isolation.refused(PermissionError(errno.EACCES, "no", "/x/y")) == []
