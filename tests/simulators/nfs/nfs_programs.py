"""Programs of NFS calls as data: how they are drawn, run on a server, and their outcomes made comparable. No server here.

A step speaks of handles by the order in which they were learnt (:class:`Slot`), so that one program runs on any server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

from storcert.simulators.nfs.protocol import (
    ARGUMENTS,
    SERVER_TIME,
    Attributes,
    CreateMode,
    FileType,
    Handle,
    NfsStatus,
    Procedure,
    ReaddirArguments,
    Reply,
    SetAttributes,
    Stable,
)

P = Procedure
RESTART, RECONNECT = "RESTART", "RECONNECT"
EXPLICIT_TIME_MAX_NS = 1_200_000_000 * 10**9
"""Times below were set by a program and must be equal; later ones are the clock of each server."""

USUAL_NAMES = (b"a", b"b", b"c", b"d")
ODD_NAMES = (
    b"", b".", b"..", b"a/b", b"n" * 255, b"n" * 256, b"n" * 300, b"\xff\xfe", "Ångström".encode(),
    "A\u030angstro\u0308m".encode(), b"A", b" ", b"a\nb", b".nfs0000000000000001",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """The ``number``-th handle learnt in this run (counted round and round); ``spoilt``: with its first byte changed."""

    number: int
    spoilt: bool = False


@dataclass(frozen=True, slots=True)
class LastCtime:
    """The change time last seen of the object of that slot, off by ``off_ns``."""

    slot: Slot
    off_ns: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One call. ``fields``: of its arguments, handles as slots. ``again``: with the XID of the step before. ``name`` may be
    ``RESTART`` or ``RECONNECT``, which have no fields."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    uid: int = 0
    gid: int = 0
    connection: int = 0
    again: bool = False

    def __str__(self) -> str:
        who = f" uid={self.uid} gid={self.gid}" if self.uid or self.gid else ""
        how = f" connection={self.connection}" * (self.connection != 0) + " same XID" * self.again
        return f"{self.name} {dict(self.fields)}{who}{how}"


class Target(Protocol):
    """A server that programs run on."""

    def call(self, procedure: Procedure, arguments: Any, *, uid: int, gid: int, connection: int, xid: int) -> Reply: ...
    def restart(self) -> None: ...
    def reconnect(self) -> None: ...


Outcome = dict[str, Any]


@dataclass(slots=True)
class Run:
    """One program on one server, step by step."""

    target: Target
    root: Handle
    slots: list[Handle] = field(default_factory=list)
    ctimes: dict[Handle, int] = field(default_factory=dict)
    verifier: bytes = b""
    xid: int = 1000

    def __post_init__(self) -> None:
        self.slots.append(self.root)

    def step(self, step: Step) -> tuple[Outcome, Handle | None]:
        """What came of it, comparable, and the handle learnt, if any; :meth:`learn` keeps that."""
        if step.name == RESTART:
            self.target.restart()
            return {"status": "restarted"}, None
        if step.name == RECONNECT:
            self.target.reconnect()
            return {"status": "reconnected"}, None
        procedure = Procedure(step.name)
        made = ARGUMENTS[procedure]
        assert made is not None
        arguments = made(**{name: self._resolve(value) for name, value in step.fields.items()})
        self.xid += not step.again
        if procedure in (P.READDIR, P.READDIRPLUS):
            return self._list(procedure, arguments, step), None
        try:
            reply = self._call(procedure, arguments, step)
        except TimeoutError:
            return {"status": "no answer"}, None
        result = reply.result
        if reply.status is NfsStatus.NFS3_OK:
            self._note(arguments, result)
        return self._outcome(procedure, reply), getattr(result, "handle", None)

    def learn(self, handle: Handle) -> None:
        """Later steps may speak of it."""
        if len(self.slots) < 40:
            self.slots.append(handle)

    def _call(self, procedure: Procedure, arguments: Any, step: Step) -> Reply:
        return self.target.call(
            procedure, arguments, uid=step.uid, gid=step.gid, connection=step.connection, xid=self.xid)

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, Slot):
            handle = self.slots[value.number % len(self.slots)]
            return bytes([handle[0] ^ 0x55]) + handle[1:] if value.spoilt else handle
        if isinstance(value, LastCtime):
            return max(0, self.ctimes.get(self._resolve(value.slot), 0) + value.off_ns)
        return value

    def _note(self, arguments: Any, result: Any) -> None:
        """Keep change times by handle."""
        handle = getattr(result, "handle", None) or getattr(arguments, "object", None) or getattr(arguments, "file", None)
        found = getattr(result, "attributes", None)
        if found is None and hasattr(result, "wcc") and not hasattr(arguments, "directory"):
            found = result.wcc.after
        if handle is not None and found is not None:
            self.ctimes[handle] = found.ctime_ns

    def _list(self, procedure: Procedure, arguments: ReaddirArguments, step: Step) -> Outcome:
        """A whole listing, page by page: names in no order, each once."""
        names: list[bytes] = []
        for _ in range(200):
            reply = self._call(procedure, arguments, step)
            self.xid += 1
            if reply.status is not NfsStatus.NFS3_OK:
                return {"status": reply.status.name}
            names += [entry.name for entry in reply.result.entries]
            if reply.result.eof:
                assert len(names) == len(set(names)), "a listing gave a name twice"
                return {"status": "NFS3_OK", "names": sorted(names)}
            arguments = replace(
                arguments, cookie=reply.result.entries[-1].cookie, cookie_verifier=reply.result.cookie_verifier)
        raise AssertionError("a listing without end")

    def _outcome(self, procedure: Procedure, reply: Reply) -> Outcome:
        result = reply.result
        outcome: Outcome = {"status": reply.status.name}
        for name in ("attributes", "directory_attributes"):
            _add_attributes(outcome, name, getattr(result, name, None))
        for name in ("wcc", "directory", "from_directory", "to_directory"):
            data = getattr(result, name, None)
            if data is not None:
                _add_attributes(outcome, f"{name}.after", data.after)
        if reply.status is not NfsStatus.NFS3_OK:
            return outcome
        for name in _COMPARED:
            if hasattr(result, name):
                outcome[name] = getattr(result, name)
        if hasattr(result, "verifier"):
            outcome["verifier"] = "same" if self.verifier in (b"", result.verifier) else "changed"
            self.verifier = result.verifier
        return outcome


def _add_attributes(outcome: Outcome, name: str, found: Attributes | None) -> None:
    if found is None:
        return
    outcome[f"{name}.type"] = found.type.name
    outcome[f"{name}.mode"] = oct(found.mode)
    for part in ("nlink", "uid", "gid"):
        outcome[f"{name}.{part}"] = getattr(found, part)
    if found.type is not FileType.DIR:
        outcome[f"{name}.size_bytes"] = found.size_bytes
        if found.type in (FileType.BLK, FileType.CHR):
            outcome[f"{name}.device"] = found.device
    # When reading a directory or a link counts as an access is a matter of caches.
    for part in ("mtime_ns",) if found.type in (FileType.DIR, FileType.LNK) else ("atime_ns", "mtime_ns"):
        value = getattr(found, part)
        outcome[f"{name}.{part}"] = value if value < EXPLICIT_TIME_MAX_NS else "clock"


def differences(left: Outcome, right: Outcome) -> list[tuple[str, Any, Any]]:
    """Fields that both sides give and that differ; attributes that one side leaves out are no difference (RFC 1813 2.6)."""
    both = [name for name in left if name in right] + [
        name for name in {**left, **right} if "." not in name and (name in left) != (name in right) and name not in _OPTIONAL
    ]
    return [(name, left.get(name), right.get(name)) for name in both if left.get(name) != right.get(name)]


_COMPARED = (
    "access", "target", "data", "eof", "count", "committed", "no_truncation", "case_insensitive", "case_preserving",
    "chown_restricted", "link_max", "name_max", "time_delta_ns", "file_max_bytes",
)  # fmt: skip
_OPTIONAL = ("attributes", "directory_attributes")


# -- drawing


def draw(seed: int, length: int) -> list[Step]:
    """A program of ``length`` steps; the same seed, the same program. Every fourth one has restarts and, because ganesha
    forgets over a restart where device nodes and sockets are, none of these."""
    rng = Random(seed)
    restarts = seed % 4 == 0
    steps: list[Step] = []
    while len(steps) < length:
        if steps and rng.random() < 0.06 and steps[-1].name not in (RESTART, RECONNECT):
            steps.append(_resent(rng, steps[-1]))
        elif restarts and rng.random() < 0.008:
            steps += [*(Step("COMMIT", {"file": Slot(number)}) for number in range(40)), Step(RESTART)]
        elif rng.random() < 0.004:
            steps.append(Step(RECONNECT))
        else:
            step = _drawn(rng)
            if not (restarts and step.fields.get("type") in _LOST_NODES):
                steps.append(step)
    return steps[:length]


_LOST_NODES = (FileType.BLK, FileType.CHR, FileType.SOCK)


def _resent(rng: Random, last: Step) -> Step:
    """The last request once more with its XID: as it was, over another connection, or with another body."""
    how = rng.randrange(3)
    if how == 0:
        return replace(last, again=True)
    if how == 1:
        return replace(last, again=True, connection=1 - last.connection)
    return replace(_drawn(rng), again=True, connection=last.connection)


def _drawn(rng: Random) -> Step:
    name, make = rng.choices(_MAKERS, [weight for weight, _, _ in _WEIGHTED])[0]
    who = rng.random()
    fields = make(rng)
    uid, gid = (0, 0) if who < 0.7 else (1000, 1000) if who < 0.85 else (1001, 1000) if who < 0.93 else (1002, 1002)
    if uid and "directory" in fields and "attributes" in fields and rng.random() < 0.98:
        # Ganesha lets anybody give away what he makes: a known difference, after which nothing more can be compared.
        fields["attributes"] = replace(fields["attributes"], uid=None, gid=None)
    return Step(name, fields, uid, gid, connection=int(rng.random() < 0.1))


def _slot(rng: Random) -> Slot:
    number = 0 if rng.random() < 0.25 else rng.randrange(40)
    return Slot(number, spoilt=rng.random() < 0.01)


def _name(rng: Random) -> bytes:
    return rng.choice(USUAL_NAMES) if rng.random() < 0.85 else rng.choice(ODD_NAMES)


def _offset(rng: Random) -> int:
    return rng.choice((0, 0, 0, 1, 5, 100, 4095, 4096, 5000, 70_000, 1 << 20))


def _time(rng: Random) -> int | None:
    return rng.choice((None, None, SERVER_TIME, 0, 1, 1_000_000_000 * 10**9))


def _settings(rng: Random, *, size: bool) -> SetAttributes:
    def maybe(*values: int) -> int | None:
        return rng.choice(values) if rng.random() < 0.4 else None

    return SetAttributes(
        maybe(0o644, 0o600, 0o755, 0o777, 0o000, 0o070, 0o007, 0o1777, 0o2775, 0o4755),
        maybe(0, 1000, 1001) if rng.random() < 0.4 else None, maybe(0, 1000, 1002) if rng.random() < 0.4 else None,
        maybe(0, 1, 5, 5000, 1 << 32) if size else None,
        _time(rng) if rng.random() < 0.3 else None, _time(rng) if rng.random() < 0.3 else None,
    )  # fmt: skip


VERIFIERS = (b"\0\0\0\1\0\0\0\2", b"\1\2\3\4\5\6\7\x08", b"\x12\x34\x56\x78\x23\x45\x67\x01")


def _create(rng: Random) -> dict[str, Any]:
    how = rng.choice(tuple(CreateMode))
    if how is CreateMode.EXCLUSIVE:
        more: dict[str, Any] = {"verifier": rng.choice(VERIFIERS)}
    else:
        more = {"attributes": _settings(rng, size=rng.random() < 0.3)}
    return {"directory": _slot(rng), "name": _name(rng), "how": how, **more}


def _data(rng: Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 5, 100, 1000, 4096, 5000)))


def _guard(rng: Random, slot: Slot) -> Any:
    return LastCtime(slot, rng.choice((0, 0, 1, -(10**9)))) if rng.random() < 0.15 else None


def _setattr(rng: Random) -> dict[str, Any]:
    slot = _slot(rng)
    return {"object": slot, "new": _settings(rng, size=rng.random() < 0.4), "guard_ctime_ns": _guard(rng, slot)}


def _object(rng: Random) -> dict[str, Any]:
    return {"object": _slot(rng)}


def _named(rng: Random) -> dict[str, Any]:
    return {"directory": _slot(rng), "name": _name(rng)}


_WEIGHTED: Sequence[tuple[int, str, Callable[[Random], dict[str, Any]]]] = (
    (4, "GETATTR", _object),
    (8, "SETATTR", _setattr),
    # Never "..": after a restart ganesha lets it out of the export, onto this machine.
    (12, "LOOKUP", lambda r: {"directory": _slot(r), "name": name if (name := _name(r)) != b".." else b"a"}),
    (4, "ACCESS", lambda r: {"object": _slot(r), "access": r.choice((0x3F, 0x3F, 1, 4, 0x20))}),
    (2, "READLINK", _object),
    (9, "READ", lambda r: {"file": _slot(r), "offset": _offset(r), "count": r.choice((0, 1, 5, 4096, 1 << 20))}),
    (12, "WRITE", lambda r: {
        "file": _slot(r), "offset": r.choice((1 << 45, (1 << 63) - 5)) if r.random() < 0.01 else _offset(r), "data": _data(r),
        "stable": r.choice(tuple(Stable))}),
    (4, "COMMIT", lambda r: {"file": _slot(r), "offset": r.choice((0, 0, 10, 1 << 30)), "count": r.choice((0, 0, 5, 4096))}),
    (12, "CREATE", _create),
    (8, "MKDIR", lambda r: {**_named(r), "attributes": _settings(r, size=False)}),
    (3, "SYMLINK", lambda r: {
        **_named(r), "target": r.choice((b"a", b"../b", b"", b"/x/y", b"t" * 40)), "attributes": _settings(r, size=False)}),
    (2, "MKNOD", lambda r: {
        **_named(r), "type": r.choice(tuple(FileType)), "attributes": _settings(r, size=False),
        "device": r.choice(((1, 5), (1, 3), (8, 17)))}),
    (7, "REMOVE", _named),
    (4, "RMDIR", _named),
    (9, "RENAME", lambda r: {
        "from_directory": _slot(r), "from_name": _name(r), "to_directory": _slot(r), "to_name": _name(r)}),
    (6, "LINK", lambda r: {"file": _slot(r), **_named(r)}),
    (3, "READDIR", lambda r: {"directory": _slot(r), "count": r.choice((600, 1000, 4096, 65_536))}),
    (3, "READDIRPLUS", lambda r: {"directory": _slot(r), "count": r.choice((1000, 4096, 65_536))}),
    (1, "FSSTAT", _object),
    (1, "FSINFO", _object),
    (1, "PATHCONF", _object),
)  # fmt: skip
_MAKERS = [(name, make) for _, name, make in _WEIGHTED]


def marks(step: Step, outcome: Outcome, field: str) -> dict[str, str]:
    """What rows of known differences may ask about a call and, in the simulator's answer, the object of that field."""
    found = {"uid": str(step.uid), "same-xid": str(step.again)}
    found["type"] = outcome.get(f"{field.rpartition('.')[0]}.type", "")
    for name, value in step.fields.items():
        found[name] = repr(value) if isinstance(value, bytes) else str(int(value)) if isinstance(value, int) else str(value)
    return found
