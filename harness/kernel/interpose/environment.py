"""Identity at a location: environment variables, process numbers, host name, user, machine description.

``os.environ`` stays the object it is (it is captured everywhere); while installed its class makes it show the variables of
the location that looks. ``getenv``, ``expanduser``, ``shutil.which`` and the like follow. The user is root with the home of
``HOME``. The machine is the same Linux on every host, so that user agents and the like do not differ between machines.

Not caught: ``getenv`` called in C, ``sys.argv``, ``sys.path``, ``sys.platform``, ``os.cpu_count()``, constants of ``time``.
"""

from __future__ import annotations

import os
import platform
import pwd
import socket
from collections.abc import Callable, Iterator, MutableMapping
from types import MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.presence import location_here, running

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

_RELEASE = "6.1.0"
_VERSION = "#1 SMP"
_MACHINE = "x86_64"


class _EncodedEnvironment(MutableMapping[bytes, bytes]):
    """The variables of a location as ``os._Environ`` keeps them: bytes to bytes."""

    __slots__ = ("_variables",)

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, key: bytes) -> bytes:
        try:
            return os.fsencode(self._variables[os.fsdecode(key)])
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._variables[os.fsdecode(key)] = os.fsdecode(value)

    def __delitem__(self, key: bytes) -> None:
        try:
            del self._variables[os.fsdecode(key)]
        except KeyError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[bytes]:
        return iter([os.fsencode(name) for name in self._variables])

    def __len__(self) -> int:
        return len(self._variables)


def _here_or(real: Any) -> Any:
    if running[0] is None or (location := location_here()) is None:
        return real
    return _EncodedEnvironment(location.environ)


_Environ: Any = type(os.environ)


class _LocationEnviron(_Environ):  # type: ignore[misc]
    """``os.environ`` and ``os.environb`` while installed."""

    @property
    def _data(self) -> Any:
        return _here_or(self.__dict__["_data"])


def _name_of(location: Location) -> os.uname_result:
    return os.uname_result(("Linux", location.hostname, _RELEASE, _VERSION, _MACHINE))


def _passwd(location: Location) -> pwd.struct_passwd:
    home = location.environ.get("HOME", "/root")
    name = location.environ.get("USER", "root")
    return pwd.struct_passwd((name, "x", 0, 0, name, home, "/bin/sh"))


def _fact(read: Callable[[Location], Any]) -> Callable[[Any], Any]:
    """A replacement that ignores its arguments at a location."""

    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if running[0] is None or (location := location_here()) is None:
            return original(*args, **kwargs)
        return read(location)

    return lambda original: MethodType(call, original)


def _no_child(original: Callable[..., None], /, *args: Any) -> None:
    """``putenv`` and ``unsetenv`` change what child processes see, never ``os.environ``: at a location, nothing."""
    if running[0] is None or location_here() is None:
        original(*args)


def _getpwuid(original: Callable[[int], Any], uid: int, /) -> Any:
    if running[0] is None or (location := location_here()) is None:
        return original(uid)
    if uid != 0:
        raise KeyError(f"getpwuid(): uid not found: {uid}")
    return _passwd(location)


def _getpwnam(original: Callable[[str], Any], name: str, /) -> Any:
    if running[0] is None or (location := location_here()) is None:
        return original(name)
    entry = _passwd(location)
    if name != entry.pw_name:
        raise KeyError(f"getpwnam(): name not found: {name!r}")
    return entry


def _platform_uname(location: Location) -> Any:
    described = platform.uname_result("Linux", location.hostname, _RELEASE, _VERSION, _MACHINE)
    # Otherwise looked up by running a command, at first use.
    described.__dict__["processor"] = ""
    return described


def _getfqdn(original: Callable[[str], str], name: str = "") -> str:
    if running[0] is None or (location := location_here()) is None:
        return original(name)
    return location.hostname if name.strip() in ("", "0.0.0.0", "::") else name


def _ids(location: Location) -> tuple[int, int, int]:
    return (0, 0, 0)


def _swap_class(interposition: Interposition, environ: Any) -> None:
    before = environ.__class__
    environ.__class__ = _LocationEnviron
    interposition.on_undo(lambda: setattr(environ, "__class__", before))


def install(interposition: Interposition) -> None:
    """Replace what tells one machine, process or user from another."""
    replace = interposition.replace
    _swap_class(interposition, os.environ)
    _swap_class(interposition, os.environb)
    replace(os, "putenv", lambda original: MethodType(_no_child, original))
    replace(os, "unsetenv", lambda original: MethodType(_no_child, original))
    replace(os, "getpid", _fact(lambda location: location.pid))
    replace(os, "getppid", _fact(lambda location: 1))
    replace(os, "getlogin", _fact(lambda location: _passwd(location).pw_name))
    replace(os, "uname", _fact(_name_of))
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        replace(os, name, _fact(lambda location: 0))
    replace(os, "getresuid", _fact(_ids))
    replace(os, "getresgid", _fact(_ids))
    replace(os, "getgroups", _fact(lambda location: [0]))
    replace(pwd, "getpwuid", lambda original: MethodType(_getpwuid, original))
    replace(pwd, "getpwnam", lambda original: MethodType(_getpwnam, original))
    replace(pwd, "getpwall", _fact(lambda location: [_passwd(location)]))
    replace(socket, "gethostname", _fact(lambda location: location.hostname))
    replace(socket, "getfqdn", lambda original: MethodType(_getfqdn, original))
    replace(platform, "uname", _fact(_platform_uname))
    replace(platform, "platform", _fact(lambda location: f"Linux-{_RELEASE}-{_MACHINE}-with-glibc2.36"))
