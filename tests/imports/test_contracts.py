"""Each import contract holds, and each can be broken: one offending import in a copy of the tree, and it says so.

The table below is ARCHITECTURE.md's, written as what may *not* be: a contract that does not notice its own line here is no
contract.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("harness", "simulators", "conformance", "scenarios", "reports")

#: contract id -> (file of the copy that gets the import, the import)
BREAKERS: list[tuple[str, str, str]] = [
    ("contract", "harness/contract/uri.py", "from storcert.harness.record import verdict"),
    ("contract", "harness/contract/uri.py", "from storcert.simulators import device"),
    ("record", "harness/record/finding.py", "from storcert.harness.kernel import context"),
    ("record", "harness/record/finding.py", "import storcert.reports.text"),
    ("kernel", "harness/kernel/context.py", "from storcert.simulators import device"),
    ("kernel", "harness/kernel/context.py", "import storcert.harness.drivers.s3"),
    ("logical", "harness/logical/__init__.py", "from storcert.harness import agent"),
    ("logical", "harness/logical/__init__.py", "import storcert.harness.drivers.s3"),
    ("agent", "harness/agent/__init__.py", "from storcert.harness import logical"),
    ("agent", "harness/agent/__init__.py", "from storcert.simulators import device"),
    ("checkers", "harness/checkers/__init__.py", "from storcert.harness.kernel import context"),
    ("protocol", "harness/protocol/values.py", "from storcert.harness.record import verdict"),
    ("protocol", "harness/protocol/server.py", "import storcert.harness.drivers.s3"),
    ("grpc", "conformance/usage.py", "import grpc"),
    ("grpc", "harness/protocol/broken.py", "import grpc"),
    ("drivers", "harness/drivers/s3.py", "from storcert.harness.record import verdict"),
    ("drivers", "harness/drivers/s3.py", "import storcert.simulators.object_store"),
    ("service", "harness/service/__init__.py", "from storcert.simulators import device"),
    ("service", "harness/service/__init__.py", "import storcert.harness.drivers.s3"),
    ("management", "harness/service/management.py", "from storcert.harness.agent import transfer"),
    ("simulators", "simulators/device.py", "from storcert.conformance import usage"),
    ("simulators", "simulators/device.py", "import storcert.reports.text"),
    ("devices", "simulators/nfs/__init__.py", "import storcert.simulators.object_store"),
    ("devices", "simulators/network/wire.py", "import storcert.simulators.object_store"),
    ("scenarios", "scenarios/__init__.py", "import storcert.reports.text"),
    ("scenarios", "scenarios/__init__.py", "from storcert.conformance import usage"),
    ("reports", "reports/text.py", "from storcert.harness.kernel import context"),
    ("reports", "reports/text.py", "from storcert.conformance import usage"),
    ("simpy", "conformance/usage.py", "import simpy"),
    ("simpy", "harness/drivers/s3.py", "import simpy"),
    ("dask", "conformance/usage.py", "import distributed"),
    ("dask", "scenarios/pool/pool.py", "import dask"),
    ("signatures", "conformance/verify_command.py", "import securesystemslib"),
    ("signatures", "reports/statement.py", "from cryptography import x509"),
]


def _contract_ids() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package as a plain folder, with the project's contracts beside it."""
    package = tmp_path / "storcert"
    package.mkdir()
    shutil.copy(ROOT / "src" / "storcert" / "__init__.py", package)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, package / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(tree: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    # The copy must be found before the installed package, so the variable that hides it is taken away.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    environment["PYTHONPATH"] = str(tree)
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    if contract is not None:
        command += ["--contract", contract]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    done = _lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(_contract_ids())} kept, 0 broken" in done.stdout


def test_every_contract_has_a_breaker() -> None:
    assert {contract for contract, _, _ in BREAKERS} == set(_contract_ids())


@pytest.mark.parametrize(("contract", "file", "line"), BREAKERS, ids=[f"{c}-{i}" for i, (c, _, _) in enumerate(BREAKERS)])
def test_one_offending_import_breaks_it(tree: Path, contract: str, file: str, line: str) -> None:
    path = tree / "storcert" / file
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}  # noqa\n", encoding="utf-8")
    done = _lint(tree, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Contracts: 0 kept, 1 broken" in done.stdout
    assert line.split()[1] in done.stdout
