"""Writes docs/faults/: what can go wrong, a page per device, and one for the network, the catalogue and locations.

Everything on them is said beside the code: the prose in docstrings, the faults in tables of the simulators, what is not
modelled in those docstrings, in the calls that raise ``NotModelled`` and in the rows of known differences.

    python docs/make_faults.py
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storcert.harness.kernel import location
from storcert.scenarios.surroundings import Catalogue
from storcert.simulators import device as vocabulary
from storcert.simulators.device import FaultKind
from storcert.simulators.network import network_faults, topology, wire
from storcert.simulators.network.network_faults import DATAGRAM_FAULTS, NETWORK_FAULTS
from storcert.simulators.network.wire import TRANSPORT_FAULTS
from storcert.simulators.registry import SIMULATED

FOLDER = Path(__file__).resolve().parent / "faults"
MADE = "Made by `python docs/make_faults.py`, do not edit.\n"
NOT_MODELLED = "Not modelled, and why:"
NETWORK = "network"
_DIFFERENCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "nfs": (("nfs-ganesha 4.3", "known_differences", "KNOWN_DIFFERENCES"),),
    "rbd": (("Ceph 16.2", "known_differences", "RBD_DIFFERENCES"),),
    "object-store": (
        ("RADOS gateway 16.2", "known_differences_radosgw", "RADOSGW_DIFFERENCES"),
        ("moto 5.2", "known_differences", "KNOWN_DIFFERENCES"),
    ),
}
"""By device: the real system it was compared with, and where the rows of what they answer differently stand."""


class Page(NamedTuple):
    """One file: its name, what it is about, its text from there on, and how many faults are legal there."""

    name: str
    title: str
    text: str
    faults: int = 0

    @property
    def path(self) -> Path:
        """Where it stands."""
        return FOLDER / f"{self.name}.md"

    @property
    def whole(self) -> str:
        """The file."""
        return f"# Faults: {self.title}\n\n{MADE}[All pages](README.md).\n\n{self.text}"


def pages() -> list[Page]:
    """All of them, as the code is now; the table of contents is the first."""
    made = [
        *(_device_page(kind.name, kind.package) for kind in SIMULATED.values()),
        _device_page("http-source", "storcert.simulators.http_source"),
        _network_page(), _catalogue_page(), Page("locations", "servers, storage VMs and hosts", _said(_doc(location))),
    ]
    return [_contents(made), *made]


def _contents(made: Sequence[Page]) -> Page:
    told = _rows(
        ("what", "legal faults"),
        ((f"[{page.title}]({page.name}.md)", page.faults or "crash, restart, pause, kill") for page in made),
    )
    text = (
        "What can go wrong in a simulated world, at which requests and in which phases, where the belief comes from that it "
        "can, and what storcert does not model and why. A fault is legal where a real system was seen or is documented to show "
        "it; everything else is refused when it is armed.\n\n"
        "- A fault strikes one request: **before** its effect, **during** its body, or **after** its effect.\n"
        f"- A row of a table: {_lower(_plain(_doc(FaultKind)))}\n"
        "- `storcert certify` tries every fault of a device at every request of every operation; a scenario names a fault, a "
        "place, a request, a phase and how often ([scenario files](../scenario-format.md)).\n"
        "- A call of a client library that a simulator does not have raises `NotModelled`. "
        f"{_plain(_doc(vocabulary.NotModelled).partition(chr(10) * 2)[2])}\n\n{told}"
    )
    return Page("README", "what can go wrong", text)


# -- the pages


def _device_page(name: str, package: str) -> Page:
    module = importlib.import_module(f"{package}.legal_faults")
    faults: tuple[FaultKind, ...] = module.LEGAL_FAULTS
    own = [fault for fault in faults if fault not in TRANSPORT_FAULTS]
    shared = [fault for fault in faults if fault in TRANSPORT_FAULTS]
    parts = [_said(_doc(module), table=_faults(own, shared))]
    calls = sorted(set(_calls(package))) + _names_not_there(name)
    if calls:
        parts.append("### What raises `NotModelled`\n\n" + "".join(f"- {call}\n" for call in calls))
    for real, place, attribute in _DIFFERENCES.get(name, ()):
        rows = getattr(importlib.import_module(f"{package}.{place}"), attribute)
        said = _markdown(_doc(importlib.import_module(f"{package}.{place}")))
        parts.append(f"### Answers that differ from {real}\n\n{said}\n{_differing(rows)}")
    return Page(name, name, "\n".join(parts), len(faults))


def _network_page() -> Page:
    parts = [
        _said(_doc(wire)), "### Faults of every wire\n", _faults(TRANSPORT_FAULTS),
        "## Between places\n", _said(_doc(topology)),
        "### Faults of the network\n", _faults(NETWORK_FAULTS), "Of datagrams alone:\n", _faults(DATAGRAM_FAULTS),
        _said(_doc(network_faults)),
    ]
    return Page(NETWORK, "the network", "\n".join(parts), len((*TRANSPORT_FAULTS, *NETWORK_FAULTS, *DATAGRAM_FAULTS)))


def _catalogue_page() -> Page:
    return Page("catalogue", "the catalogue", _said(_doc(Catalogue), _faults((), TRANSPORT_FAULTS)), len(TRANSPORT_FAULTS))


def _said(text: str, table: str = "") -> str:
    """A docstring as Markdown, with ``table`` before it comes to what is not modelled."""
    told, found, left_out = text.partition(NOT_MODELLED)
    parts = [_markdown(told), table, f"## Not modelled, and why\n\n{_markdown(left_out)}" if found else ""]
    return "\n".join(part for part in parts if part)


# -- tables


def _faults(own: Sequence[FaultKind], shared: Sequence[FaultKind] = ()) -> str:
    told = ""
    if own:
        rows = (
            (f"`{fault.name}`", ", ".join(fault.phases), _requests(fault), fault.value_unit, fault.description,
             "until healed" if fault.lasting else "", fault.source)
            for fault in own
        )
        told = _rows(("fault", "phases", "requests", "value", "what happens", "lasts", "source"), rows) + "\n"
    if shared:
        names = ", ".join(f"`{fault.name}`" for fault in shared)
        told += f"As on [every wire]({NETWORK}.md#faults-of-every-wire): {names}. "
    if shared or (own and own[0] not in (*NETWORK_FAULTS, *DATAGRAM_FAULTS, *TRANSPORT_FAULTS)):
        told += "What [the network](network.md#faults-of-the-network) does may be armed here too.\n"
    return told


def _requests(fault: FaultKind) -> str:
    return "any" if fault.operations == ("*",) else ", ".join(f"`{name}`" for name in fault.operations)


def _differing(rows: Iterable[Any]) -> str:
    def cells(row: Any) -> tuple[str, str, str]:
        named = getattr(row, "operations", None) or getattr(row, "procedures", None) or (row.operation,)
        operations = "any" if "*" in named else ", ".join(f"`{name}`" for name in named)
        return row.name, operations, row.reason

    return _rows(("what", "calls", "why"), dict.fromkeys(cells(row) for row in rows))


def _rows(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# -- what is not there


def _calls(package: str) -> Iterator[str]:
    """What the sources of a package say when they raise ``NotModelled``; a part that is only known then is an ellipsis."""
    folder = Path(inspect.getfile(importlib.import_module(package))).parent
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NotModelled":
                text = _text(node.args[0]) if node.args else ""
                if len(text.replace("…", "").split()) > 1:  # the rest of what it says is known only then
                    yield f"`{text}`"


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _names_not_there(name: str) -> list[str]:
    """Names that the real client library has and the simulated one refuses."""
    found: Callable[[], list[str]] | None = {
        "rbd": _rbd_names, "object-store": _s3_names, "sheepdog": _dog_subcommands,
    }.get(name)
    return [] if found is None else found()


def _rbd_names() -> list[str]:
    from storcert.simulators.rbd.doors import modules

    told = []
    for module in modules():
        for name, thing in sorted(vars(module).items()):
            if not callable(thing):
                continue
            if thing.__doc__ == "Not modelled.":
                told.append(f"`{module.__name__}.{name}`")
                continue
            missing = [key for key, value in sorted(vars(thing).items()) if value.__doc__ == "Not modelled."]
            if missing:
                told.append(f"`{module.__name__}.{name}`: {', '.join(f'`{key}`' for key in missing)}")
    return told


def _s3_names() -> list[str]:
    from storcert.simulators.object_store.service_model import service_model

    service = service_model()
    there = sorted(name for name, operation in service.method_names.items() if operation in service.operations)
    return [f"every operation of the client but {', '.join(f'`{name}`' for name in there)}"]


def _dog_subcommands() -> list[str]:
    from storcert.simulators.sheepdog.dog_arguments import MODELLED_OPTIONS

    there = ", ".join(f"`{command} {subcommand}`" for command, subcommand in sorted(MODELLED_OPTIONS))
    return [f"every subcommand of dog but {there}"]


# -- docstrings


def _doc(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _plain(text: str) -> str:
    return " ".join(_markdown(text).split())


def _markdown(text: str) -> str:
    """Of the little markup that our docstrings have: literals, references, and tables with two columns."""
    text = _tables(text.strip("\n"))  # first: its columns are where they are in the source
    return re.sub(r":\w+:`[~.]?([^`]+)`", r"`\1`", text).replace("``", "`") + "\n"


def _tables(text: str) -> str:
    lines: list[str] = []
    rule = re.compile(r"(=+  +)=+")
    cells: list[list[str]] | None = None
    width = 0
    for line in text.split("\n"):
        found = rule.fullmatch(line)
        if found and cells is None:
            cells, width = [], len(found[1])
        elif found and cells is not None:
            lines.append(_rows(("fault", "what happens"), cells).rstrip("\n"))
            cells = None
        elif cells is None:
            lines.append(line)
        elif line[:width].strip():
            cells.append([line[:width].strip(), line[width:].strip()])
        else:
            cells[-1][1] += f" {line.strip()}"
    return "\n".join(lines)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for page in pages():
        page.path.write_text(page.whole, encoding="utf-8")
