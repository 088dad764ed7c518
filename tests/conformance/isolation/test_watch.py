"""The watch on native code, in a process of its own: what is told by its path, and what is let through."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from storcert.conformance import isolation_watch

TRY = textwrap.dedent("""
    import ctypes, json, os, sys
    from storcert.conformance import isolation_watch
    readable, mount, quiet, other = sys.argv[1:5]
    os.chdir(quiet)
    installed = [sys.prefix, sys.base_prefix, "/lib", "/usr/lib", "/etc/ld.so.cache"]
    watch = isolation_watch.start([readable, *installed], [mount], [quiet])
    libc = ctypes.CDLL(None, use_errno=True)
    def tried(name, *words):
        answer = getattr(libc, name)(*(os.fsencode(one) if isinstance(one, str) else one for one in words))
        return [int(answer) >= 0, [one.replace(other, "OTHER") for one in watch.told()]]
    folder = os.open(readable, os.O_RDONLY)
    make = os.O_WRONLY | os.O_CREAT
    print(json.dumps({
        "read": tried("open", readable + "/file", os.O_RDONLY), "mount": tried("open", mount + "/new", make, 0o600),
        "write": tried("open", other + "/new", make, 0o600), "read other": tried("open", other + "/file", os.O_RDONLY),
        "again": [tried("open", other + "/x", 0), tried("open", other + "/x", 0)][1],
        "rename": tried("rename", mount + "/new", other + "/new"), "relative": tried("openat", folder, "../other/file", 0),
        "link": tried("open", readable + "/link", os.O_RDONLY), "quiet": tried("open", "file", os.O_RDONLY),
        "look": tried("access", other + "/file", 0), "run": tried("mkdir", other + "/folder", 0o700),
    }))
""")


@pytest.mark.skipif(not isolation_watch.available(), reason="this kernel, or the container, has no user notification")
def test_what_is_tried_is_told_by_its_path(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("readable", "mount", "quiet", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "file").write_text("x")
    (tmp_path / "readable" / "link").symlink_to(tmp_path / "other" / "file")
    done = subprocess.run(
        [sys.executable, "-c", TRY, *map(str, folders)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "read": [True, []], "mount": [True, []], "look": [True, []],
        "write": [False, ["openat('OTHER/new') for writing"]], "read other": [False, ["openat('OTHER/file')"]],
        "again": [False, ["openat('OTHER/x')"]], "rename": [False, [f"rename('{folders[1]}/new', 'OTHER/new')"]],
        "relative": [False, ["openat('OTHER/file')"]], "quiet": [False, []], "run": [False, ["mkdir('OTHER/folder')"]],
        "link": [False, [f"openat('{folders[0]}/link')"]],
    }  # fmt: skip
    assert not (tmp_path / "other" / "new").exists() and not (tmp_path / "other" / "folder").exists()


def test_elsewhere_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert not isolation_watch.available()
