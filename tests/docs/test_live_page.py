"""docs/live.md is true: its targets and faults are those there are, and its commands end as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from storcert.conformance import cli
from storcert.conformance.leak_check import LEAK_CHECK
from storcert.conformance.live_proxy_faults import NOT_SHOWN, PROXY_FAULTS
from storcert.conformance.live_targets import rpc_proxy_faults
from storcert.conformance.live_targets.targets import TARGETS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(storcert .*?) +# exit code (\d)", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "code"),
    [pytest.param(*pair, marks=pytest.mark.slow if "live:moto" in pair[0] else ()) for pair in COMMANDS],
)
def test_each_command_ends_as_it_says(command: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(shlex.split(command)[1:]) == int(code), capsys.readouterr()


def test_every_target_is_told() -> None:
    rows = dict(re.findall(r"^\| `(live:[a-z-]+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert rows == {name: "on the wire" if kind.proxied else "none" for name, kind in TARGETS.items()}


def test_every_fault_is_told() -> None:
    assert re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE) == sorted(
        (kind.name for kind in PROXY_FAULTS), key=[kind.name for kind in PROXY_FAULTS].index)
    assert [name for name in NOT_SHOWN if f"`{name}`" not in PAGE] == []
    assert LEAK_CHECK in PAGE


def test_every_fault_of_nfs_is_told() -> None:
    chapter = PAGE.partition("### NFS")[2].partition("## The simulator")[0]
    names = [*(kind.name for kind in rpc_proxy_faults.SHOWN), *rpc_proxy_faults.NOT_SHOWN]
    assert [name for name in names if f"`{name}`" not in chapter] == []
