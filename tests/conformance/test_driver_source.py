"""Driver references: three forms that work, and one clear line for each that does not."""

from __future__ import annotations

import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storcert.conformance.driver_digest import driver_files
from storcert.conformance.driver_source import constructor_failed, find_driver
from storcert.conformance.usage import InvalidUsage

DRIVER = '''\
from {helper} import answer

class Acme:
    def __init__(self, configuration): self.configuration = configuration
    def capabilities(self): return answer()
    def create(self, uri, size): pass
    def delete(self, uri): pass
    def open_input(self, uri, offset=0, length=None): pass
    def open_output(self, uri, size=None): pass
    def describe(self, uri): pass

class Half:
    def capabilities(self): pass
    def create(self, uri, size): pass
    describe = None

not_a_class = 3
'''


@pytest.fixture(autouse=True)
def _imports_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("acme", "beside", "json_driver")):
            del sys.modules[name]


def _file(folder: Path, name: str = "acme_driver.py") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "beside.py").write_text("def answer(): return 42\n")
    (folder / "unrelated.py").write_text("raise SystemExit\n")
    path = folder / name
    path.write_text(DRIVER.format(helper="beside"))
    return path


def test_a_file_is_loaded_with_its_folder_first_on_the_path(tmp_path: Path) -> None:
    path = _file(tmp_path)
    source = find_driver(f"{path}:Acme")
    assert sys.path[0] == str(tmp_path)
    assert source.load()({}).capabilities() == 42
    assert (source.name, source.import_path) == ("Acme", "acme_driver:Acme")
    assert pickle.loads(pickle.dumps(source)) == source


def test_a_file_may_be_called_like_a_module_that_is_there(tmp_path: Path) -> None:
    path = _file(tmp_path, "json.py")
    source = find_driver(f"{path}:Acme")
    assert source.load().__module__ == "json_driver_file"
    assert sys.modules["json"].__name__ == "json"


def test_a_package_module_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acmepkg"
    _file(package, "driver.py").write_text(DRIVER.format(helper="acmepkg.beside"))
    (package / "__init__.py").write_text('__version__ = "3.2"\n')
    monkeypatch.syspath_prepend(tmp_path)
    source = find_driver("acmepkg.driver:Acme")
    assert source.load()({}).capabilities() == 42
    assert driver_files(source.load()) == ("__init__.py", "beside.py", "driver.py")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nothere", "no driver 'nothere' is installed (there are: "),
        ("", "no driver '' is installed"),
        (":Acme", "say package.module:Class"),
        ("{folder}/absent.py:Acme", "absent.py does not exist"),
        ("{folder}:Acme", "is a folder, not a Python file"),
        ("{file}:", "say package.module:Class"),
        ("{file}:Nobody", "acme_driver has no class Nobody; it has Acme"),
        ("{file}:not_a_class", "not_a_class is not a class but int"),
        ("{file}:Half", "class Half is no driver: it has no delete, open_input, open_output, describe"),
        ("{folder}/broken.py:Acme", "broken.py cannot be imported: SyntaxError: invalid syntax (line 2)"),
        ("{folder}/raises.py:Acme", "raises.py cannot be imported: ZeroDivisionError: division by zero"),
        ("{folder}/quits.py:Acme", "quits.py cannot be imported: SystemExit: 0"),
        ("no.such.module:Acme", "module 'no.such.module' cannot be imported: ModuleNotFoundError"),
        ("os.path:sep", "sep is not a class but str"),
    ],
)
def test_what_is_no_driver_is_one_line(tmp_path: Path, reference: str, words: str) -> None:
    path = _file(tmp_path)
    (tmp_path / "broken.py").write_text("\nx = = 1\n")
    (tmp_path / "raises.py").write_text("1 / 0\n")
    (tmp_path / "quits.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(InvalidUsage) as caught:
        find_driver(reference.format(folder=tmp_path, file=path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_in_the_current_folder_gets_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    with pytest.raises(InvalidUsage, match=r"the current folder is not searched.*acme_driver\.py:Class"):
        find_driver("acme_driver:Acme")


def test_a_constructor_that_raises_is_one_line() -> None:
    try:
        raise KeyError("bucket\nname")
    except KeyError as error:
        said = str(constructor_failed("acme", error))
    assert said.startswith("driver 'acme': its constructor raised KeyError: 'bucket\\nname' (test_driver_source.py, line ")


class TestDigest:
    def _digest(self, path: Path) -> str:
        found = find_driver(f"{path}:Acme").digest
        for name in ("acme_driver", "beside"):
            sys.modules.pop(name, None)
        return found

    def test_it_is_the_same_wherever_the_driver_stands(self, tmp_path: Path) -> None:
        first = _file(tmp_path / "one")
        shutil.copytree(first.parent, tmp_path / "two")
        (tmp_path / "two" / "unrelated.py").write_text("changed = 1\n")
        assert self._digest(first) == self._digest(tmp_path / "two" / first.name)

    def test_line_endings_do_not_matter_and_code_does(self, tmp_path: Path) -> None:
        path = _file(tmp_path)
        before = self._digest(path)
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert self._digest(path) == before
        path.write_text(path.read_text() + "# changed\n")
        assert self._digest(path) != before

    def test_what_the_driver_imports_from_beside_it_matters(self, tmp_path: Path) -> None:
        path = _file(tmp_path)
        before = self._digest(path)
        (tmp_path / "beside.py").write_text("def answer(): return 43\n")
        assert self._digest(path) != before

    def test_the_bundled_driver_covers_its_own_folder_only(self) -> None:
        files = driver_files(find_driver("storcert.harness.drivers.s3:S3Driver").load())
        assert "s3.py" in files
        assert not any(name.startswith("..") or "contract" in name for name in files)
