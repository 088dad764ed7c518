"""The command line of ``dog``: which subcommands there are, which options each takes, and how GNU getopt reads them.

Source: the command tables of dog/dog.c, dog/vdi.c, dog/node.c and dog/cluster.c. A subcommand or option that the real dog
has and this one has not raises ``NotModelled``; one that no dog has is answered as dog does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from storcert.simulators.device import NotModelled

_LONG: Mapping[str, Mapping[str, str]] = {
    "vdi": {
        "prealloc": "P", "no-share": "n", "index": "i", "snapshot": "s", "exclusive": "x", "delete": "d", "writeback": "w",
        "copies": "c", "from": "F", "force": "f", "hyper": "y", "oid": "o", "exist": "e", "block_size_shift": "z",
        "reduce-identical-snapshots": "R", "nr-batched-reclamation": "B", "reclamation-interval": "I", "max-reclaim": "m",
    },
    "cluster": {
        "store": "b", "copies": "c", "force": "f", "avoid-diskfull": "F", "lock": "l", "multithread": "m", "recyclevid": "R",
        "strict": "t", "block_size_shift": "z", "fixedvnodes": "V", "diff": "d",
    },
    "node": {"all": "A", "progress": "P", "watch": "w", "local": "l", "force": "f"},
}
_LONG_ALWAYS = {"address": "a", "port": "p", "raw": "r", "verbose": "v", "help": "h", "time": "T"}
_WITH_VALUE = {"vdi": frozenset("apiscFozBIm"), "cluster": frozenset("apbcz"), "node": frozenset("ap")}

_SUBCOMMANDS: Mapping[str, Mapping[str, str]] = {
    "vdi": {
        "check": "seaphT", "create": "PycaphrvzT", "snapshot": "saphrvTR", "clone": "sPnaphrvT", "delete": "saphTBIm",
        "rollback": "saphfrvTBI", "list": "aprhoT", "tree": "aphT", "graph": "aphT", "object": "isaphT", "track": "isaphoT",
        "setattr": "dxaphT", "getattr": "aphT", "resize": "aphT", "read": "saphT", "write": "apwhT", "backup": "sFaphT",
        "restore": "saphTBI", "alter-copy": "caphTf", "lock": "saphT",
    },
    "node": {
        "kill": "aprhlT", "list": "aprhT", "info": "aprhT", "recovery": "aphPrT", "md": "aprAfhT", "stat": "aprwhT",
        "log": "aphT", "vnodes": "aph", "format": "aphT",
    },
    "cluster": {
        "info": "aprhvTd", "format": "bcltaphzTVRfF", "shutdown": "aphT", "snapshot": "aphTm", "recover": "afphT",
        "reweight": "aphT", "check": "aphT", "alter-copy": "aphTcf",
    },
}
MODELLED_OPTIONS: Mapping[tuple[str, str], str] = {
    ("vdi", "check"): "sap", ("vdi", "create"): "aprv", ("vdi", "snapshot"): "saprv", ("vdi", "clone"): "saprv",
    ("vdi", "delete"): "sap", ("vdi", "rollback"): "sapfrv", ("vdi", "list"): "apr", ("vdi", "object"): "isap",
    ("vdi", "setattr"): "dxap", ("vdi", "getattr"): "ap", ("vdi", "resize"): "ap", ("vdi", "read"): "sap",
    ("vdi", "write"): "apw", ("vdi", "lock"): "sap", ("node", "list"): "apr", ("node", "info"): "apr",
    ("cluster", "info"): "aprv", ("cluster", "format"): "cltapzf",
}
_REST = ("alter-copy", "upgrade", "benchmark", "trace", "nfs")
COMMANDS = tuple(_SUBCOMMANDS)


class Usage(Exception):
    """The command line is wrong: ``lines`` go to standard error, the rest of the usage text to standard output."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


@dataclass(slots=True)
class Arguments:
    """``command``, ``subcommand``; ``options``: by letter, flags with an empty value; ``rest``: what is no option."""

    command: str
    subcommand: str
    options: dict[str, bytes]
    rest: list[bytes]


@lru_cache(maxsize=1 << 10)
def parse(arguments: tuple[bytes, ...]) -> Arguments:
    """Read the command line. Raises :class:`Usage` and ``NotModelled``. The answer is shared: it is not to be changed."""
    if len(arguments) < 2:
        raise NotModelled("dog without a command")
    command = arguments[1].decode("utf-8", "replace")
    if command in _REST:
        raise NotModelled(f"dog {command}")
    if command not in _SUBCOMMANDS:
        if command in ("help", "--help", "-h"):
            raise NotModelled("the help of dog")
        raise Usage(f"Invalid command '{command}'", "Try 'dog --help' for more information.")
    subcommand = arguments[2].decode("utf-8", "replace") if len(arguments) > 2 else ""
    letters = _SUBCOMMANDS[command].get(subcommand)
    if letters is None:
        first = () if subcommand in ("", "help", "--help", "-h") else (f"Invalid command '{command} {subcommand}'",)
        available = (f"  {command} {name}" for name in _SUBCOMMANDS[command])
        raise Usage(*first, f"Available {command} commands:", *available)
    options, rest = _getopt(command, letters, arguments[3:])
    known = MODELLED_OPTIONS.get((command, subcommand))
    if known is None:
        raise NotModelled(f"dog {command} {subcommand}")
    for letter in options:
        if letter not in known:
            raise NotModelled(f"dog {command} {subcommand} -{letter}")
    return Arguments(command, subcommand, options, rest)


def _getopt(command: str, letters: str, words: tuple[bytes, ...]) -> tuple[dict[str, bytes], list[bytes]]:
    """Options may stand anywhere; ``--`` ends them; a value may follow its letter at once."""
    with_value = _WITH_VALUE[command]
    options: dict[str, bytes] = {}
    rest: list[bytes] = []
    queue = iter(words)
    for word in queue:
        if word == b"--":
            rest.extend(queue)
        elif word.startswith(b"--"):
            name, equals, value = word[2:].decode("utf-8", "replace").partition("=")
            letter = _long(command, letters, name)
            if letter in with_value:
                options[letter] = value.encode() if equals else _value(queue, f"option '--{name}' requires an argument")
            elif equals:
                raise _wrong(f"option '--{name}' doesn't allow an argument")
            else:
                options[letter] = b""
        elif word.startswith(b"-") and word != b"-":
            _short(letters, with_value, word[1:], queue, options)
        else:
            rest.append(word)
    return options, rest


def _short(letters: str, with_value: frozenset[str], word: bytes, queue: object, options: dict[str, bytes]) -> None:
    for place in range(len(word)):
        letter = chr(word[place])
        if letter not in letters:
            raise _wrong(f"invalid option -- '{letter}'")
        if letter in with_value:
            options[letter] = word[place + 1 :] or _value(queue, f"option requires an argument -- '{letter}'")
            return
        options[letter] = b""


def _long(command: str, letters: str, name: str) -> str:
    names = {long: letter for long, letter in {**_LONG_ALWAYS, **_LONG[command]}.items() if letter in letters}
    found = [letter for long, letter in sorted(names.items()) if long.startswith(name)]
    if name in names:
        return names[name]
    if len(found) != 1:
        raise _wrong(f"unrecognized option '--{name}'" if not found else f"option '--{name}' is ambiguous")
    return found[0]


def _value(queue: object, complaint: str) -> bytes:
    value: bytes | None = next(queue, None)  # type: ignore[call-overload]
    if value is None:
        raise _wrong(complaint)
    return value


def _wrong(complaint: str) -> Usage:
    return Usage(f"dog: {complaint}", "Try 'dog --help' for more information.")


_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def size_of(text: bytes) -> int:
    """A size as dog reads it: a number, which may have a fraction, and a unit. Raises :class:`Usage`."""
    word = text.decode("ascii", "replace")
    unit = word[-1:].lower() if word[-1:].isalpha() else ""
    number = word[: len(word) - len(unit)]
    try:
        if unit not in _UNITS:
            raise ValueError
        value = float(number) if number else 0.0
        if not number.isdigit() and not set(number) <= set("0123456789.+-eE"):
            raise ValueError
        return int(value * 1024 ** _UNITS[unit]) if value >= 0 else (1 << 64) - 1
    except (ValueError, OverflowError):
        raise Usage(
            f"Invalid size '{word}'",
            "You may use B, K, M, G, T or P suffixes for bytes, kilobytes, megabytes, gigabytes, terabytes and petabytes.",
        ) from None
