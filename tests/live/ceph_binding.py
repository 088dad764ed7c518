"""The distribution's ``rados`` and ``rbd`` for processes of a test, and nothing else of the distribution's packages.

The two are extension modules, built for the distribution's own Python. The folder they lie in holds old versions of much
that this environment has too, so it never comes on the path: a folder of two links does. The process of the tests itself
imports neither (it has the simulated ones).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storcert.conformance.live_targets.ceph import Ceph

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("rados", "rbd")
#: Debian's; ``STORCERT_DIST_PACKAGES`` names another folder.
DIST_PACKAGES = Path(os.environ.get("STORCERT_DIST_PACKAGES", "/usr/lib/python3/dist-packages"))


def environment(cluster: Ceph) -> dict[str, str]:
    """For a process that has the two modules and this project. The links go with the cluster's folder."""
    folder = cluster.folder / "modules"
    if not folder.exists():
        folder.mkdir()
        for name in MODULES:
            for module in sorted(DIST_PACKAGES.glob(f"{name}.*.so")):
                (folder / module.name).symlink_to(module)
    paths = (os.environ.get("PYTHONPATH", ""), str(ROOT), str(folder))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def require_modules(cluster: Ceph) -> None:
    """Skip the test, with the reason, where this Python cannot import them."""
    command = [sys.executable, "-c", f"import {', '.join(MODULES)}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env=environment(cluster))
    if done.returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        pytest.skip(f"Python {version} cannot import the modules of python3-rados and python3-rbd: {said}")
