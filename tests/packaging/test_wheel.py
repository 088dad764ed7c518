"""The wheel: exactly the files git knows, and at home in a folder that has its own harness/ and reports/."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("harness", "simulators", "conformance", "scenarios", "reports")

pytestmark = pytest.mark.slow


def _tracked() -> set[str]:
    """The files of the package as git knows them, under the names they have in the wheel."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = {f"storcert/{name}" for name in done.stdout.split("\0") if name and (ROOT / name).exists()}
    return names | {"storcert/__init__.py", "storcert/py.typed"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist, built from a clean copy of what git knows."""
    clone = tmp_path_factory.mktemp("clone")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        source, target = ROOT / name, clone / name
        if not (source.exists() or source.is_symlink()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        else:
            target.write_bytes(source.read_bytes())
    out = clone / "dist"
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(out)], cwd=clone, check=True)
    return out


def _wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_wheel_holds_what_git_knows_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(_wheel(built)) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == _tracked()
        assert all(entry.external_attr >> 28 != 0xA for entry in wheel.infolist()), "no link reaches the wheel"


def test_no_link_reaches_the_sdist(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        members = sdist.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    names = {member.name.partition("/")[2] for member in members}
    assert {"pyproject.toml", "README.md", "LICENSE", "harness/contract/uri.py"} <= names


def test_it_works_in_a_folder_with_a_harness_of_its_own(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True, system_site_packages=True)
    python = tmp_path / "venv" / "bin" / "python"
    # The dependencies of the outer environment serve; only our own package is installed anew.
    outer = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    inner = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (inner / "outer.pth").write_text(f"{outer}\n")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", _wheel(built)]
    subprocess.run(install, check=True)
    vendor = tmp_path / "vendor"
    for name in ("harness", "reports", "scenarios", "conformance"):
        (vendor / name).mkdir(parents=True)
        (vendor / name / "__init__.py").write_text(f"raise SystemExit('{name} of the vendor was imported')\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=vendor, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    code = "import storcert.reports.terminal as t, storcert.conformance.rules as r; print(t.__file__); print(len(r.RULES))"
    file, rules = run(python, "-c", code).split()
    assert Path(file).is_relative_to(inner)
    assert rules == "40"
    assert "s3 " in run(tmp_path / "venv" / "bin" / "storcert", "list", "drivers")
    assert "C-COMMIT" in run(tmp_path / "venv" / "bin" / "storcert", "explain", "C-COMMIT")
