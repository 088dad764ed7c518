"""What words mean: files with what they import, folders without tests, modules and drivers that are never imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from storcert.conformance.lint.targets import find_targets, has_mount
from storcert.conformance.usage import InvalidUsage


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver package that must not be imported."""
    folder = tmp_path / "acme_drv"
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')\n")
    (folder / "driver.py").write_text("from acme_drv import wire\nfrom .deep.core import Core\nimport json\n")
    (folder / "wire.py").write_text("")
    (folder / "unused.py").write_text("")
    (folder / "deep").mkdir()
    (folder / "deep" / "__init__.py").write_text("")
    (folder / "deep" / "core.py").write_text("")
    (folder / "tests" / "test_driver.py").write_text("open('x')\n")
    (folder / "test_wire.py").write_text("open('x')\n")
    (folder / "setup.py").write_text("open('x')\n")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.py").write_text("open('x')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def names(*words: str) -> list[str]:
    return [file.shown for file in find_targets(words).files]


def test_a_file_brings_what_it_imports_of_its_own(package: Path) -> None:
    wanted = [f"acme_drv/{name}.py" for name in ("__init__", "deep/__init__", "deep/core", "driver", "wire")]
    assert names("acme_drv/driver.py") == wanted
    assert names("acme_drv/driver.py:Driver") == wanted
    assert names("acme_drv.driver") == wanted
    assert names("acme_drv.driver:Driver", "acme_drv/wire.py") == wanted
    assert not any(name.startswith("acme_drv") for name in sys.modules)


def test_a_folder_or_package_brings_everything_but_tests_and_says_what_it_left_out(package: Path) -> None:
    found = find_targets(["acme_drv"])
    assert [file.shown for file in found.files] == [
        f"acme_drv/{name}.py" for name in ("__init__", "deep/__init__", "deep/core", "driver", "unused", "wire")
    ]
    assert found.left_out == {"set-up scripts": 1, "tests": 2}
    assert names("acme_drv/setup.py")[-1] == "acme_drv/setup.py", "named by itself it is looked at"


def test_files_have_dotted_names_and_elsewhere_the_name_they_were_given(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [file.module for file in find_targets(["acme_drv/driver.py"]).files][:2] == ["acme_drv", "acme_drv.deep"]
    monkeypatch.chdir("/")
    assert names("acme_drv.driver")[-1] in ("acme_drv/wire.py", str(package.relative_to("/") / "wire.py"))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nowhere.py", "nowhere.py: there is no such file or folder"),
        ("a/b", "a/b: there is no such file or folder"),
        ("nsf", "nsf: no file, folder, module with source or installed driver of that name; did you mean nfs?"),
        ("frobnicate", "drivers are fsspec, "),
        ("json.nothing", "json.nothing: no file, folder, module with source"),
        ("sys", "sys: no file, folder, module with source"),
        ("acme_drv/notes.txt", "acme_drv/notes.txt: is no Python file"),
        ("empty", "empty: there is no Python file in it"),
    ],
)
def test_words_that_mean_nothing_are_told_in_one_line(package: Path, word: str, message: str) -> None:
    (package / "notes.txt").write_text("")
    (package.parent / "empty").mkdir()
    with pytest.raises(InvalidUsage) as caught:
        find_targets([word])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_looked_at_is_not_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("open('x')\n")
    with pytest.raises(InvalidUsage, match=r"there is nothing to look at: .* left out are 1 of tests"):
        find_targets([str(tmp_path)])


def test_an_unknown_device_is_told() -> None:
    with pytest.raises(InvalidUsage, match=r"--device tape: it is one of .*nfs"):
        find_targets(["s3"], "tape")


def test_which_devices_are_mounts() -> None:
    assert [name for name in ("object-store", "nfs", "rbd", "sheepdog", "live", "") if has_mount(name)] == ["nfs"]
