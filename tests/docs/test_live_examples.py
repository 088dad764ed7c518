"""The configuration files for real devices are ones that the kit and the drivers take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.configuration import read_config
from storcert.harness.drivers.nfs_mount import Settings as NfsSettings
from storcert.harness.drivers.rbd_pool import Settings as RbdSettings
from storcert.harness.drivers.s3_bucket import Settings as S3Settings

FOLDER = Path(__file__).parents[2] / "examples" / "live"
PARSERS: dict[str, Callable[[Any], Any]] = {
    "radosgw": S3Settings.parse, "ceph_rbd": RbdSettings.parse, "directory": NfsSettings.parse,
}  # fmt: skip


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_it_is_taken(file: Path) -> None:
    PARSERS[file.stem](read_config(file).configuration)
    first_line = file.read_text().splitlines()[0]
    assert first_line.startswith("# storcert certify ") and first_line.endswith(f"--device live --config {file.name}")


def test_there_is_one_for_each_parser() -> None:
    assert {file.stem for file in FOLDER.glob("*.toml")} == set(PARSERS)
