"""``certify --isolate``: driver code runs in processes that have no right to the file system but to read what is installed.

So C extensions are held to C-NOFS as well, which nothing inside Python can see. Each worker imports the kit, gives up its
rights (:mod:`.isolation_landlock`), and only then imports the driver. What the kernel refuses comes back as ``EACCES``;
it becomes a finding like those of the fence (:func:`refused`), from what :mod:`.isolation_watch` wrote down, or from an
exception of the driver that carries it.

Allowed: reading Python, what is installed for it, the system's libraries, the driver's own folder. A live device may be a
mounted path: then everything below the mount that the configuration names, and what a live client library has to read.
"""

from __future__ import annotations

import errno
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storcert.conformance import isolation_landlock, isolation_watch
from storcert.conformance.devices import is_live
from storcert.conformance.driver_digest import package_root
from storcert.conformance.lint.targets import has_mount
from storcert.conformance.usage import InvalidUsage
from storcert.harness.kernel.interpose import blame
from storcert.harness.kernel.interpose.file_system import KIND
from storcert.harness.record.finding import Finding
from storcert.harness.record.isolation import ProcessIsolation

if TYPE_CHECKING:
    from storcert.conformance.options import CertifyOptions

#: Shared libraries, and what the C library reads to find its way.
_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/lib", "/usr/local/lib64",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale",
    "/dev/urandom", "/dev/random", "/dev/zero", "/proc/self", "/proc/sys/vm", "/proc/meminfo", "/proc/cpuinfo",
    "/sys/devices/system/cpu",
)  # fmt: skip
_LIVE = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf", "/etc/services",
    "/etc/protocols", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/run/systemd/resolve",
)  # fmt: skip
_FAKE_FILES = f"{os.sep}pyfakefs{os.sep}"
_active = [False]
_watch: list[isolation_watch.Watch] = []


@dataclass(frozen=True, slots=True)
class Isolation:
    """Plain data, so that it goes to worker processes: which paths may be read, changed, and run."""

    readable: tuple[str, ...]
    writable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: CertifyOptions, mount: str = "", behind: str = "") -> Isolation:
        """What the driver of these options may have; ``mount``: of a live target that was started for it; ``behind``: where the
        kit counts what is left there, which nobody tells the driver."""
        readable = {*_python(), *_SYSTEM, *_driver(options)}
        if not is_live(options.device):
            return cls(tuple(sorted(readable)))
        mount = mount or _mount(options)
        readable |= {*_LIVE, *_named_files(options.configuration), *([behind] if behind else [])}
        programs = tuple(sorted({path for path in os.environ.get("PATH", "").split(os.pathsep) if path.startswith("/")}))
        return cls(tuple(sorted(readable)), (mount,) if mount else (), programs)

    def enter(self) -> None:
        """Give everything else up, in this process and for ever. Raises :class:`InvalidUsage`."""
        sys.dont_write_bytecode = True  # an import that wrote would look like the driver's doing
        try:
            if isolation_watch.available():
                quiet = (*sys.path, os.curdir)
                readable = (*self.readable, *self.executable)
                _watch[:] = [isolation_watch.start(readable, (*self.writable, "/dev/null"), map(os.path.abspath, quiet))]
            isolation_landlock.restrict(self.readable, (*self.writable, "/dev/null"), self.executable)
        except isolation_landlock.LandlockMissing as missing:
            raise _unavailable(missing) from None
        _active[0] = True

    def told(self) -> ProcessIsolation:
        """For the record, without folders of this machine."""
        watched = isolation_watch.available()
        readable = ("python", "installed packages", "system libraries", "the driver's folder")
        writable = ("the mount",) if self.writable else ()
        return ProcessIsolation("landlock", isolation_landlock.abi(), readable, writable, watched)


def active() -> bool:
    """Whether this process gave its rights up."""
    return _active[0]


def require_available() -> None:
    """Raises :class:`InvalidUsage` where no process can be isolated here."""
    try:
        isolation_landlock.abi()
    except isolation_landlock.LandlockMissing as missing:
        raise _unavailable(missing) from None


def refused(error: BaseException | None) -> list[Finding]:
    """What the kernel refused native code since this was asked last. ``error``: what came out of the driver, if anything, which
    may tell the line, and where nobody watches is all there is. Empty outside of isolated processes."""
    if not _active[0]:
        return []
    carried = next((one for one in _chain(error) if isinstance(one, OSError) and one.errno == errno.EACCES), None)
    file, line = ("", 0) if carried is None else _place(carried)
    tried = _watch[0].told() if _watch else []
    if not _watch and carried is not None and not _simulated(carried):
        known = isinstance(carried.filename, (str, bytes))
        tried = [f"a path{f' {os.fsdecode(carried.filename)!r}' if known else ''}"]
    return [Finding(KIND, f"{one}, tried past Python, in native code", file, line) for one in tried]


def forget() -> None:
    """Before driver code of a world runs: what was refused until now was the kit's own doing (Hypothesis keeps a folder)."""
    if _watch:
        _watch[0].told()


def _unavailable(missing: Exception) -> InvalidUsage:
    return InvalidUsage(f"--isolate: {missing}. Without --isolate the rule is checked inside Python only")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and not any(error is one for one in seen):
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _simulated(error: BaseException) -> bool:
    """Whether a device of the kit said so, as a server does that squashes root: an answer, not a refusal of this machine."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and (_of_the_kit(frames[-1].filename) or _FAKE_FILES in frames[-1].filename)


def _of_the_kit(filename: str) -> bool:
    import storcert

    kit = os.path.join(os.path.dirname(storcert.__file__), "")
    bundled = os.path.join(kit, "harness", "drivers", "")
    return filename.startswith(kit) and not filename.startswith(bundled)


def _place(error: BaseException) -> tuple[str, int]:
    """The innermost line of driver code, else the innermost of all."""
    frames = list(traceback.extract_tb(error.__traceback__))
    own = [one for one in frames if not _of_the_kit(one.filename)]
    innermost = next((one for one in reversed(own) if blame.kind_of_code(one.filename) == "other"), None)
    place = innermost or (frames[-1] if frames else None)
    return ("", 0) if place is None else (place.filename, place.lineno or 0)


def _python() -> Iterator[str]:
    """Python, its packages, this kit, and what else code is imported from."""
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    yield from sysconfig.get_paths().values()
    import storcert

    for name in sorted(sys.modules):
        if name == "storcert" or (name.startswith("storcert.") and name.count(".") == 1):
            for folder in getattr(sys.modules[name], "__path__", ()):
                yield os.path.realpath(folder)
    yield from (os.path.realpath(path) for path in storcert.__path__)
    # A folder where a person works, or everything, is no installation, whatever is imported from it.
    too_much = {"/", os.path.realpath(os.path.expanduser("~")), os.path.realpath(os.curdir)}
    yield from (real for path in sys.path if path and (real := os.path.realpath(path)) not in too_much)


def _driver(options: CertifyOptions) -> Iterator[str]:
    """The folder of the driver's package, or of its file."""
    if not options.driver.file:
        return
    file = Path(options.driver.file).resolve()
    package = "" if options.driver.folder else options.driver.import_path.partition(":")[0].rpartition(".")[0]
    yield str(package_root(file, package)[0])


def _mount(options: CertifyOptions) -> str:
    """The mount that the configuration of a driver for a mounted path names."""
    mount = options.configuration.get("mount")
    return mount if has_mount(options.driver.device) and isinstance(mount, str) and os.path.isabs(mount) else ""


def _named_files(configuration: Mapping[str, Any]) -> Iterator[str]:
    """Files that the configuration names: a client library's own, a certificate, a keyring."""
    for value in configuration.values():
        if isinstance(value, str) and os.path.isabs(value) and os.path.isfile(value):
            yield value
        elif isinstance(value, Mapping):
            yield from _named_files(value)
