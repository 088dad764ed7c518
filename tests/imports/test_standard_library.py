"""Contract and record need the standard library only, and what is shipped needs exactly what the project declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("harness", "simulators", "conformance", "scenarios", "reports")
#: Imported beside the declared distribution they are a part of, in the version it chooses: a range of our own could only
#: contradict it.
COMES_WITH = {
    "botocore": "boto3",
    "dateutil": "boto3",
    "fuse": "fusepy",
    "google": "protobuf",
    "grpc": "grpcio",
    "libcloud": "apache-libcloud",
    "s3transfer": "boto3",
    "urllib3": "boto3",
    "werkzeug": "moto",
}
#: Not on PyPI: packages of a distribution, or of Ceph itself; the driver says so where they are missing.
FROM_THE_SYSTEM = {"rados", "rbd"}
#: Imported by a library where it is there, and that library cannot do without it what a bundled driver asks of it.
FOR_A_LIBRARY = {"fasteners"}
#: Imported by a file that only pytest loads.
ONLY_PYTEST = {"pytest"}


def imports(source: str) -> Iterator[str]:
    """Top-level names a module imports from outside the package, by statement or by ``import_module("name")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (
                argument.value.partition(".")[0]
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def third_party(*folders: str) -> dict[str, str]:
    """name -> a file that imports it."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in imports(path.read_text(encoding="utf-8")):
                if name not in sys.stdlib_module_names and name != "storcert":
                    found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def declared() -> set[str]:
    """Names of the distributions that the project depends on, always or with one of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower() for line in lines}


@pytest.mark.parametrize("folder", ["harness/contract", "harness/record"])
def test_standard_library_only(folder: str) -> None:
    assert third_party(folder) == {}


def test_what_is_imported_is_declared() -> None:
    used = third_party(*SHIPPED)
    missing = {
        name: file
        for name, file in used.items()
        if COMES_WITH.get(name, name).lower() not in declared() | ONLY_PYTEST | FROM_THE_SYSTEM
    }
    assert missing == {}


def test_what_is_declared_is_imported() -> None:
    used = {COMES_WITH.get(name, name).lower() for name in third_party(*SHIPPED)}
    assert declared() - used == FOR_A_LIBRARY


def test_the_scanner_sees_imports_everywhere() -> None:
    source = "import a.b\nfrom c.d import e\ndef f():\n    import g\nif x:\n    from h import i\nimport_module('j.k')\n"
    assert sorted(imports(source)) == ["a", "c", "g", "h", "j"]
