"""What a run record says of an exploration: the space around a scenario, what was covered of it, what was found. Frozen values
only; nothing here knows how long it took or who ran it."""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.record.verdict import Blame


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A fault at an operation of a place, in a phase of its request. ``points``: at how many requests and with how many amounts
    it can strike; ``trials``: runs in which it was armed; ``reached``: in which it struck; of those ``survived``: every rule
    held, and ``failed``: one did not. ``operation`` ``*``: any."""

    place: str
    operation: str
    fault: str
    phase: str
    points: int
    trials: int
    reached: int
    survived: int
    failed: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """A rule that broke in some way. ``key``: its words without names and numbers; ``trial``: the number of the first run in
    which it broke, of ``trials`` in all; ``seed``: of that run. ``scenario``: the smallest scenario that still breaks it, as
    TOML; ``file`` and ``test``: where that was written, within the output folder, as scenario and as a pytest file.

    ``token``: what ``storcert replay`` takes, where there is no file. ``runs``: how many runs it took to make it smaller;
    ``cut_short``: why not more, or empty. ``necessary``: parts without which it does not break, each shown by a run;
    ``unproven``: parts of which that was not shown, with why. ``blame``: whose it is, and ``evidence``: what decided
    that, where it was asked."""

    rule: str
    message: str
    key: str
    trial: int
    trials: int
    seed: int
    scenario: str = ""
    file: str = ""
    test: str = ""
    token: str = ""
    runs: int = 0
    cut_short: str = ""
    necessary: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    blame: Blame | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exploration:
    """``mode``: ``random`` or ``exhaustive``. ``planned``: how many trials were to be run, -1 for as many as there was time
    for; ``trials``: how many ended. ``operations``: steps and operations of clients in all of them. ``points`` and ``cells``:
    the size of the space of single faults and crashes. ``guided``: variations came of those that reached new lines, of which
    there were ``lines`` in all; how many depends on the version of Python."""

    scenario: str
    scenario_digest: str
    mode: str
    planned: int
    trials: int
    operations: int
    points: int
    cells: int
    cells_reached: int
    guided: bool
    lines: int
    parents: int
    matrix: tuple[MatrixCell, ...] = ()
    discoveries: tuple[Discovery, ...] = ()
