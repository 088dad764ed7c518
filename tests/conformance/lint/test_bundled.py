"""The bundled drivers are clean, each by what it declares and none by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.conformance.lint.lint import lint
from storcert.conformance.lint.targets import find_targets
from storcert.harness import drivers
from storcert.harness.record.lint_report import LintReport

MOUNTED = 10
"""At least so many uses of paths in the driver of a mounted path: fewer would mean that the lint no longer sees them."""


def looked_at(*words: str, device: str | None = None) -> LintReport:
    return lint(find_targets(words, device), words)


BUNDLED = [
    "s3", "nfs", "rbd", "sheepdog", "fsspec", "opendal", "obstore", "pyarrow", "smart_open", "smart_open_file",
]  # fmt: skip


@pytest.mark.parametrize("driver", BUNDLED)
def test_a_bundled_driver_is_clean_without_a_single_exception(driver: str) -> None:
    report = looked_at(driver)
    assert report.findings == () and report.accepted == ()
    assert len(report.files) >= 3


def test_the_driver_of_a_mounted_path_is_clean_because_its_entry_point_names_such_a_device() -> None:
    declared = looked_at("nfs")
    assert declared.mount and declared.device == "nfs" and len(declared.mount_uses) >= MOUNTED
    elsewhere = looked_at("nfs", device="object-store")
    assert not elsewhere.mount and elsewhere.mount_uses == ()
    assert len([one for one in elsewhere.findings if one.contract == "C-NOFS"]) >= MOUNTED


def test_in_a_folder_of_drivers_each_is_judged_as_what_it_is() -> None:
    # Where it is installed: entry points are of those files, not of a clone's.
    report = looked_at(str(Path(drivers.__file__ or "").parent))
    assert report.findings == ()
    # Adapters of what was not made for this contract: each says why beside the line.
    assert {Path(one.file).name for one in report.accepted} <= {"grpc.py", "libcloud.py", "pulled_upload.py"}
    assert report.device == "nfs, object-store, rbd, sheepdog"
    assert len(report.mount_uses) == len(looked_at("nfs").mount_uses) + len(looked_at("smart_open_file").mount_uses)


def test_what_other_drivers_use_too_may_use_no_path_in_a_driver_of_a_mount_either() -> None:
    files = {file.path.name: file.mount for file in find_targets(["nfs", "s3"]).files}
    assert files["nfs_mount.py"] and not files["arguments.py"] and not files["s3.py"]
