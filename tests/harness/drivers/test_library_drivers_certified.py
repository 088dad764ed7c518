"""The adapters of libraries under the kit: faultless on a faultless library, and on a real one only what is documented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.options import CertifyOptions, certify_options
from storcert.conformance.progress import SilentProgress
from storcert.conformance.usage import InvalidUsage
from storcert.harness.drivers import smart_open_s3
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.harness.drivers import ideal_smart_open
from tests.harness.drivers.ideal_arrow import OBJECTS

DRIVERS = "storcert.harness.drivers"
SMART_OPEN = f"{DRIVERS}.smart_open_s3:SmartOpenDriver"


def certified(driver: str, *rules: str, backend: str = "") -> RunRecord:
    # One worker: in this process, where what a test has put into place is known.
    options: CertifyOptions = certify_options(driver, profile="core", rules=rules, seed=1, workers=1)
    return run_certification(replace(options, configuration={"backend": backend} if backend else {}), SilentProgress())


def failing(record: RunRecord) -> set[str]:
    return {check.id for check in record.checks if check.verdict is Verdict.FAIL}


@pytest.mark.slow
def test_the_adapter_of_arrow_has_no_fault_of_its_own() -> None:
    record = certified("tests.harness.drivers.ideal_arrow:IdealArrowDriver")
    OBJECTS.clear()
    assert record.verdict is RunVerdict.CONFORMANT, (record.reason, failing(record))
    assert record.counts.passed > 400


@pytest.mark.slow
def test_the_adapter_of_smart_open_has_no_fault_of_its_own_under_any_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_open_s3, "library", ideal_smart_open)
    record = certified(SMART_OPEN)
    assert record.verdict is RunVerdict.CONFORMANT, (record.reason, failing(record))
    assert record.counts.passed > 500


@pytest.mark.slow
def test_obstore_in_memory_is_conformant() -> None:
    record = certified(f"{DRIVERS}.obstore_store:ObstoreDriver", backend="memory")
    assert record.verdict is RunVerdict.CONFORMANT, (record.reason, failing(record))


@pytest.mark.slow
def test_opendal_in_memory_is_conformant() -> None:
    record = certified(f"{DRIVERS}.opendal_operator:OpendalDriver", backend="memory")
    assert record.verdict is RunVerdict.CONFORMANT, (record.reason, failing(record))


@pytest.mark.slow
def test_smart_open_fails_exactly_what_is_documented() -> None:
    assert {check.partition("[")[0] for check in failing(certified(SMART_OPEN, "C-ABORT", "C-ONCE", "C-READER"))} == {
        "C-ABORT/dead-process", "C-ABORT/dies-at-any-moment", "C-ABORT/dropped-stream", "C-ABORT/programs-hold",
    }  # fmt: skip


@pytest.mark.parametrize("driver", ["obstore_store:ObstoreDriver", "opendal_operator:OpendalDriver"])
def test_who_asks_for_a_server_is_not_certified_in_memory(driver: str) -> None:
    with pytest.raises(InvalidUsage, match="certify it with --device live"):
        certified(f"{DRIVERS}.{driver}", "C-WRITE")


@pytest.mark.parametrize(
    ("driver", "backend"), [("pyarrow_fs:PyarrowDriver", "local"), ("opendal_operator:OpendalDriver", "fs")]
)
def test_what_reaches_the_disk_in_compiled_code_is_turned_away_from_a_simulation(
    driver: str, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root") / "made"
    config = tmp_path_factory.mktemp("config") / "config.toml"
    config.write_text(f'[configuration]\nbackend = "{backend}"\nroot = "{root}"\n')
    options = certify_options(f"{DRIVERS}.{driver}", config=config, profile="core", rules=("C-WRITE",), seed=1, workers=1)
    with pytest.raises(InvalidUsage, match="certify it with --device live"):
        run_certification(options, SilentProgress())
    assert not root.exists()
