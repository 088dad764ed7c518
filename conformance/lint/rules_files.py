"""Lint rules about files, paths and streams (C-NOFS). Data only; the bad and the good code of each is linted by a test."""

from __future__ import annotations

from storcert.conformance.lint.rule import LintRule
from storcert.harness.record.lint_report import Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

FILE_RULES: tuple[LintRule, ...] = (
    LintRule(
        "NOFS-open", "C-NOFS", ERROR, "opens a file",
        "A driver runs on the management server, on a storage VM or on a host, and none of them promises a file "
        "system, room on it or that the next call runs on the same machine.",
        "Keep what is on its way in memory, a chunk at a time, and send it to the device. Where the device is a "
        "mounted path, open below the mount that the configuration names.",
        ("def read_key():", '    with open("key.pem") as file:', "        return file.read()"),
        ("def read_key(configuration):", '    return configuration["key"]'),
    ),
    LintRule(
        "NOFS-pathlib", "C-NOFS", ERROR, "makes a path of a file",
        "A path only means something on a machine that has it. What names an object is a URI.",
        "Use the parts of the URI and the device's own names. Where the device is a mounted path, start from the "
        "mount that the configuration names.",
        ("from pathlib import Path", "", "def place(self, name):", "    return Path(self.root) / name"),
        ("def key(self, uri):", '    return f"{self.prefix}{uri.kind}/{encode(uri.object_id)}"'),
    ),
    LintRule(
        "NOFS-tempfile", "C-NOFS", ERROR, "makes a temporary file",
        "A scratch file needs room on a disk that has nothing to do with the device, stays behind when the process "
        "dies, and turns a stream into two copies.",
        "Send chunks to the device as they come: parts of an upload, writes to the object in the making. What a "
        "device must know beforehand (a length, a digest) goes through memory, a part at a time.",
        ("import tempfile", "", "def open_output(self, uri, size=None):", "    return tempfile.NamedTemporaryFile()"),
        ("def open_output(self, uri, size=None):", "    return Upload(self.client, uri, bytearray())"),
    ),
    LintRule(
        "NOFS-shutil", "C-NOFS", ERROR, "copies, moves or removes files",
        "shutil works on files of the machine the driver happens to run on.",
        "Let the device copy, or move bytes from stream to stream (shutil.copyfileobj is fine: it knows no path).",
        (
            "import shutil", "", "def copy(self, source, destination):",
            "    shutil.copyfile(self.path(source), self.path(destination))",
        ),
        ("import shutil", "", "def pump(reader, writer):", "    shutil.copyfileobj(reader, writer)"),
    ),
    LintRule(
        "NOFS-look", "C-NOFS", ERROR, "looks at the file system",
        "What is there at one location says nothing about the device, and nothing about the next location. An absent "
        "mount looks like an empty folder.",
        "Ask the device through its client. Where the device is a mounted path, look below the mount, and compare its"
        " device number with that of the folder above it.",
        ("import os", "", "def describe(self, uri):", "    return os.path.getsize(self.path(uri))"),
        ("def describe(self, uri):", "    return self.client.head_object(Key=self.key(uri))"),
    ),
    LintRule(
        "NOFS-rename", "C-NOFS", ERROR, "renames or links files",
        "Commit by rename is atomic on one local file system and nowhere else: on an object store it is a copy and a "
        "deletion, across mounts it fails.",
        "Publish the way the device does it at one moment: complete the upload with a condition, swap a record.",
        ("import os", "", "def commit(self):", "    os.replace(self.temporary, self.final)"),
        ("def commit(self):", '    self.client.complete_multipart_upload(UploadId=self.upload, IfNoneMatch="*")'),
    ),
    LintRule(
        "NOFS-change", "C-NOFS", ERROR, "makes, removes or changes files or folders",
        "A folder made where nothing is mounted fills the local disk, and looks like the device until somebody mounts"
        " it.",
        "Change nothing but the device. Where the device is a mounted path, work relative to a descriptor of a folder"
        " below it.",
        ("import os", "", "def create(self, uri, size):", "    os.makedirs(self.folder(uri), exist_ok=True)"),
        ("def create(self, uri, size):", "    self.image.create(self.ioctx, self.name(uri), size)"),
    ),
    LintRule(
        "NOFS-fixed-path", "C-NOFS", ERROR, "has a path written into it",
        "A path that is in the source is a path of the developer's machine, or of one distribution.",
        "Take what the driver needs from its configuration.",
        ("def __init__(self, configuration):", '    self.work = "/var/lib/mine"'),
        ("def __init__(self, configuration):", '    self.client = connect(configuration["endpoint_url"])'),
    ),
    LintRule(
        "NOFS-device", "C-NOFS", ERROR, "uses a device node of the kernel",
        "A volume is not a block device of the machine the driver runs on: it may be reached over a protocol, and "
        "mapping it is the hypervisor's affair.",
        "Read and write through the client library (librbd, NBD or iSCSI in user space).",
        ("def place(self, uri):", '    return f"/dev/rbd/{self.pool}/{self.image(uri)}"'),
        ("def place(self, uri):", "    return (self.pool, self.image(uri))"),
    ),
    LintRule(
        "NOFS-mount", "C-NOFS", ERROR, "mounts, maps or formats",
        "Mounts and mapped devices outlive the call and the process, need root, and belong to a machine the driver "
        "knows nothing of.",
        "Reach the device through its client. A mount that is the device is made by the operator and named in the "
        "configuration.",
        (
            "import subprocess", "", "def attach(self, share):",
            '    subprocess.run(["mount", "-t", "nfs", share, self.target], timeout=60)',
        ),
        ("import subprocess", "", "def info(self, image):", '    subprocess.run(["rbd", "info", image], timeout=60)'),
    ),
    LintRule(
        "NOFS-command", "C-NOFS", WARNING, "runs a command that handles files",
        "cp, mv, dd and their like work on files of the machine the driver happens to run on.",
        "Call the client library of the device, or its own command.",
        ("import subprocess", "", "def copy(self, a, b):", '    subprocess.run(["cp", a, b], timeout=600, check=True)'),
        (
            "import subprocess", "", "def copy(self, a, b):",
            '    subprocess.run(["dog", "vdi", "clone", a, b], timeout=600, check=True)',
        ),
    ),
    LintRule(
        "NOFS-stream-use", "C-NOFS", WARNING, "asks a stream to be a file",
        "A stream that comes from a network has no descriptor, no position and no length. It can be read once.",
        "Read what comes, count it, and keep the part that may have to be sent again.",
        ("def upload(self, stream):", "    stream.seek(0, 2)", "    return self.client.put(stream, stream.tell())"),
        (
            "import io", "", "def upload(self, chunk):", "    body = io.BytesIO(chunk)", "    body.seek(0)",
            "    return self.client.put(body)",
        ),
    ),
    LintRule(
        "NOFS-stream-offer", "C-NOFS", ERROR, "offers a stream that is a file",
        "Whoever is offered seek, fileno or a length relies on it, and then works with this device only.",
        "Offer read, write, commit, abort and close, and nothing else.",
        (
            "class Input:", "    def read(self, n=-1):", "        return self.body.read(n)", "    def close(self):",
            "        self.body.close()", "    def seek(self, offset):", "        self.body = self.open_at(offset)",
        ),
        (
            "class Input:", "    def read(self, n=-1):", "        return self.body.read(n)", "    def close(self):",
            "        self.body.close()",
        ),
    ),
    LintRule(
        "NOFS-mmap", "C-NOFS", ERROR, "maps a file into memory",
        "A mapped file needs a descriptor of a local file, and a failing device is a signal instead of an error.",
        "Read and write ranges.",
        ("import mmap", "", "def pread(self, file, n):", "    return mmap.mmap(file.fileno(), n)"),
        ("import mmap", "", "def scratch(n):", "    return mmap.mmap(-1, n)"),
    ),
    LintRule(
        "NOFS-database", "C-NOFS", ERROR, "keeps a database file",
        "A database beside the driver is on one machine. The next location does not have it, and two of them "
        "disagree.",
        "What must be remembered belongs on the device, beside the objects it is about.",
        ("import sqlite3", "", "def __init__(self, configuration):", '    self.names = sqlite3.connect("names.db")'),
        (
            "import sqlite3", "", "def sorted_rows(rows):",
            '    return sqlite3.connect(":memory:").executemany("insert", rows)',
        ),
    ),
    LintRule(
        "NOFS-log-file", "C-NOFS", ERROR, "writes a log file",
        "Where a log goes is decided by the process the driver lives in, not by the driver.",
        "Use logging.getLogger(__name__) and no handlers.",
        ("import logging", "", 'logging.getLogger(__name__).addHandler(logging.FileHandler("driver.log"))'),
        ("import logging", "", "logger = logging.getLogger(__name__)"),
    ),
    LintRule(
        "NOFS-native", "C-NOFS", WARNING, "calls native code by hand",
        "What C does with files is seen by nothing that watches Python.",
        "Use the vendor's Python binding; certify with --isolate, which holds native code to the rule as well.",
        ("import ctypes", "", 'library = ctypes.CDLL("libvendor.so.1")'),
        ("import ctypes", "", "def packed(value):", "    return bytes(ctypes.c_uint64(value))"),
    ),
    LintRule(
        "NOFS-hidden", "C-NOFS", WARNING, "hides what it calls",
        "eval, exec and imports of computed names can do anything, and nobody can read it beforehand.",
        "Say what you mean: import the module, call the function.",
        ("import os", "", "def do(self, name, path):", "    return getattr(os, name)(path)"),
        ("import importlib", "", "def client(self):", '    return importlib.import_module("boto3")'),
    ),
)
