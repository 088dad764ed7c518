"""The live targets by name. Data; nothing heavy is imported before one is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from storcert.conformance.live_targets.target import PREFIX, TargetKind
from storcert.conformance.usage import InvalidUsage

_HERE = "storcert.conformance.live_targets"
_HTTP = f"{_HERE}.s3_way"
_S3 = "storcert.harness.drivers.s3:S3Driver"
_PLAIN = {"storcert.harness.drivers.nfs:NfsDriver": {"plain_directory": True}}

TARGETS: Mapping[str, TargetKind] = {
    kind.name: kind
    for kind in (
        TargetKind(
            f"{PREFIX}moto", "S3 as moto's server answers it, in a process of its own", "object-store", f"{_HERE}.moto_server",
            {_S3: {"conditional_copy": False}}, way=_HTTP, processes_per_worker=2,
        ),
        TargetKind(
            f"{PREFIX}radosgw", "S3 as Ceph's RADOS gateway answers it", "object-store", f"{_HERE}.radosgw",
            {_S3: {"conditional_complete": False}}, way=_HTTP, empty_stay=True, processes_per_worker=2,
        ),
        TargetKind(
            f"{PREFIX}ceph-rbd", "RBD images in a pool of Ceph", "rbd", f"{_HERE}.ceph_rbd", many_places=False,
        ),
        TargetKind(
            f"{PREFIX}ganesha", "an NFS export of nfs-ganesha, mounted in user space", "nfs", f"{_HERE}.ganesha_mount", _PLAIN,
            way=f"{_HERE}.ganesha_way",
        ),
        TargetKind(
            f"{PREFIX}fuse", "a FUSE mount over a local directory", "nfs", f"{_HERE}.fuse_mount", _PLAIN,
        ),
        TargetKind(
            f"{PREFIX}directory", "a directory of the local file system", "nfs", f"{_HERE}.directory", _PLAIN,
        ),
    )
}  # fmt: skip


def target(name: str) -> TargetKind:
    """The target of that name. Raises :class:`InvalidUsage`."""
    found = TARGETS.get(name)
    if found is None:
        close = difflib.get_close_matches(name, list(TARGETS), 1)
        hint = f", did you mean {close[0]}?" if close else f"; there are {', '.join(TARGETS)}"
        raise InvalidUsage(f"--device {name}: there is no such live target{hint}")
    return found


def require_present(kind: TargetKind) -> None:
    """Raises :class:`InvalidUsage`, saying what to install or start, where the target cannot run here."""
    lacking = kind.load().missing()
    if lacking:
        raise InvalidUsage(f"--device {kind.name} cannot be started here: {lacking}")
