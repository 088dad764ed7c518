"""docs/replay.md is true: its commands end as it says, and it knows every option and every thing to show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from storcert.conformance import cli, replay_places
from storcert.conformance.replay_step import HELP

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(storcert replay .*?) +# exit code (\d)", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("command", "code"), COMMANDS, ids=[command.split(" ", 2)[2] for command, _ in COMMANDS])
def test_each_command_ends_as_it_says(command: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(shlex.split(command)[1:]) == int(code), capsys.readouterr()


def test_no_command_is_left_out() -> None:
    assert len(COMMANDS) == PAGE.count("\nstorcert replay ") == 10


def test_every_option_is_told() -> None:
    command = typer.main.get_command(cli.app).commands["replay"]  # type: ignore[attr-defined]
    options = {word for parameter in command.params for word in parameter.opts if word.startswith("--")}
    assert {word for word in options - {"--help", "--traceback", "--seed"} if word not in PAGE} == set()
    for word in re.findall(r"^  (\S) ", HELP, re.MULTILINE):
        assert f"`{word}`" in PAGE, word


def test_every_thing_is_told() -> None:
    for word in re.findall(r"[a-z]+(?=:| or|,|$)", replay_places.THINGS.replace("/volume/1/a", "")):
        assert f"`{word}" in PAGE, word
