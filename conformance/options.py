"""What a certification is asked to do: the options of ``storcert certify``, checked before anything runs."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from storcert.conformance import secrets
from storcert.conformance.configuration import ConfigFile, read_config
from storcert.conformance.devices import DEFAULT_DEVICE, DEVICES, is_live
from storcert.conformance.driver_source import DriverSource, find_driver
from storcert.conformance.grpc_source import SCHEME
from storcert.conformance.remote_addresses import refuse_remote
from storcert.conformance.usage import InvalidUsage

SEED_MAX = 2**63 - 1
SINGLE_FILES = ("json", "junit", "html", "sarif", "ctrf", "ndjson", "code_quality", "badge")
"""The formats of :mod:`storcert.conformance.formats` that have an option of their own."""


class Profile(StrEnum):
    """How deep to look: a quick look, the certificate, long runs with pairs of faults."""

    CORE = "core"
    STANDARD = "standard"
    DEEP = "deep"


@dataclass(frozen=True, slots=True)
class CertifyOptions:
    """Plain data, so that it goes to worker processes.

    ``configuration`` is what ``--config`` adds to the device's default; ``simulator`` are options of the device model.
    ``rules`` empty means all. ``budget_s`` is real time in seconds; ``None`` means as long as the profile takes.
    ``out`` is the folder of every artefact (replay files too), or ``None``. ``isolate``: driver code runs in processes without
    a right to the file system (:mod:`storcert.conformance.isolation`). ``search_s``: real time for a search beyond the profile.
    ``agree_with``: a live target that is asked about what failed in simulation.
    """

    driver: DriverSource
    device: str = DEFAULT_DEVICE
    configuration: Mapping[str, Any] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    profile: Profile = Profile.STANDARD
    rules: tuple[str, ...] = ()
    seed: int = 0
    budget_s: float | None = None
    workers: int = 1
    out: Path | None = None
    isolate: bool = False
    search_s: float | None = None
    agree_with: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For the record's ``options``: what was asked for, without folders of this machine."""
        return {
            "driver": self.driver.reference if not self.driver.folder else Path(self.driver.file).name,
            "device": self.device,
            "configuration": secrets.hidden(self.configuration),
            "simulator": secrets.hidden(self.simulator),
            "profile": str(self.profile),
            "rules": list(self.rules),
            "seed": self.seed,
            "budget_s": self.budget_s,
            "isolate": self.isolate,
            "search_s": self.search_s,
        }


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where results are written besides the terminal. ``source_root``: the folder of the repository that file names of the
    driver are relative to; formats that services show beside the code put it before them. ``streamed``: the event stream
    is written while the run goes."""

    out: Path | None = None
    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    sarif: Path | None = None
    ctrf: Path | None = None
    ndjson: Path | None = None
    code_quality: Path | None = None
    badge: Path | None = None
    source_root: str = ""
    streamed: bool = False

    def files(self) -> list[tuple[str, str, Path]]:
        """Every single file that was asked for: format, option, path."""
        named = [(name, getattr(self, name)) for name in SINGLE_FILES]
        return [(name, f"--{name.replace('_', '-')}", path) for name, path in named if path is not None]

    def at_the_end(self, artefacts: Mapping[str, str]) -> list[tuple[str, Path]]:
        """Format and path of everything to write when the run is over. ``artefacts``: what ``out`` gets, by format."""
        found = [(name, path) for name, _, path in self.files()]
        if self.out is not None:
            found += [(name, self.out / file) for name, file in artefacts.items()]
        return [(name, path) for name, path in found if name != "ndjson" or not self.streamed]

    @property
    def draws(self) -> bool:
        """Whether a report is written that can draw what happened."""
        return self.html is not None or self.out is not None

    def check(self) -> None:
        """Raises :class:`InvalidUsage` for anything that cannot be written, now rather than after the run."""
        if self.out is not None:
            _check_folder("--out", self.out)
        for _, option, path in self.files():
            check_file(option, path)


def certify_options(
    driver: str | DriverSource,
    *,
    device: str | None = None,
    config: Path | ConfigFile | None = None,
    profile: str = Profile.STANDARD,
    rules: Collection[str] = (),
    seed: int = 0,
    budget_s: float | None = None,
    workers: int | None = None,
    out: Path | None = None,
    known_rules: Collection[str] = (),
    isolate: bool = False,
    search_s: float | None = None,
    agree_with: str | None = None,
    allow_remote: bool = False,
) -> CertifyOptions:
    """Check everything a user can say and put it together. Raises :class:`InvalidUsage`, one line each.

    ``driver`` and ``config`` may have been found and read already. ``known_rules`` empty: rule ids are not checked here.
    """
    chosen_profile = parse_profile(profile)
    if not 0 <= seed <= SEED_MAX:
        raise InvalidUsage(f"--seed {seed}: a whole number from 0 to {SEED_MAX}")
    if budget_s is not None and not 0 < budget_s < float("inf"):
        raise InvalidUsage(f"--budget {budget_s:g}: seconds of real time, more than 0")
    if workers is not None and not 1 <= workers <= 256:
        raise InvalidUsage(f"--workers {workers}: processes, from 1 to 256")
    if isolate:
        from storcert.conformance.isolation import require_available

        require_available()
    chosen_rules = tuple(dict.fromkeys(_rule(rule, known_rules) for rule in rules))
    file = read_config(config) if isinstance(config, Path) else config or ConfigFile()
    if device is not None:
        _check_device(device)
    source = find_driver(driver, device or "", allow_remote=allow_remote) if isinstance(driver, str) else driver
    chosen_device = device or source.device or DEFAULT_DEVICE
    _check_device(chosen_device)
    if source.reference.startswith(SCHEME) and not is_live(chosen_device):
        raise InvalidUsage(f"--device {chosen_device}: {source.reference} runs in a process of its own: leave it away")
    if search_s is not None and is_live(chosen_device):
        raise InvalidUsage("--search: a live device shows no faults and forgets nothing; search on a simulated one")
    if is_live(chosen_device) and not allow_remote:
        refuse_remote(file)
    if agree_with is not None:
        from storcert.conformance.live_agreement import check as check_agreement

        check_agreement(agree_with, chosen_device)
    if file.simulator:
        _check_simulator(file, chosen_device)
    return CertifyOptions(
        driver=source,
        device=chosen_device,
        configuration=file.configuration,
        simulator=file.simulator,
        profile=chosen_profile,
        rules=chosen_rules,
        seed=seed,
        budget_s=budget_s,
        workers=workers if workers is not None else default_workers(),
        out=out,
        isolate=isolate,
        search_s=search_s,
        agree_with=agree_with,
    )


def parse_profile(text: str) -> Profile:
    """The profile of that name. Raises :class:`InvalidUsage`."""
    try:
        return Profile(text)
    except ValueError:
        raise InvalidUsage(f"--profile {text}: it is one of {', '.join(Profile)}") from None


def default_workers() -> int:
    """One process per usable core, at most four: more of them would only eat memory."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _rule(rule: str, known: Collection[str]) -> str:
    name = rule.upper()
    if known and name not in known:
        close = difflib.get_close_matches(name, list(known), 1)
        hint = f", did you mean {close[0]}?" if close else "; `storcert list rules` shows them"
        raise InvalidUsage(f"--rule {rule}: no such rule{hint}")
    return name


def _check_device(device: str) -> None:
    if device not in DEVICES:
        raise InvalidUsage(f"--device {device}: it is one of {', '.join(DEVICES)}")


def _check_simulator(file: ConfigFile, device: str) -> None:
    """Ask the device model which options it has; imported late because it is heavy."""
    if is_live(device):
        raise InvalidUsage("table [simulator]: a live device has no simulator options")
    from storcert.conformance.simulator_options import check_simulator_options

    check_simulator_options(file, device)


def _check_folder(option: str, path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise InvalidUsage(f"{option} {path}: exists and is not a folder") from None
    except OSError as error:
        raise InvalidUsage(f"{option} {path}: cannot be written: {error.strerror or error}") from None


def check_file(option: str, path: Path) -> None:
    """Raises :class:`InvalidUsage` where no such file can be written."""
    if path.is_dir():
        raise InvalidUsage(f"{option} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InvalidUsage(f"{option} {path}: there is no folder {path.parent}")
    existed = path.exists()
    try:
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise InvalidUsage(f"{option} {path}: cannot be written: {error.strerror or error}") from None
