"""``storcert run`` with ``--trace``, ``--otlp`` and ``--mermaid``: what is written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storcert.conformance.cli import run

SCENARIO = "i8748-host-dies-mid-migration"


def test_the_three_formats_of_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {option: tmp_path / option for option in ("trace", "otlp", "mermaid")}
    options = [word for option, path in files.items() for word in (f"--{option}", str(path))]
    assert run(["run", SCENARIO, "--seed", "1", *options]) == 0
    chrome = json.loads(files["trace"].read_text())
    assert {"X", "s", "f", "i", "M"} == {event["ph"] for event in chrome["traceEvents"]}
    for line in files["otlp"].read_text().splitlines():
        assert json.loads(line)["resourceSpans"]
    assert "CRASH" in files["mermaid"].read_text()


def test_a_folder_of_artefacts_holds_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", SCENARIO, "--seed", "1", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} >= {f"{SCENARIO}.{end}" for end in ("trace.json", "otlp.jsonl", "mmd")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "2", "--trace", "t.json"], "--trace t.json: these are 2 runs; name one scenario, --seed and one device"),
        (["--otlp", "nowhere/t"], "--otlp nowhere/t: there is no folder nowhere"),
        (["--mermaid", "."], "--mermaid .: is a folder; name a file in it"),
    ],
)
def test_what_is_refused(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run", SCENARIO, *options]) == 4
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
