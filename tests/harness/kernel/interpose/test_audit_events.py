"""The net under the fence is whole: every audit event has its place, and what slips past the replacements is caught by it."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.kernel.interpose import audit, installed, native_doors
from storcert.harness.kernel.interpose.unsimulated import NotSimulated
from tests.harness.kernel.interpose.audit_events import BELOW, HOOKED, NO_FILE

_RAISED = re.compile(r"""sys\.audit\(\s*["']([\w./]+)["']""")
#: Of other systems, and of tests of Python itself.
_NOT_HERE = ("msvcrt.", "winreg.", "_winapi.", "test")


def test_every_event_has_one_place() -> None:
    assert set(audit._HANDLERS) == HOOKED
    assert not (HOOKED & set(BELOW)) and not (HOOKED & NO_FILE) and not (set(BELOW) & NO_FILE)


def test_the_standard_library_of_this_python_raises_no_event_that_is_not_in_the_table() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"])
    raised: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" not in path.parts and "test" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            if "sys.audit(" in text:
                raised |= set(_RAISED.findall(text))
    assert "shutil.copyfile" in raised
    assert {name for name in raised if not name.startswith(_NOT_HERE)} <= HOOKED | set(BELOW) | NO_FILE


HIDDEN = """
import ctypes, os, signal, socket, sqlite3, syslog
CALLS = {
    "open": open, "mkdir": os.mkdir, "rmdir": os.rmdir, "remove": os.remove, "rename": os.rename, "link": os.link,
    "symlink": os.symlink, "truncate": os.truncate, "chmod": os.chmod, "chown": os.chown, "utime": os.utime,
    "listdir": os.listdir, "scandir": os.scandir, "chdir": os.chdir, "kill": os.kill, "killpg": os.killpg,
    "getxattr": os.getxattr, "setxattr": os.setxattr, "connect": sqlite3.connect, "CDLL": ctypes.CDLL,
    "pthread_kill": signal.pthread_kill, "getnameinfo": socket.getnameinfo, "syslog": syslog.syslog,
}
"""
FILES = [
    ("CALLS['open']('/x', 'w')", "open('/x', 'w')"),
    ("CALLS['mkdir']('/x/y')", "os.mkdir('/x/y')"),
    ("CALLS['rmdir']('/x/y')", "os.rmdir('/x/y')"),
    ("CALLS['remove']('/x/y')", "os.remove('/x/y')"),
    ("CALLS['rename']('/x/y', '/x/z')", "os.rename('/x/y', '/x/z')"),
    ("CALLS['link']('/x/y', '/x/z')", "os.link('/x/y', '/x/z')"),
    ("CALLS['symlink']('/x/y', '/x/z')", "os.symlink('/x/y', '/x/z')"),
    ("CALLS['truncate']('/x/y', 1)", "os.truncate('/x/y')"),
    ("CALLS['chmod']('/x/y', 0o600)", "os.chmod('/x/y')"),
    ("CALLS['chown']('/x/y', 0, 0)", "os.chown('/x/y')"),
    ("CALLS['utime']('/x/y')", "os.utime('/x/y')"),
    ("CALLS['listdir']('/x')", "os.listdir('/x')"),
    ("CALLS['scandir']('/x')", "os.scandir('/x')"),
    ("CALLS['chdir']('/x')", "os.chdir('/x')"),
    ("CALLS['getxattr']('/x', 'user.a')", "os.getxattr('/x')"),
    ("CALLS['setxattr']('/x', 'user.a', b'')", "os.setxattr('/x')"),
    ("CALLS['connect']('/x/names.db')", "sqlite3.connect('/x/names.db')"),
    ("CALLS['CDLL']('/x/libacme.so')", "ctypes.CDLL('/x/libacme.so')"),
    ("CALLS['CDLL'](None).open", "open() of the C library, through ctypes"),
    ("ctypes.CDLL(None).rename", "rename() of the C library, through ctypes"),
    ("sqlite3.connect(':memory:').execute(\"attach '/x/n.db' as other\")", "SQL that attaches a database file, '/x/n.db'"),
    ("CALLS['syslog']('hello')", "syslog.syslog() writes to the log of the machine"),
]


@pytest.mark.parametrize("deed, message", FILES, ids=[deed for deed, _ in FILES])
def test_files_past_the_replacements_are_found(bare_world: Any, deed: str, message: str) -> None:
    module = bare_world.module(f"{HIDDEN}\ndef act():\n    return {deed}\n")
    with installed(), pytest.raises((OSError, module.sqlite3.DatabaseError)):
        bare_world.run(module.act)
    assert (message, "vendor_driver.py", HIDDEN.count("\n") + 3) in bare_world.found()
    assert {one.kind for one in bare_world.here.findings} == {"file-system"}


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("CALLS['kill'](1, 0)", "subprocess"),
        ("CALLS['killpg'](1, 0)", "subprocess"),
        ("CALLS['pthread_kill'](1, 0)", "subprocess"),
        ("CALLS['getnameinfo'](('127.0.0.1', 80), 0)", "socket"),
    ],
)
def test_processes_and_sockets_past_the_replacements_are_refused(bare_world: Any, deed: str, kind: str) -> None:
    module = bare_world.module(f"{HIDDEN}\ndef act():\n    return {deed}\n")
    with installed(), pytest.raises(NotSimulated):
        bare_world.run(module.act)
    assert [one.kind for one in bare_world.here.findings] == [kind]


def test_what_touches_no_file_is_left_alone(bare_world: Any) -> None:
    deeds = (
        "ctypes.CDLL(None).strlen(b'abc')", "CALLS['CDLL'](None).getpid()", "ctypes.string_at(b'abc')",
        "hasattr(ctypes.CDLL('libm.so.6'), 'open')",
        "sqlite3.connect(':memory:').execute('create table a (b)').fetchall()",
        "sqlite3.connect(':memory:').execute(\"attach ':memory:' as other\").fetchall()",
    )  # fmt: skip
    module = bare_world.module(f"{HIDDEN}\ndef act():\n    return [{', '.join(deeds)}]\n")
    with installed():
        assert bare_world.run(module.act)[0] == 3
    assert bare_world.here.findings == []


def test_functions_are_known_by_all_their_names() -> None:
    assert {"open", "open64", "__open", "__open64"} & native_doors.FUNCTIONS == {"open", "open64", "__open"}
    assert "read" not in native_doors.FUNCTIONS and "strlen" not in native_doors.FUNCTIONS
