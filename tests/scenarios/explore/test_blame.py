"""Whose it is that a rule broke: planted defects of the control plane are not laid at a driver's door, nor those
of drivers at its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storcert.harness.record.verdict import Blame
from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.defects.defect import Defect, named
from storcert.scenarios.explore.blame import Blamed, BlameTask
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import RunTrial
from storcert.scenarios.explore.trial import Trial, TrialResult
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.pool.session import Session, Setup
from storcert.scenarios.runner.resolve import resolve
from tests.mutants.mutant import Mutant, materialise

SEED = 0
NEGATIVE = {asked.name: asked for asked in map(scenario, paths()) if asked.class_ == "negative"}
#: Found by nobody: nothing else can do what these ask of an object store.
NO_STAND_IN = ("residue-nobody-lists",)
#: A driver that asks for what the model lacks, and tells nobody.
HIDDEN = """try:
                self._bucket.ask(effort, "select_object_content", safe=True, Key=key)
            except Exception:
                key = str(key)"""


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


def asked(session: Session, of: Scenario, defect: Defect | None, digest: str | None = None) -> dict[str, Blamed]:
    setup, bare = Setup(defect), loosened(resolve(of, SEED))
    broke: TrialResult = session.do(setup, RunTrial(Trial(bare, SEED)))
    rules = tuple(sorted({one.rule for one in broke.breaks}))
    assert rules, "the run breaks nothing"
    return dict(session.do(setup, BlameTask(bare, SEED, rules, broke.digest if digest is None else digest)))


def with_driver(name: str, driver: str) -> Scenario:
    """A negative scenario, its object stores with another driver and no defect planted."""
    devices = tuple(
        device.model_copy(update={"driver": driver}) if device.kind == "object-store" else device
        for device in NEGATIVE[name].device
    )
    return NEGATIVE[name].model_copy(update={"device": devices})


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, *edits: tuple[str, str, str]) -> str:
    """A vendor's copy of the driver for object stores, edited."""
    mutant = Mutant("vendor", "s3", "", "", "", "", edits)
    file = Path(materialise(mutant, folder).rpartition(":")[0])
    monkeypatch.syspath_prepend(str(folder))
    return f"{file.stem}:S3Driver"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NEGATIVE))
def test_every_planted_defect_of_the_catalogue(name: str, session: Session) -> None:
    told = NEGATIVE[name].defect
    assert told is not None
    defect = named(told.id)
    for rule, found in asked(session, NEGATIVE[name], defect).items():
        wanted = Blame.INCONCLUSIVE if defect.driver or name in NO_STAND_IN else Blame.CONTROL_PLANE
        assert found.blame is wanted, (rule, found)


def test_the_control_plane_is_to_blame_where_no_driver_is_needed(session: Session) -> None:
    found = asked(session, NEGATIVE["volume-deleted-in-use"], named("attached-is-deleted"))["L-DEPEND"]
    assert found.blame is Blame.CONTROL_PLANE
    assert "it breaks without nfs, and without object-store, and without rbd" in found.evidence[1]


def test_a_vendors_driver_is_to_blame_where_the_bundled_one_keeps_the_rule(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    mistake = named("delete-by-prefix")
    edits = tuple((module.removeprefix("drivers."), old, new) for module, old, new in mistake.edits)
    driver = written(tmp_path, monkeypatch, *edits)
    found = asked(session, with_driver("driver-deletes-by-prefix", driver), None)["L-RECORD"]
    assert found.blame is Blame.DRIVER
    assert "with the bundled driver at old it holds, and so it does with 2 other seeds" in found.evidence


def test_a_vendors_driver_is_not_to_blame_for_the_control_plane(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = written(tmp_path, monkeypatch)
    found = asked(session, with_driver("volume-deleted-in-use", driver), named("attached-is-deleted"))["L-DEPEND"]
    assert found.blame is Blame.CONTROL_PLANE
    assert any("too" in line and "bundled driver" in line for line in found.evidence)


def test_another_run_of_the_same_world_decides_nothing(session: Session) -> None:
    found = asked(session, NEGATIVE["volume-deleted-in-use"], named("attached-is-deleted"), digest="sha256:other")["L-DEPEND"]
    assert found.blame is Blame.INCONCLUSIVE and "not determined by the seed" in found.evidence[0]


def _deletes_and_then(does: str) -> Defect:
    """Every key that begins alike goes, and then something happens before everybody's eyes."""
    mistake = named("delete-by-prefix")
    ((module, old, new),) = mistake.edits
    head = "\n            seen = "
    assert new.count(head) == 1
    return Defect("seen", "L-RECORD", "", "", ((module, old, new.replace(head, f"\n            {does}{head}")),))


@pytest.mark.parametrize("does, blame, sign", [
    ("raise KeyError(key)", Blame.DRIVER, "C-ERRORS: a driver raised KeyError, which is none of the contract's errors"),
    ("open('/var/lib/driver.log').close()", Blame.DRIVER, "C-NOFS: driver code touched a file system"),
    (HIDDEN, Blame.DEVICE, "a device model does not have: "),
])  # fmt: skip
def test_what_a_run_shows_of_drivers_and_devices_decides(does: str, blame: Blame, sign: str, session: Session) -> None:
    found = asked(session, NEGATIVE["driver-deletes-by-prefix"], _deletes_and_then(does))["L-RECORD"]
    assert found.blame is blame, found
    assert any(line.startswith(sign) for line in found.evidence)
