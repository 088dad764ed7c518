"""The driver in Node.js: installed from npm into a folder of its own, started, certified; and a bug in it is caught."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import certify
from tests.conformance.test_grpc_transparent import process

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "node-driver"
PROTO = ROOT / "harness" / "protocol" / "driver.proto"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its packages. Skipped, saying why, where there is no Node.js or no registry."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("node-driver")
    for file in EXAMPLE.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm install failed: {done.stderr.strip()[-300:]}")
    return folder


def certified(folder: Path, store: Path, *rules: str) -> RunRecord:
    store.mkdir()
    with process(["node", folder / "driver.js", PROTO]) as address:
        return certify(address, *rules, device="live", configuration={"folder": str(store)})


def test_it_is_conformant_and_leaves_nothing(installed: Path, tmp_path: Path) -> None:
    record = certified(installed, tmp_path / "store")
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert (record.driver.name, record.driver.version) == ("node-folder", "1.0.0")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_bug_planted_in_it_is_caught(installed: Path, tmp_path: Path) -> None:
    """A commit that renames replaces what stands there."""
    spoilt = shutil.copytree(installed, tmp_path / "spoilt", symlinks=True)
    text = (spoilt / "folder.js").read_text()
    assert "fs.linkSync(" in text
    text = text.replace("fs.linkSync(", "fs.renameSync(").replace("if (device.size(this.place) !== null)", "if (false)")
    (spoilt / "folder.js").write_text(text)
    record = certified(spoilt, tmp_path / "store", "C-ONCE")
    assert "C-ONCE" in {rule.id for rule in record.rules if rule.verdict is Verdict.FAIL}


def test_it_is_small_and_its_packages_are_pinned() -> None:
    assert sum(len(file.read_text().splitlines()) for file in EXAMPLE.glob("*.js")) < 300
    pinned = json.loads((EXAMPLE / "package.json").read_text())["dependencies"]
    assert pinned and all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())
