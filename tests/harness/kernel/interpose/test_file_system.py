"""Every way a driver file could touch a path: each a finding with the right file and line, and none of it happens."""

from __future__ import annotations

import ast
import os
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.kernel.interpose import installed

IMPORTS = """
import ctypes, glob, gzip, io, mmap, os, pathlib, posix, shutil, sqlite3, tempfile, zipfile
from os import rename, path
from shutil import copyfile
from pathlib import Path
from builtins import open as captured_open

class Driver:
    _open = open
    _stat = os.stat
    def with_default(self, path, opener=open):
        return opener(path, "w")
"""

# what the driver does; what the finding says; the error number (0: no error)
TOUCHES = [
    ("open('/tmp/x', 'w')", "open('/tmp/x', 'w')", 30),
    ("open('/tmp/x', mode='ab')", "open('/tmp/x', 'ab')", 30),
    ("open('/etc/passwd')", "open('/etc/passwd', 'r')", 2),
    ("open(b'/etc/passwd', 'rb')", "open(b'/etc/passwd', 'rb')", 2),
    ("open('/dev/rbd0', 'r+b')", "open('/dev/rbd0', 'r+b')", 30),
    ("open('/dev/urandom', 'rb')", "open('/dev/urandom', 'rb')", 2),
    ("open('scratch.bin', 'wb')", "open('scratch.bin', 'wb')", 30),
    ("io.open('/tmp/x', 'x')", "open('/tmp/x', 'x')", 30),
    ("captured_open('/tmp/x', 'w')", "open('/tmp/x', 'w')", 30),
    ("Driver()._open('/tmp/x', 'w')", "open('/tmp/x', 'w')", 30),
    ("Driver()._stat('/tmp/x')", "os.stat('/tmp/x')", 2),
    ("posix.stat('/etc')", "os.stat('/etc')", 2),
    ("os.open('/tmp/x', os.O_WRONLY | os.O_CREAT)", "os.open('/tmp/x', O_WRONLY|O_CREAT)", 30),
    ("os.open('/etc', os.O_RDONLY)", "os.open('/etc', O_RDONLY)", 2),
    ("rename('/a', '/b')", "os.rename('/a', '/b')", 30),
    ("os.replace('/a', '/b')", "os.replace('/a', '/b')", 30),
    ("os.remove('/a')", "os.remove('/a')", 30),
    ("os.unlink('/a')", "os.unlink('/a')", 30),
    ("os.rmdir('/a')", "os.rmdir('/a')", 30),
    ("os.mkdir('/a')", "os.mkdir('/a')", 30),
    ("os.link('/a', '/b')", "os.link('/a', '/b')", 30),
    ("os.symlink('/a', '/b')", "os.symlink('/a', '/b')", 30),
    ("os.readlink('/a')", "os.readlink('/a')", 2),
    ("os.chmod('/a', 0o600)", "os.chmod('/a')", 30),
    ("os.chown('/a', 0, 0)", "os.chown('/a')", 30),
    ("os.utime('/a')", "os.utime('/a')", 30),
    ("os.truncate('/a', 1)", "os.truncate('/a')", 30),
    ("os.mkfifo('/a')", "os.mkfifo('/a')", 30),
    ("os.mknod('/dev/a')", "os.mknod('/dev/a')", 30),
    ("os.access('/etc', os.R_OK)", "os.access('/etc')", 0),
    ("os.listdir('/etc')", "os.listdir('/etc')", 2),
    ("os.listdir()", "os.listdir('.')", 0),
    ("os.scandir('/etc')", "os.scandir('/etc')", 2),
    ("os.statvfs('/')", "os.statvfs('/')", 0),
    ("shutil.disk_usage('/')", "os.statvfs('/')", 0),
    ("os.chdir('/etc')", "os.chdir('/etc')", 2),
    ("list(os.walk('/etc'))", "os.scandir('/etc')", 0),
    ("glob.glob('/etc/*')", "os.scandir('/etc')", 0),
    ("os.path.exists('/etc')", "os.path.exists('/etc')", 0),
    ("path.isdir('/etc')", "os.path.isdir('/etc')", 0),
    ("path.getsize('/etc/passwd')", "os.path.getsize('/etc/passwd')", 2),
    ("Path('/etc').exists()", None, 0),
    ("Path('/tmp/x').write_text('x')", "open('/tmp/x', 'w')", 30),
    ("Path('/tmp/x').read_bytes()", "open('/tmp/x', 'rb')", 2),
    ("Path('/tmp/x').mkdir()", "os.mkdir('/tmp/x')", 30),
    ("Path('/tmp/x').touch()", None, 30),
    ("Path('/tmp/x').unlink()", "os.unlink('/tmp/x')", 30),
    ("copyfile('/etc/passwd', '/tmp/x')", "open('/etc/passwd', 'rb')", 2),
    ("shutil.rmtree('/tmp/x')", "os.lstat('/tmp/x')", 2),
    ("tempfile.mkstemp()", "os.open('/tmp/tmpXXXXXXXX', O_RDWR|O_CREAT|O_EXCL)", 30),
    ("tempfile.NamedTemporaryFile()", "os.open('/tmp/tmpXXXXXXXX', O_RDWR|O_CREAT|O_EXCL)", 30),
    ("tempfile.TemporaryDirectory()", "os.mkdir('/tmp/tmpXXXXXXXX')", 30),
    ("gzip.open('/tmp/x.gz', 'wb')", "open('/tmp/x.gz', 'wb')", 30),
    ("zipfile.ZipFile('/tmp/x.zip', 'w')", "open('/tmp/x.zip', 'w+b')", 30),
    ("sqlite3.connect('/tmp/db')", "sqlite3.connect('/tmp/db')", None),
    # Past the replacements, into the net:
    ("io.FileIO('/tmp/x', 'w')", "open('/tmp/x', 'w')", 30),
    ("io.FileIO('/etc/passwd')", "open('/etc/passwd', 'r')", 2),
    ("io.open_code('/etc/passwd')", "open('/etc/passwd', 'rb')", 2),
    ("sqlite3.Connection('/tmp/db')", "sqlite3.connect('/tmp/db')", 30),
    ("ctypes.CDLL('/opt/vendor/libx.so')", "ctypes.CDLL('/opt/vendor/libx.so')", 2),
    ("HIDDEN['open']('/tmp/x', 'w')", "open('/tmp/x', 'w')", 30),
    ("HIDDEN['rename']('/a', '/b')", "os.rename('/a', '/b')", 30),
    ("HIDDEN['listdir']('/etc')", "os.listdir('/etc')", 2),
]


@pytest.mark.parametrize("deed, message, number", TOUCHES, ids=[touch[0] for touch in TOUCHES])
def test_a_touch_is_found_and_does_not_happen(bare_world: Any, deed: str, message: str | None, number: int | None) -> None:
    # The driver is imported before the installation, so all it captured are originals. A container hides them from the scan.
    hidden = "HIDDEN = {'open': open, 'rename': os.rename, 'listdir': os.listdir}"
    source = f"{IMPORTS}\n{hidden}\ndef act():\n    # a comment\n    return {deed}\n"
    module = bare_world.module(source)
    with installed():
        if number == 0:
            bare_world.run(module.act)
        else:
            with pytest.raises((OSError, module.sqlite3.OperationalError)) as caught:
                bare_world.run(module.act)
            if number is not None:
                assert caught.value.errno == number
    line = len(source.splitlines())
    found = bare_world.found()
    assert found
    assert {(name, at) for _, name, at in found} == {("vendor_driver.py", line)}
    assert {one.kind for one in bare_world.here.findings} == {"file-system"}
    if message is not None:
        assert message in [text for text, _, _ in found]
    assert not os.path.exists("/tmp/x")


def test_a_default_argument_is_caught_too(bare_world: Any) -> None:
    module = bare_world.module(IMPORTS)
    with installed(), pytest.raises(OSError):
        bare_world.run(module.Driver().with_default, "/tmp/x")
    assert [message for message, _, _ in bare_world.found()] == ["open('/tmp/x', 'w')"]


def test_the_same_touch_is_told_once(world: Any) -> None:
    module = world.module("import os\ndef act():\n    return [os.path.exists('/x') for _ in range(5)]")
    world.run(module.act)
    world.run(module.act)
    assert world.found() == [("os.path.exists('/x')", "vendor_driver.py", 3)]


def test_the_kit_sees_the_real_files(world: Any, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    assert os.listdir(tmp_path) == ["real"]
    assert world.here.findings == []


def test_descriptors_made_outside_stay_real(world: Any, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "real", os.O_RDWR | os.O_CREAT)
    with open(tmp_path / "other", "w") as other:

        def act() -> int:
            os.write(descriptor, b"real")
            other.write("other")
            os.fsync(descriptor)
            return os.fstat(descriptor).st_size

        assert world.run(act) == 4
    os.close(descriptor)
    assert (tmp_path / "other").read_text() == "other"
    assert world.here.findings == []


def test_printing_and_logging_stay_real(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    def act() -> None:
        print("hello")
        logging.getLogger("vendor").error("oh")
        os.write(2, b"raw\n")

    world.run(act)
    captured = capfd.readouterr()
    assert captured.out == "hello\n"
    assert captured.err.endswith("raw\n")
    assert world.here.findings == []


def test_running_python_is_no_use_of_the_file_system(world: Any) -> None:
    world.module("VALUE = 3", "vendor_part")
    sys.modules.pop("vendor_part")
    for lazily in ("wave", "this_is_absent"):
        sys.modules.pop(lazily, None)

    def act() -> str:
        import importlib.metadata
        import inspect
        import traceback
        import wave

        import botocore

        assert wave.__name__ == "wave"
        assert __import__("vendor_part").VALUE == 3
        with pytest.raises(ImportError):
            __import__("this_is_absent")
        assert importlib.metadata.version("boto3")
        assert inspect.getsource(ast.parse)
        with pytest.raises(SyntaxError):
            ast.parse("1 +")
        with open(os.path.join(os.path.dirname(botocore.__file__), "cacert.pem")) as file:
            assert file.read(10)
        try:
            raise ValueError("shown")
        except ValueError:
            return traceback.format_exc()

    assert 'raise ValueError("shown")' in world.run(act)
    assert world.here.findings == []


@pytest.mark.skipif(find_spec("importlib_metadata") is None, reason="nothing that is installed here needs it")
def test_a_newer_copy_of_importlib_metadata_is_part_of_python_too(world: Any) -> None:
    __import__("importlib_metadata")  # from now on importlib.metadata asks it
    assert world.run(lambda: version("boto3"))
    assert world.here.findings == []


def test_installed_code_is_never_written(world: Any) -> None:
    with pytest.raises(OSError) as caught:
        world.run(open, pytest.__file__, "a")
    assert caught.value.errno == 30


def test_a_deed_inside_a_client_library_is_the_drivers_line(world: Any) -> None:
    from storcert.harness.kernel.interpose import blame

    library = world.folder / "site-packages" / "vendorlib"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("import os\ndef look(): return os.path.exists('/etc/vendor.conf')\n")
    sys.path.insert(0, str(library.parent))
    world.modules.append("vendorlib")
    try:
        module = world.module("import vendorlib\ndef act():\n    return vendorlib.look()\n")
        world.run(module.act)
        assert world.found() == [("os.path.exists('/etc/vendor.conf') (inside vendorlib)", "vendor_driver.py", 3)]
        # Only library code on the stack: the innermost line of the library, unless it is declared to be the driver.
        world.run(sys.modules["vendorlib"].look)
        assert world.found()[1] == ("os.path.exists('/etc/vendor.conf') (inside vendorlib)", "__init__.py", 2)
        blame.declare_driver_code(str(library))
        world.run(sys.modules["vendorlib"].look)
        assert world.found()[2] == ("os.path.exists('/etc/vendor.conf')", "__init__.py", 2)
    finally:
        sys.path.remove(str(library.parent))
        blame._declared.clear()
        blame._kinds.clear()


def test_temporary_folder_does_not_leak_between_locations(world: Any) -> None:
    import tempfile

    real = tempfile.gettempdir()
    there = world.kernel.location("host2", environ={"TMPDIR": "/var/scratch"})
    assert world.run(tempfile.gettempdir) == "/tmp"
    assert world.run(tempfile.gettempdir, location=there) == "/var/scratch"
    assert tempfile.gettempdir() == real
    assert world.here.findings == []


def test_sqlite_in_memory_is_no_file(world: Any) -> None:
    import sqlite3

    assert world.run(lambda: sqlite3.connect(":memory:").execute("select 1").fetchone()) == (1,)
    assert world.here.findings == []


def test_nothing_opens_for_a_dead_location(world: Any) -> None:
    ran: list[str] = []

    def act() -> None:
        try:
            world.kernel.sleep_ns(10)
        finally:
            try:
                os.rename("/a", "/b")
            finally:
                ran.append("unwound")

    world.spawn(act)
    world.kernel.run_for(1)
    world.here.crash()
    world.kernel.run_for(100)
    assert ran == []
    world.kernel.close()
    assert ran == ["unwound"]
    assert world.here.findings == []
