"""``certify --isolate`` with drivers whose native code opens files: without it they pass, with it the rule is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import cli, isolation, isolation_watch
from storcert.conformance.live import LiveWorld
from storcert.conformance.subject import Subject
from storcert.harness.record.finding import Finding
from tests.conformance.isolation import native_drivers
from tests.conformance.isolation.test_landlock import needs_landlock

DRIVERS = Path(native_drivers.__file__)


@pytest.fixture(autouse=True)
def _no_scratch_file() -> Any:
    scratch = Path(native_drivers.SCRATCH.decode())
    scratch.unlink(missing_ok=True)
    yield scratch
    scratch.unlink(missing_ok=True)


def certified(tmp_path: Path, driver: str, *options: str) -> tuple[int, dict[str, Any]]:
    record = tmp_path / "run.json"
    code = cli.run(["certify", driver, "--profile", "core", "--rule", "C-NOFS", "--json", str(record), *options])
    return code, json.loads(record.read_text())


@pytest.mark.slow
@needs_landlock
@pytest.mark.skipif(not isolation_watch.available(), reason="nobody watches here: a driver that hides it is not told")
@pytest.mark.parametrize("driver, workers", [("Telling", "1"), ("Hiding", "2")])
def test_native_code_is_held_to_the_rule(tmp_path: Path, driver: str, workers: str, _no_scratch_file: Path) -> None:
    driver = f"{DRIVERS}:{driver}"
    code, record = certified(tmp_path, driver, "--workers", workers)
    assert code == 0 and record["environment"]["isolation"] is None, "nothing inside Python sees native code"
    assert _no_scratch_file.exists()
    _no_scratch_file.unlink()
    code, record = certified(tmp_path, driver, "--isolate", "--workers", workers)
    assert code == 1 and not _no_scratch_file.exists()
    assert record["environment"]["isolation"]["mechanism"] == "landlock" and record["options"]["isolate"] is True
    rule = next(rule for rule in record["rules"] if rule["id"] == "C-NOFS")
    failure = next(one for one in rule["failures"] if one["check"] == "C-NOFS/whole-run")
    assert "'/var/tmp/storcert-native-scratch'" in failure["message"]
    assert record["environment"]["isolation"]["watched"] is isolation_watch.available()
    if driver.endswith("Telling"):
        assert failure["source"]["file"] == "native_drivers.py"


@pytest.mark.slow
@needs_landlock
def test_a_live_device_that_is_a_mounted_path_is_all_a_driver_may_touch(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    (tmp_path / "live.toml").write_text(f'[configuration]\nmount = "{tmp_path}/mount"\nplain_directory = true\n')
    options = ("--device", "live", "--config", str(tmp_path / "live.toml"))
    code, isolated = certified(tmp_path, "nfs", "--isolate", *options)
    assert code == 0 and isolated["environment"]["isolation"]["writable"] == ["the mount"]
    whole = next(one for one in isolated["checks"] if one["id"] == "C-NOFS/whole-run")
    assert whole["verdict"] == "pass", "in isolated processes a live run is watched too"
    assert (tmp_path / "mount" / "objects").is_dir()


def test_what_a_live_driver_is_refused_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("file-system", "openat('/x')", "", 0)
    monkeypatch.setattr(isolation, "refused", lambda error: [finding])
    world = LiveWorld(Subject("mine", object, "live"))
    world.finish(world.start(world.location("here"), "describe", lambda: None))
    assert world.findings() == [finding]


@pytest.mark.slow
@needs_landlock
def test_a_correct_driver_is_the_same_driver_in_isolation(tmp_path: Path) -> None:
    code, isolated = certified(tmp_path, "nfs", "--isolate", "--workers", "2")
    assert code == 0
    code, open_ = certified(tmp_path, "nfs", "--workers", "2")
    assert code == 0 and isolated["digest"] == open_["digest"]
