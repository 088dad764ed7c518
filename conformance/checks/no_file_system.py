"""C-NOFS: no file system is assumed, neither where the driver runs nor of its streams.

What driver code did with files is collected over the whole run and judged once, at its end (:mod:`..certify`); the check
here provokes every operation, so that also a run of this rule alone sees them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storcert.conformance.bench import Bench
from storcert.conformance.content import content
from storcert.conformance.observe import both
from storcert.conformance.registry import check
from storcert.conformance.violation import Violation, require
from storcert.harness.contract import StorageError
from storcert.harness.record.finding import Finding

RULE = "C-NOFS"


def message(finding: Finding) -> str:
    """One finding as a sentence."""
    where = f" ({finding.file}:{finding.line})" if finding.file else ""
    return f"driver code touched a file system outside its device: {finding.message}{where}"


def need_watched_files(b: Bench) -> None:
    """Raise :class:`NotApplicable` where nobody would see what the driver does with files."""
    b.need(nothing_watches_the_files_of_a_live_run=b.facts.mode != "live")


def require_no_file_touched(b: Bench) -> None:
    """No driver code of this world went for a path outside its device."""
    found = sorted({finding for finding in b.world.findings() if finding.kind == "file-system"})
    if found:
        raise Violation(message(found[0]))


def _operations(b: Bench) -> dict[str, Callable[[], Any]]:
    here, there = both(b)
    uri, copied = b.uri("a"), b.uri("b")
    data = content("x", b.facts.fit(5000))
    able = b.facts.capabilities

    def make() -> None:
        made = b.new_client()
        made.do("ask the new instance what it can do", lambda: made.driver.capabilities())

    return {
        "make": make,
        "capabilities": lambda: here.do("capabilities", lambda: here.driver.capabilities()),
        "create": lambda: here.create(uri, len(data)),
        "write": lambda: here.write(uri, data, (1000,)),
        "write-parts": lambda: here.write(uri, content("x", b.facts.large_size)),
        "abort": lambda: here.write(uri, data, end="abort"),
        "read": lambda: (here.write(uri, data), there.read(uri)),
        "describe": lambda: (here.write(uri, data), there.describe(uri)),
        "delete": lambda: (here.write(uri, data), there.delete(uri)),
        "copy": lambda: (here.write(uri, data), able.on_device_copy and there.copy(uri, copied)),
        "list": lambda: (here.write(uri, data), able.enumerate and there.list()),
        "refused": lambda: _refused(lambda: here.open_input(uri)),
    }


def _refused(call: Callable[[], Any]) -> None:
    try:
        call()
    except StorageError:
        return


OPERATIONS = ("make", "capabilities", "create", "write", "abort", "read", "describe", "delete", "copy", "list", "refused")


@check(RULE, core=lambda f: OPERATIONS, standard=lambda f: ["write-parts"])
def no_path_is_touched(b: Bench, operation: str) -> None:
    """No operation opens, lists, makes, renames or looks at a path outside the device: no scratch file, no home."""
    need_watched_files(b)
    _operations(b)[operation]()
    require_no_file_touched(b)


FORBIDDEN = ("fileno", "seek", "tell", "truncate", "__len__")


@check(RULE, core=lambda f: ["input", "output"])
def streams_are_no_files(b: Bench, which: str) -> None:
    """Streams offer no fileno, seek, tell, truncate, name or length that works."""
    here, there = both(b)
    uri = b.uri()
    writer = here.open_output(uri)
    writer.write(content("x", b.facts.fit(100)))
    stream = writer.stream.target
    if which == "input":
        writer.commit()
        stream = there.open_input(uri).stream.target
    for name in FORBIDDEN:
        require(not _works(stream, name), f"the {which} stream offers {name}")
    called = getattr(stream, "name", None)
    require(not isinstance(called, (str, int)), f"the {which} stream has a name: {called!r}")


def _works(stream: Any, name: str) -> bool:
    method = getattr(type(stream), name, None)
    if method is None and not hasattr(stream, name):
        return False
    try:
        (method or getattr(stream, name))(stream, *((0,) if name == "seek" else ()))
    except Exception:  # noqa: BLE001  (whatever a stand-in raises to say that it does not offer this)
        return False
    return True
