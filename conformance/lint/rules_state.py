"""Lint rules about state, streams' ends and errors. Data only; the bad and the good code of each is linted by a test."""

from __future__ import annotations

from storcert.conformance.lint.rule import LintRule
from storcert.harness.record.lint_report import Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

STATE_RULES: tuple[LintRule, ...] = (
    LintRule(
        "STATELESS-cache", "C-STATELESS", ERROR, "caches what the device answered",
        "Another location changes or deletes the object, and this one goes on answering from memory.",
        "Ask the device each time. Connections and clients may be kept, answers not.",
        (
            "from functools import lru_cache", "", "class Driver:", "    @lru_cache(maxsize=None)",
            "    def describe(self, uri):", "        return self.client.head(uri)",
        ),
        (
            "from functools import lru_cache", "", "@lru_cache(maxsize=None)", "def client_of(endpoint):",
            "    return connect(endpoint)",
        ),
    ),
    LintRule(
        "STATELESS-memory", "C-STATELESS", ERROR, "remembers objects between calls",
        "The next call may run at another location, in another process, with another instance of the driver: what "
        "this one remembers is wrong there, and soon here.",
        "Keep nothing between calls. What must be known is on the device; what belongs to one transfer is in its "
        "stream.",
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def describe(self, uri):",
            "        self.sizes[uri] = self.client.head(uri)", "        return self.sizes[uri]",
        ),
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def describe(self, uri):",
            "        return self.client.head(uri)",
        ),
    ),
    LintRule(
        "STATELESS-where", "C-STATELESS", ERROR, "asks where it runs",
        "Host name, process number, user and environment differ between locations. A driver that uses them is another"
        " driver at each.",
        "Take what is needed from the configuration. For names that nobody else uses: uuid.uuid4().",
        ("import socket", "", "def owner(self):", "    return socket.gethostname()"),
        ("import uuid", "", "def owner(self):", "    return uuid.uuid4().hex"),
    ),
    LintRule(
        "STATELESS-background", "C-STATELESS", ERROR, "does something after the call has returned",
        "What was reported done must be done. A timer or a daemon thread that goes on may die with the process, or "
        "strike a new object of the same name.",
        "Do all of it in the call. Threads of one call are fine where the call waits for them.",
        ("import threading", "", "def delete(self, uri):", "    threading.Timer(5, self.client.delete, [uri]).start()"),
        (
            "from concurrent.futures import ThreadPoolExecutor", "", "def upload(self, parts):",
            "    with ThreadPoolExecutor(4) as pool:", "        return list(pool.map(self.client.upload_part, parts))",
        ),
    ),
    LintRule(
        "STATELESS-fork", "C-STATELESS", WARNING, "makes a process of itself",
        "A fork copies open connections, locks and random numbers. Two processes then speak over one connection.",
        "Stay in the calling process.",
        (
            "import multiprocessing", "", "def copy(self, a, b):",
            "    multiprocessing.Process(target=self.pump, args=(a, b)).start()",
        ),
        ("def copy(self, a, b):", "    self.client.copy(a, b)"),
    ),
    LintRule(
        "INDEP-shared", "C-INDEP", ERROR, "shares a container between streams",
        "A list in the class body, or as a default, is one list for all: two transfers write into each other.",
        "Make it in __init__.",
        (
            "class Output:", "    parts = []", "    def write(self, data):", "        self.parts.append(data)",
            "        return len(data)", "    def commit(self):", "        return self.done(self.parts)",
        ),
        (
            "class Output:", "    def __init__(self):", "        self.parts = []", "    def write(self, data):",
            "        self.parts.append(data)", "        return len(data)", "    def commit(self):",
            "        return self.done(self.parts)",
        ),
    ),
    LintRule(
        "ABORT-exit", "C-ABORT", ERROR, "commits whatever happened",
        "An exception inside the with block means that the bytes are not complete. Committing publishes half an "
        "object.",
        "Commit where the first argument of __exit__ is None; abort otherwise.",
        ("class Output:", "    def __exit__(self, kind, error, trace):", "        self.commit()"),
        (
            "class Output:", "    def __exit__(self, kind, error, trace):",
            "        self.commit() if kind is None else self.abort()",
        ),
    ),
    LintRule(
        "ABORT-drop", "C-ABORT", ERROR, "publishes what was dropped",
        "A stream nobody holds any more was given up. Python calls __del__ whenever it likes.",
        "Let __del__ release connections at most.",
        ("class Output:", "    def __del__(self):", "        self.commit()"),
        ("class Output:", "    def __del__(self):", "        self.connection.close()"),
    ),
    LintRule(
        "ERRORS-bare", "C-ERRORS", ERROR, "catches everything, the end of the program included",
        "A bare except also catches KeyboardInterrupt and the way a simulated crash takes, and turns them into "
        "something else.",
        "Name what the client library raises, and turn it into a typed error.",
        (
            "def delete(self, uri):", "    try:", "        self.client.delete(uri)", "    except:",
            "        self.failed += 1",
        ),
        (
            "def delete(self, uri):", "    try:", "        self.client.delete(uri)", "    except:",
            "        self.close()", "        raise",
        ),
    ),
    LintRule(
        "ERRORS-swallowed", "C-ERRORS", ERROR, "goes on as if nothing had happened",
        "The device said no, and the caller is told yes. Everything after that stands on an object that is not there.",
        "Catch what is expected, by name, and raise a typed error with a truthful outcome for the rest.",
        (
            "def delete(self, uri):", "    try:", "        self.client.delete(uri)", "    except Exception:",
            "        pass",
        ),
        (
            "def delete(self, uri):", "    try:", "        self.client.delete(uri)", "    except NotFound:",
            "        pass",
        ),
    ),
    LintRule(
        "ERRORS-none", "C-ERRORS", ERROR, "gives None for an answer",
        "The contract has an answer or an error, and no third thing. None breaks the caller far away from the cause.",
        "Raise ObjectNotFound; write returns how many bytes it took; commit describes the object.",
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def describe(self, uri):",
            "        found = self.client.head(uri)", "        if found is None:", "            return None",
            "        return found",
        ),
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def describe(self, uri):",
            "        found = self.client.head(uri)", "        if found is None:",
            "            raise ObjectNotFound(uri)", "        return found",
        ),
    ),
    LintRule(
        "ERRORS-foreign", "C-ERRORS", ERROR, "raises an exception that is none of the contract's",
        "Callers handle the ten errors of the contract. Anything else ends the job without an outcome.",
        "Raise InvalidRequest, Unsupported, ObjectNotFound... from storcert.harness.contract.",
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def copy(self, source, destination):",
            '        raise NotImplementedError("copy")',
        ),
        (
            "class Driver:", "    def create(self, uri, size):", "        self.client.create(uri, size)",
            "    def delete(self, uri):", "        self.client.delete(uri)", "    def copy(self, source, destination):",
            '        raise Unsupported("copy")',
        ),
    ),
    LintRule(
        "BUDGET-loop", "C-BUDGET", ERROR, "tries again for ever",
        "A device that stays away then holds the call, the thread and the job for ever.",
        "Count attempts or watch a clock, and raise DeviceUnavailable in the end.",
        (
            "import time", "", "def delete(self, uri):", "    while True:", "        try:",
            "            return self.client.delete(uri)", "        except ConnectionError:",
            "            time.sleep(1)",
        ),
        (
            "import time", "", "def delete(self, uri):", "    for attempt in range(5):", "        try:",
            "            return self.client.delete(uri)", "        except ConnectionError:",
            "            time.sleep(1)", "    raise DeviceUnavailable(uri)",
        ),
    ),
    LintRule(
        "BUDGET-timeout", "C-BUDGET", ERROR, "waits without an end",
        "A request without a timeout waits as long as the other side keeps silent.",
        "Give a timeout, and turn its error into DeviceUnavailable with outcome unknown.",
        (
            "import subprocess", "", "def info(self, image):",
            '    return subprocess.run(["rbd", "info", image], check=True)',
        ),
        (
            "import subprocess", "", "def info(self, image):",
            '    return subprocess.run(["rbd", "info", image], check=True, timeout=60)',
        ),
    ),
)
