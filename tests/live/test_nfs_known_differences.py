"""Each row of known differences between the simulated NFS server and nfs-ganesha is shown by a program of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from storcert.conformance.live_targets.ganesha import Ganesha
from storcert.simulators.nfs.known_differences import KNOWN_DIFFERENCES
from storcert.simulators.nfs.protocol import CreateMode, FileType, SetAttributes, Stable
from tests.live.nfs_comparison import compare
from tests.simulators.nfs.nfs_programs import RESTART, Slot, Step

pytestmark = pytest.mark.live

ROOT, FIRST = Slot(0), Slot(1)
YEAR_2001 = SetAttributes(mtime_ns=1_000_000_000 * 10**9)
_FILE = Step("CREATE", {"directory": ROOT, "name": b"a", "how": CreateMode.GUARDED})
_LINK = Step("SYMLINK", {"directory": ROOT, "name": b"a", "target": b"nowhere"})
_WRITE = Step("WRITE", {"file": FIRST, "offset": 0, "data": b"x", "stable": Stable.FILE_SYNC})
_GIVEN = Step("MKDIR", {"directory": ROOT, "name": b"a", "attributes": SetAttributes(uid=1001)}, uid=1000, gid=1000)

EXAMPLES: Mapping[str, Sequence[Step]] = {
    "file-max": (Step("FSINFO", {"object": ROOT}),),
    "time-delta": (Step("FSINFO", {"object": ROOT}),),
    "link-max": (Step("PATHCONF", {"object": ROOT}),),
    "name-max": (Step("PATHCONF", {"object": ROOT}),),
    "commit-of-no-file": (
        Step("MKNOD", {"directory": ROOT, "name": b"a", "type": FileType.FIFO}), Step("COMMIT", {"file": FIRST})),
    # Two starts within one second: with one to spare, since the first may be the last of its second.
    "verifier-in-seconds": (_FILE, *(Step(RESTART), _WRITE) * 8),
    "times-of-a-link": (_LINK, Step("SETATTR", {"object": FIRST, "new": YEAR_2001})),
    "slash-in-name": (_FILE, Step("LOOKUP", {"directory": ROOT, "name": b"a/b"})),
    # Only where the link is not in its cache, as after a restart.
    "unchecked-through-symlink": (
        _FILE, Step("SYMLINK", {"directory": ROOT, "name": b"l", "target": b"a"}), Step(RESTART),
        Step("CREATE", {
            "directory": ROOT, "name": b"l", "how": CreateMode.UNCHECKED, "attributes": SetAttributes(mode=0o600)})),
    "given-away": (_GIVEN,),
    "group-given-away": (
        Step("MKDIR", {"directory": ROOT, "name": b"a", "attributes": SetAttributes(gid=1002)}, uid=1000, gid=1000),),
}  # fmt: skip


def test_every_row_has_an_example() -> None:
    assert {row.name for row in KNOWN_DIFFERENCES} == set(EXAMPLES)
    assert all(row.reason for row in KNOWN_DIFFERENCES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_difference_still_exists(ganesha: Ganesha, name: str) -> None:
    found = compare(EXAMPLES[name], ganesha)
    assert not found.unexplained
    assert name in found.rows, "the example shows no such difference any more: remove the row"
