"""The adapters for minio-py and Apache Libcloud under the kit: faultless on faultless libraries, so what fails is theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.options import certify_options
from storcert.conformance.progress import SilentProgress
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, InvalidRequest
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import run_id

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


def test_an_upload_into_a_folder_has_begun_once_it_is_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module, looked = libcloud.library.storage.drivers.local, threading.Event()

    class Late(module.LocalStorageDriver):  # type: ignore[misc, name-defined]
        def upload_object_via_stream(self, *given: Any, **more: Any) -> Any:
            looked.wait(0.1)  # whoever does not wait for the upload looks before it began
            return super().upload_object_via_stream(*given, **more)

    monkeypatch.setattr(module, "LocalStorageDriver", Late)
    (tmp_path / "objects").mkdir()
    driver = libcloud.LibcloudDriver({"backend": "local", "root": str(tmp_path / "objects")})
    stream = driver.open_output(DataObjectUri.parse("/volume/1/a"))
    try:
        assert driver.describe(DataObjectUri.parse("/volume/1/a")).size_bytes == 0
    finally:
        looked.set()
        stream.abort()


def test_an_upload_that_cannot_begin_is_told_by_its_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(libcloud.library.storage.drivers.local.LocalStorageDriver, "upload_object_via_stream", fail)
    (tmp_path / "objects").mkdir()
    driver = libcloud.LibcloudDriver({"backend": "local", "root": str(tmp_path / "objects")})
    with pytest.raises(DeviceUnavailable, match="no room"), driver.open_output(DataObjectUri.parse("/volume/1/a")) as stream:
        stream.write(b"data")


@pytest.mark.parametrize("case", [
    "C-RETRY/one-fault[delete-small expired_credentials]",  # the object is gone, its uploads cannot be listed
    "C-RETRY/one-fault[write-parts answer_lost]",  # of the request that begins the upload
    "C-RETRY/every-fault-once[mismatch-small]",  # the upload cannot be aborted
    "C-RETRY/fault-in-the-clean-up[write-parts expired_credentials]",
])  # fmt: skip
def test_what_may_have_left_an_upload_is_not_called_not_done(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.undo()  # the library as it is
    outcome = run_id(case, libcloud.LibcloudDriver)
    assert outcome.result.verdict is Verdict.PASS, outcome.message
