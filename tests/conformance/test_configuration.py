"""The --config file: what is right is read, what is wrong is one line with file and line number."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.configuration import read_config
from storcert.conformance.usage import InvalidUsage

GOOD = """\
# a comment
[configuration]
bucket = "mine"
nested = { a = [1, 2.5, true] }

[simulator]
dialect = "radosgw"
"quoted key" = 1
"""


def test_both_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")
    config = read_config(path)
    assert config.configuration == {"bucket": "mine", "nested": {"a": [1, 2.5, True]}}
    assert config.simulator == {"dialect": "radosgw", "quoted key": 1}
    assert config.place("simulator", "dialect") == f"{path}:7"
    assert config.place("simulator", "quoted key") == f"{path}:8"


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("")
    assert read_config(path).configuration == {}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[configuration]\nbucket = \n", 2, "not valid TOML: Invalid value"),
        ("[configuration]\nbucket = 1\nbucket = 2\n", 3, "not valid TOML"),
        ("[configuration\n", 1, "not valid TOML"),
        ('[configuration]\nbucket = "x', 2, "not valid TOML"),
        ("[configuration]\n\n[simulater]\nx = 1\n", 3, "unknown table 'simulater', did you mean 'simulator'?"),
        ("bucket = 'x'\n", 1, "unknown key 'bucket'"),
        ("\nsimulator = 3\n", 2, "simulator must be a table: write [simulator]"),
        ("[[simulator]]\nx = 1\n", 1, "simulator must be a table"),
        ("[configuration]\na = 1\nwhen = 2020-01-01\n", 3, "[configuration] when is a date or time"),
        ("[configuration]\nx = { y = [nan] }\n", 2, "[configuration] x.y is not a finite number"),
        ("[deep.er]\nx = 1\n", 1, "unknown table 'deep'"),
    ],
)
def test_what_is_wrong_names_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(InvalidUsage) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}:{line}: {words}")
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidUsage, match="cannot be read: No such file"):
        read_config(tmp_path / "absent.toml")
    with pytest.raises(InvalidUsage, match="cannot be read: Is a directory"):
        read_config(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidUsage, match="not UTF-8"):
        read_config(tmp_path / "b.toml")


def test_simulator_keys_are_the_device_s(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(GOOD)
    config = read_config(path)
    config.refuse_unknown_simulator_keys(["dialect", "quoted key"])
    with pytest.raises(InvalidUsage) as caught:
        config.refuse_unknown_simulator_keys(["dialects", "versioning"])
    assert str(caught.value) == f"{path}:7: [simulator] has no key 'dialect', did you mean 'dialects'?"
