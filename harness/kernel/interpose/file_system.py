"""The file-system guard: every file function asks who calls; at a location it answers from the location's namespace.

Below a mount point all is allowed and silent. Elsewhere each touch is a finding (kind ``file-system``), reads end with
``ENOENT`` and writes with ``EROFS``: the root is empty and read-only, ``/dev`` and ``/tmp`` do not exist. Reading installed
code goes to the real files (:mod:`.permitted`). Functions built on these (``os.path``, ``pathlib``, ``shutil``, ``glob``,
``tempfile``, ``os.walk``, ``gzip``...) are covered through them. The import system keeps the originals.

Caught not here but by :mod:`.audit`: originals that no scan finds, ``io.FileIO``, ``io.open_code``, opening in C.
Not caught at all: ``stat`` and the like done in C, or through originals captured where no scan finds them.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
import sys
from collections.abc import Callable
from types import FrameType, MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel import context
from storcert.harness.kernel.interpose import blame, descriptors, native_doors, path_calls, permitted
from storcert.harness.kernel.interpose.namespace import failure, namespace_of
from storcert.harness.kernel.interpose.open_file import LocationFile, Mode, check_arguments, layers
from storcert.harness.kernel.interpose.presence import location_here, running

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

KIND = "file-system"

# name -> (what answers, the path arguments by position and keyword, their dir_fd keywords, whether it writes)
_PATH = ((0, "path", "dir_fd"),)
_PAIR = ((0, "src", "src_dir_fd"), (1, "dst", "dst_dir_fd"))
_CALLS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, str, str], ...], bool]] = {
    "stat": (path_calls.stat, _PATH, False),
    "lstat": (path_calls.lstat, _PATH, False),
    "access": (path_calls.access, _PATH, False),
    "listdir": (path_calls.listdir, _PATH, False),
    "scandir": (path_calls.scandir, _PATH, False),
    "readlink": (path_calls.readlink, _PATH, False),
    "statvfs": (path_calls.statvfs, _PATH, False),
    "chdir": (path_calls.chdir, _PATH, False),
    "getxattr": (path_calls.no_attribute, _PATH, False),
    "listxattr": (path_calls.no_attributes, _PATH, False),
    "pathconf": (path_calls.not_supported, _PATH, False),
    "mkdir": (path_calls.mkdir, _PATH, True),
    "rmdir": (path_calls.rmdir, _PATH, True),
    "unlink": (path_calls.unlink, _PATH, True),
    "remove": (path_calls.unlink, _PATH, True),
    "rename": (path_calls.rename, _PAIR, True),
    "replace": (path_calls.rename, _PAIR, True),
    "link": (path_calls.link, _PAIR, True),
    "symlink": (path_calls.symlink, ((1, "dst", "dir_fd"),), True),
    "chmod": (path_calls.chmod, _PATH, True),
    "chown": (path_calls.chown, _PATH, True),
    "lchown": (path_calls.lchown, _PATH, True),
    "utime": (path_calls.utime, _PATH, True),
    "truncate": (path_calls.truncate, _PATH, True),
    "mkfifo": (path_calls.mkfifo, _PATH, True),
    "mknod": (path_calls.mknod, _PATH, True),
    "setxattr": (path_calls.not_supported, _PATH, True),
    "removexattr": (path_calls.not_supported, _PATH, True),
    "chroot": (path_calls.not_supported, _PATH, True),
}
_LOOKS = frozenset({"stat", "lstat", "access", "readlink"})
# Functions on descriptors that are path functions by another name.
_THROUGH_PATH = {
    "fchmod": path_calls.chmod, "fchown": path_calls.chown, "fchdir": path_calls.chdir, "fstatvfs": path_calls.statvfs,
}
_OS_PATH_NAMES = {"_joinrealpath": "realpath", "_check_for_nan": "exists"}


def shown_path(path: Any, caller: FrameType | None = None) -> str:
    """A path in a message: as it was given; a name that ``tempfile`` made up without its random part."""
    try:
        text: Any = os.fspath(path)
    except TypeError:
        return repr(path)
    if caller is not None and caller.f_globals.get("__name__") == "tempfile":
        name = caller.f_locals.get("name")
        if isinstance(name, str) and isinstance(text, str) and len(name) == 8:
            text = text.replace(name, "XXXXXXXX")
    return repr(text)


def _shown_name(name: str, caller: FrameType | None) -> str:
    """``os.path.exists`` rather than the ``os.stat`` inside it."""
    if caller is not None and caller.f_globals.get("__name__") in ("posixpath", "genericpath"):
        function = caller.f_code.co_name
        return f"os.path.{_OS_PATH_NAMES.get(function, function)}"
    return f"os.{name}"


def _flags_text(flags: int) -> str:
    access = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY", os.O_RDWR: "O_RDWR"}.get(flags & os.O_ACCMODE, "?")
    extra = [name for name in ("O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND") if flags & getattr(os, name)]
    return "|".join([access, *extra])


def may_pass(
    location: Location, message: str, absolute: str, writes: bool, caller: FrameType | None, *, looks: bool = False
) -> bool:
    """Whether the real function may run: a permitted read, or an instrument's doing. Otherwise the finding is written,
    unless somebody only reads where a device is not mounted just now, or ``looks`` (asks for no content) on the way there."""
    if not writes and namespace_of(location).concerns_mount_point(absolute, looks):
        return False
    if not writes and permitted.read_is_permitted(absolute, caller):
        return True
    return not blame.report(location, KIND, message, caller)


def _path_call(name: str) -> Callable[[Any], Any]:
    answer, places, writes = _CALLS[name]

    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(*args, **kwargs)
        namespace = namespace_of(location)
        given = [args[at] if at < len(args) else kwargs.get(word, ".") for at, word, _ in places]
        if isinstance(given[0], int):
            if not descriptors.is_ours(given[0]):
                return original(*args, **kwargs)
        else:
            touched = [
                namespace.absolute("." if path is None else path, kwargs.get(dir_fd))
                for path, (_, _, dir_fd) in zip(given, places, strict=True)
            ]
            outside = [path for path in touched if namespace.mount_of(path) is None]
            if outside:
                caller = sys._getframe(1)
                shown = given if name != "symlink" else [args[0] if args else kwargs.get("src"), *given]
                message = f"{_shown_name(name, caller)}({', '.join(shown_path(path, caller) for path in shown)})"
                if may_pass(location, message, outside[0], writes, caller, looks=name in _LOOKS):
                    with context.outside():
                        return original(*args, **kwargs)
        try:
            return answer(namespace, *args, **kwargs)
        except OSError as error:
            raise failure(error.errno or errno.EIO, *given) from None

    return lambda original: MethodType(call, original)


def _os_open(original: Callable[..., int], path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if running[0] is None or (location := location_here()) is None:
        return original(path, flags, mode, dir_fd=dir_fd)
    namespace = namespace_of(location)
    absolute = namespace.absolute(path, dir_fd)
    if namespace.mount_of(absolute) is None:
        caller = sys._getframe(1)
        writes = bool(flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC))
        message = f"os.open({shown_path(path, caller)}, {_flags_text(flags)})"
        if may_pass(location, message, absolute, writes, caller):
            with context.outside():
                return original(path, flags, mode, dir_fd=dir_fd)
    try:
        return path_calls.open_(namespace, path, flags, mode, dir_fd=dir_fd)
    except OSError as error:
        raise failure(error.errno or errno.EIO, path) from None


def _open(
    original: Callable[..., Any], file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
    errors: str | None = None, newline: str | None = None, closefd: bool = True, opener: Any = None,
) -> Any:
    if running[0] is None or (location := location_here()) is None:
        return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
    parsed = Mode(mode)
    check_arguments(parsed, buffering, encoding, errors, newline)
    namespace = namespace_of(location)
    given = file
    if opener is not None and not isinstance(file, int):
        file = opener(file, parsed.flags)
    if isinstance(file, int):
        if not descriptors.is_ours(file):
            with context.outside():
                return original(file, mode, buffering, encoding, errors, newline, closefd)
        namespace.description(file)
        descriptor = file
    else:
        absolute = namespace.absolute(file)
        if namespace.mount_of(absolute) is None:
            caller = sys._getframe(1)
            message = f"open({shown_path(file, caller)}, {mode!r})"
            if may_pass(location, message, absolute, parsed.writes, caller):
                with context.outside():
                    return original(file, mode, buffering, encoding, errors, newline, closefd)
        try:
            descriptor = path_calls.open_(namespace, file, parsed.flags, 0o666)
            if stat.S_ISDIR(descriptors.fstat(namespace, descriptor).st_mode):
                namespace.close(descriptor)
                raise failure(errno.EISDIR)
        except OSError as error:
            raise failure(error.errno or errno.EIO, file) from None
    name = given if isinstance(given, int) else os.fspath(given)
    raw = LocationFile(namespace, descriptor, name, parsed, closefd)
    if "a" in mode:
        raw.seek(0, os.SEEK_END)
    return layers(raw, parsed, buffering, encoding, errors, newline)


def _descriptor_call(name: str) -> Callable[[Any], Any]:
    answer = descriptors.CALLS[name]

    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if not any(descriptors.is_ours(value) for value in args[:2]):
            return original(*args, **kwargs)
        location = location_here() if running[0] is not None else None
        if location is None:
            # A finalizer that comes after its world: what it closes is gone, and no descriptor of this process is meant.
            return None if name == "close" else original(*args, **kwargs)
        return answer(namespace_of(location), *args, **kwargs)

    return lambda original: MethodType(call, original)


def _through_path(name: str) -> Callable[[Any], Any]:
    answer: Any = _THROUGH_PATH[name]

    def call(original: Callable[..., Any], fd: int, *args: Any) -> Any:
        if not descriptors.is_ours(fd) or (location := location_here()) is None:
            return original(fd, *args)
        return answer(namespace_of(location), fd, *args)

    return lambda original: MethodType(call, original)


def _dup2(original: Callable[..., int], fd: int, fd2: int, inheritable: bool = True) -> int:
    if not descriptors.is_ours(fd) or (location := location_here()) is None:
        return original(fd, fd2, inheritable)
    if not descriptors.is_ours(fd2):
        raise failure(errno.EBADF)
    return namespace_of(location).duplicate(fd, fd2)


def _getcwd(encode: Callable[[str], Any]) -> Callable[[Any], Any]:
    def call(original: Callable[[], Any], /) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original()
        return encode(namespace_of(location).cwd)

    return lambda original: MethodType(call, original)


def _umask(original: Callable[[int], int], mask: int, /) -> int:
    if running[0] is None or (location := location_here()) is None:
        return original(mask)
    namespace = namespace_of(location)
    before, namespace.umask = namespace.umask, mask & 0o777
    return before


def _gettempdir(original: Callable[[], Any], /) -> Any:
    """``tempfile`` remembers the folder for the whole process, and writes into candidates to find it."""
    if running[0] is None or (location := location_here()) is None:
        return original()
    return next((location.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if location.environ.get(name)), "/tmp")


def _control(name: str) -> Callable[[Any], Any]:
    def call(original: Callable[..., Any], /, fd: Any, *args: Any) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(fd, *args)
        number = fd if isinstance(fd, int) else fd.fileno()
        if not descriptors.is_ours(number):
            return original(fd, *args)
        return descriptors.control(namespace_of(location), number, name, *args)

    return lambda original: MethodType(call, original)


def _sqlite_connect(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    if running[0] is None or (location := location_here()) is None:
        return original(*args, **kwargs)
    database = args[0] if args else kwargs.get("database")
    if database == ":memory:" or not blame.report(location, KIND, f"sqlite3.connect({shown_path(database)})", sys._getframe(1)):
        with context.outside():
            connection = original(*args, **kwargs)
            native_doors.hold_database(location, connection)
            return connection
    import sqlite3

    raise sqlite3.OperationalError("unable to open database file")


def _keep_import_system(interposition: Interposition) -> None:
    """Give the import system a copy of ``posix`` with the originals: it must find code wherever it runs."""
    import posix
    import types

    bootstrap = sys.modules["_frozen_importlib_external"]
    pristine = types.ModuleType("posix")
    pristine.__dict__.update(vars(posix))
    interposition.put(bootstrap, "_os", pristine)


def _announce(interposition: Interposition) -> None:
    """``os.supports_dir_fd`` and its relatives are sets of functions: replacements support what the originals do."""
    for name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks", "supports_effective_ids"):
        supported: set[Any] = getattr(os, name)
        added = {new for new in map(interposition.replacement, tuple(supported)) if new not in supported}
        supported |= added
        interposition.on_undo(functools.partial(supported.difference_update, added))


def install(interposition: Interposition) -> None:
    """Replace the file functions of ``os``, ``open``, and what touches files beside them."""
    import builtins
    import fcntl
    import io
    import tempfile

    replace = interposition.replace
    _keep_import_system(interposition)
    replace(builtins, "open", lambda original: MethodType(_open, original))
    replace(io, "open", lambda original: MethodType(_open, original))
    replace(os, "open", lambda original: MethodType(_os_open, original))
    for name in _CALLS:
        replace(os, name, _path_call(name))
    for name in descriptors.CALLS:
        replace(os, name, _descriptor_call(name))
    for name in _THROUGH_PATH:
        replace(os, name, _through_path(name))
    replace(os, "dup2", lambda original: MethodType(_dup2, original))
    replace(os, "getcwd", _getcwd(str))
    replace(os, "getcwdb", _getcwd(os.fsencode))
    replace(os, "umask", lambda original: MethodType(_umask, original))
    replace(tempfile, "_gettempdir", lambda original: MethodType(_gettempdir, original))
    for name in ("flock", "lockf", "fcntl", "ioctl"):
        replace(fcntl, name, _control(name))
    sqlite3 = sys.modules.get("sqlite3")
    if sqlite3 is not None:
        replace(sqlite3, "connect", lambda original: MethodType(_sqlite_connect, original))
    _announce(interposition)
