"""``storcert run`` and ``explore`` say whose it is that a rule broke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from storcert.conformance import cli
from storcert.reports.schema import json_schema
from storcert.scenarios.catalogue import paths
from tests.mutants.mutant import load, materialise

MUTANT = next(one for one in load() if one.id == "delete-by-prefix")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario in which a vendor's driver takes siblings along."""
    driver = Path(materialise(MUTANT, tmp_path).rpartition(":")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    text = paths()["driver-deletes-by-prefix"].read_text(encoding="utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("defect =", "class =")))
    path = tmp_path / "siblings.toml"
    path.write_text(text.replace('name = "old",', f'name = "old", driver = "{driver.stem}:S3Driver",'), encoding="utf-8")
    return path


def record(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(value, json_schema())
    return value


def failed(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [failure for rule in value["rules"] for failure in rule["failures"]]


def test_a_run_blames_the_driver(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["run", str(file), "--seeds", "4", "--json", str(tmp_path / "run.json")]) == 1
    said = capsys.readouterr().out
    assert "blame: driver" in said and "blame: with the bundled driver at old it holds" in said
    value = record(tmp_path / "run.json")
    blamed = [failure["blame"] for failure in failed(value)]
    assert blamed == ["driver"] * 3 + [None], "of the first seeds only, since each takes more runs"
    assert [check["blame"] for check in value["checks"] if check["verdict"] == "fail"] == ["driver"]


def test_a_run_that_is_stopped_early_blames_nobody(file: Path, tmp_path: Path) -> None:
    assert cli.run(["run", str(file), "--until", "40 s", "--json", str(tmp_path / "run.json")]) == 1
    assert [failure.get("blame") for failure in failed(record(tmp_path / "run.json"))] == [None]


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_an_exploration_blames_the_driver(file: Path, tmp_path: Path, workers: str) -> None:
    out = tmp_path / "run.json"
    assert cli.run(["explore", str(file), "--runs", "2", "--workers", workers, "--shrink-runs", "0", "--json", str(out)]) == 1
    value = record(out)
    (found,) = value["exploration"]["discoveries"]
    assert found["blame"] == "driver" and "the bundled driver at old" in " ".join(found["evidence"])
    assert [failure["blame"] for failure in failed(value)] == ["driver"]
