"""The fence: at a simulated location every door of Python to the outside world is virtual, recorded or shut.

``with installed(): ...`` replaces the doors process-wide; code that does not run at a location passes through them
unchanged. Each group of doors has its own module; what none of them can replace is met by :mod:`.audit`. A simulator
that wears a client library's face registers a group of its own.
"""

from storcert.harness.kernel.interpose import (
    audit,
    clock,
    commands,
    environment,
    file_system,
    locks,
    randomness,
    thread_locals,
    thread_points,
    thread_pools,
    threads,
    unsimulated,
)
from storcert.harness.kernel.interpose.blame import declare_driver_code
from storcert.harness.kernel.interpose.install import Interposition, installed, register, rescan
from storcert.harness.kernel.interpose.mounts import Mount, MountedFileSystem, declare_mount, remove_mount
from storcert.harness.kernel.interpose.unsimulated import NotSimulated

__all__ = [
    "Interposition", "Mount", "MountedFileSystem", "NotSimulated", "declare_driver_code", "declare_mount", "installed",
    "register", "remove_mount", "rescan",
]

for _name, _install in (
    ("clock", clock.install), ("randomness", randomness.install), ("environment", environment.install),
    ("locks", locks.install), ("threads", threads.install), ("thread locals", thread_locals.install),
    ("thread pools", thread_pools.install), ("thread points", thread_points.install), ("unsimulated", unsimulated.install),
    ("commands", commands.install), ("file system", file_system.install), ("audit", audit.install),
):
    register(_name, _install)
