"""The adapters for minio-py and Apache Libcloud under the kit: faultless on faultless libraries, so what fails is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.options import certify_options
from storcert.conformance.progress import SilentProgress
from storcert.harness.contract import InvalidRequest
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict

minio = pytest.importorskip("storcert.harness.drivers.minio")
libcloud = pytest.importorskip("storcert.harness.drivers.libcloud")
ideal: Any = pytest.importorskip("tests.harness.drivers.ideal_object_libraries")

NAMES = ("storcert.harness.drivers.minio:MinioDriver", "storcert.harness.drivers.libcloud:LibcloudDriver")
each_driver = pytest.mark.parametrize("driver", NAMES, ids=["minio", "libcloud"])
QUICK = ("C-ABORT", "C-CAPS", "C-COMMIT", "C-CREATE", "C-DELETE", "C-LIST", "C-READ", "C-WRITE")


@pytest.fixture(autouse=True)
def ideal_libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(minio.library, "Minio", ideal.IdealMinio)
    monkeypatch.setattr(libcloud.library.storage.drivers.s3, "S3StorageDriver", ideal.IdealStorageDriver)
    yield
    ideal.OBJECTS.clear()


def certified(driver: str, rules: tuple[str, ...] = ()) -> RunRecord:
    options = certify_options(driver, profile="core", rules=rules, seed=1, workers=1)
    return run_certification(options, SilentProgress())


@each_driver
def test_an_ideal_library_passes_what_is_asked_most(driver: str) -> None:
    record = certified(driver, QUICK)
    assert {check.id: check.reason for check in record.checks if check.verdict is Verdict.FAIL} == {}
    assert record.counts.passed > 100


@pytest.mark.slow
@each_driver
def test_an_ideal_library_passes_completely(driver: str) -> None:
    record = certified(driver)
    broken = {check.id: check.reason for check in record.checks if check.verdict in (Verdict.FAIL, Verdict.ERROR)}
    assert broken == {} and record.verdict is RunVerdict.CONFORMANT


@pytest.mark.parametrize("make", [minio.MinioDriver, libcloud.LibcloudDriver])
@pytest.mark.parametrize("configuration", [
    {}, {"endpoint_url": "http://s3.sim", "bucket": ""}, {"bucket": "b", "colour": "red"}, {"bucket": 3},
    {"bucket": "b", "endpoint_url": "s3.sim"},
])  # fmt: skip
def test_a_wrong_configuration_is_refused_at_once(make: Any, configuration: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        make(configuration)


@pytest.mark.parametrize(("module", "make"), [(minio, "MinioDriver"), (libcloud, "LibcloudDriver")], ids=["minio", "libcloud"])
def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, module: Any, make: str) -> None:
    monkeypatch.setattr(module, "library", None)
    with pytest.raises(InvalidRequest, match=r"pip install 'storcert\[(minio|libcloud)\]'"):
        getattr(module, make)({"bucket": "b", "endpoint_url": "http://s3.sim"})
