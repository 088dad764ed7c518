"""``dog vdi``: create, snapshot, clone, delete, rollback, resize and list. Each step is a request, so a kill falls between.

Source: dog/vdi.c. Traps kept as they are: ``delete`` exits 0 whatever happened; it empties the inode first and asks for the
deletion then, so a dog killed between leaves a VDI that reads zeros; ``snapshot`` writes the tag before anything else;
``resize`` writes the header back as it read it; ``list`` skips what it cannot read and exits 0.
"""

from __future__ import annotations

import re

from storcert.simulators.device import NotModelled
from storcert.simulators.sheepdog.dog_arguments import Usage, size_of
from storcert.simulators.sheepdog.dog_run import Run
from storcert.simulators.sheepdog.requests import Ended, Unreachable
from storcert.simulators.sheepdog.results import TEXTS, Exit, Refused, Result
from storcert.simulators.sheepdog.sheep import View
from storcert.simulators.sheepdog.vdis import cut

OBJECTS_MAX = 1 << 20
HYPER_BYTES_MAX = 1 << 54
RECLAIM_BATCH = 128


def _make(run: Run, name: bytes, size_bytes: int, base: int, *, snapshot: bool = False) -> int:
    try:
        return run.requests.new_vdi(name, size_bytes, base, snapshot=snapshot)
    except Refused as refused:
        run.say(b"Failed to create VDI %b: %b" % (name, TEXTS[refused.result].encode()))
        raise Ended(Exit.FAILURE) from None
    except Unreachable:
        raise Ended(Exit.SYSFAIL) from None


def create(run: Run) -> Exit:
    """``vdi create NAME SIZE``."""
    size_bytes = size_of(run.argument(1, "Please specify the VDI size"))
    limit = run.requests.object_bytes * OBJECTS_MAX
    if size_bytes > limit:
        raise Usage(
            f"VDI size is larger than {number(limit, run.raw)} bytes, please use '-y' to create a hyper volume with size up "
            f"to {number(HYPER_BYTES_MAX, run.raw)} bytes or use '-z' to create larger object size volume")
    vid = _make(run, run.name, size_bytes, 0)
    if run.verbose:
        run.write((f"{vid:x}\n" if run.raw else f"VDI ID of newly created VDI: {vid:x}\n").encode())
    return Exit.SUCCESS


def snapshot(run: Run) -> Exit:
    """``vdi snapshot -s TAG NAME``: the working VDI becomes the snapshot."""
    if run.snap_id:
        raise Usage("Please specify a non-integer value for a snapshot tag name")
    requests, name = run.requests, run.name
    try:
        seen = requests.look_up_for_snapshot(name, run.tag)
    except Refused as refused:
        run.say(b"Failed to create snapshot for %b: %b" % (name, TEXTS[refused.result].encode()))
        return Exit.FAILURE
    except Unreachable:
        run.say(b"Failed to create snapshot for %b: %b" % (name, TEXTS[Result.EIO].encode()))
        return Exit.FAILURE
    if seen.snapped:
        run.say(b"Failed to create snapshot for %b, maybe snapshot id (0) or tag (%b) is existed" % (name, run.tag))
        return Exit.FAILURE
    try:
        requests.write_tag(seen.vid, name, run.tag)
    except (Refused, Unreachable) as trouble:
        run.object_failed("write", 1 << 31 | seen.vid, 0, trouble)
        return Exit.SYSFAIL
    vid = _make(run, name, seen.size_bytes, seen.vid, snapshot=True)
    if run.verbose:
        text = f"{vid:x} {seen.vid:x}\n" if run.raw else (
            f"new VID of original VDI: {vid:x}, VDI ID of newly created snapshot: {seen.vid:x}\n")
        run.write(text.encode())
    return Exit.SUCCESS


def clone(run: Run) -> Exit:
    """``vdi clone -s TAG SOURCE DESTINATION``."""
    destination = cut(run.argument(1, "Destination VDI name must be specified"))
    if not run.snap_id and not run.tag:
        raise Usage("Only snapshot VDIs can be cloned", "Please specify the '-s' option")
    seen = run.open(run.name, run.snap_id, run.tag, range(0))
    vid = _make(run, destination, seen.size_bytes, seen.vid)
    if run.verbose:
        run.write((f"{vid:x}\n" if run.raw else f"VDI ID of newly created clone: {vid:x}\n").encode())
    return Exit.SUCCESS


def delete(run: Run) -> Exit:
    """``vdi delete [-s TAG] NAME``. Always 0."""
    _delete(run, run.name, run.snap_id, run.tag)
    return Exit.SUCCESS


def _delete(run: Run, name: bytes, snap_id: int, tag: bytes) -> None:
    requests = run.requests
    try:
        seen = requests.look_up(name, snap_id, tag, None)
    except Refused as refused:
        return run.not_opened(name, snap_id, tag, refused.result)
    except Unreachable:
        return run.not_opened(name, snap_id, tag, Result.EIO)
    filled = sorted(seen.owners)
    for start in range(0, len(filled), RECLAIM_BATCH):
        try:
            requests.write_owners(seen.vid, name, [(index, 0) for index in filled[start : start + RECLAIM_BATCH]])
        except (Refused, Unreachable) as trouble:
            inode = f"{1 << 63 | seen.vid << 32:016x}"
            run.object_failed("write", 1 << 31 | seen.vid, 0, trouble)
            return run.say(f"failed to update inode for discarding objects: {inode}")
    try:
        requests.delete(name, snap_id, tag)
    except Refused as refused:
        run.say(b"Failed to delete %b: %b" % (name, TEXTS[refused.result].encode()))
    except Unreachable:
        return None
    return None


def rollback(run: Run) -> Exit:
    """``vdi rollback -f -s TAG NAME``: the working VDI goes, a new one is made from the snapshot. Not in one step."""
    if not run.snap_id and not run.tag:
        raise Usage("Please specify the '-s' option")
    seen = run.open(run.name, run.snap_id, run.tag, range(0))
    if "f" not in run.options:
        run.write(
            b"This operation discards any changes made since the previous\nsnapshot was taken.  Continue? [yes/no]: ")
        if run.process.read(8)[:3].lower() != b"yes":
            return Exit.SUCCESS
    _delete(run, run.name, 0, b"")
    vid = _make(run, run.name, seen.size_bytes, seen.vid)
    if run.verbose:
        run.write((f"{vid:x}\n" if run.raw else f"New VDI ID of rollbacked VDI: {vid:x}\n").encode())
    return Exit.SUCCESS


def resize(run: Run) -> Exit:
    """``vdi resize NAME SIZE``: larger only."""
    size_bytes = size_of(run.argument(1, "Please specify the new size for the VDI"))
    seen = run.open(run.name, 0, b"", range(0))
    limit = run.requests.object_bytes * OBJECTS_MAX
    if size_bytes > limit:
        raise Usage(f"New VDI size is too large. This volume's max size is {limit}")
    if size_bytes < seen.size_bytes:
        raise Usage("Shrinking VDIs is not implemented")
    try:
        run.requests.write_header(seen, size_bytes)
    except (Refused, Unreachable) as trouble:
        run.object_failed("write", 1 << 31 | seen.vid, 0, trouble)
        run.say("Failed to update an inode header")
        return Exit.FAILURE
    return Exit.SUCCESS


_ESCAPED = re.compile(rb"[ \t\n\v\f\r\\]")
HEADER = (
    b"  Name        Id    Size    Used  Shared    Creation time   VDI id  Copies  Tag   Block Size Shift\n")


def listing(run: Run) -> Exit:
    """``vdi list [-r] [NAME]``: in the order of the VDI numbers. Reads every inode, also for a single name."""
    wanted = run.rest[0] if run.rest else None
    if not run.raw:
        run.write(HEADER)
    try:
        views = run.requests.listing()
    except Refused as refused:
        run.say(str(refused))
        return Exit.SUCCESS
    except Unreachable:
        return Exit.SYSFAIL
    # name is a C string there: what was created without one looks deleted.
    if wanted is not None:
        views = [view for view in views if view.name == wanted]
    lines = [(run.raw and view.line) or _line(run, view) for view in views if view.name]
    if lines:
        run.write(b"".join(lines))
    return Exit.SUCCESS


def _line(run: Run, view: View) -> bytes:
    if not run.raw:
        raise NotModelled("dog vdi list for people, which prints dates in local time: use -r")
    mark = b"s" if view.snapped else b"c" if view.snap_id == 1 and view.parent else b"="
    name = view.name
    if _ESCAPED.search(name):
        name = _ESCAPED.sub(rb"\\\g<0>", name)
    size = run.requests.object_bytes
    flock = run.sheep.flock
    view.line = b"%b %b %d %d %d %d %d %x %d %b %d\n" % (
        mark, name, view.snap_id if view.snapped else 0, view.size_bytes, view.own * size, view.shared * size,
        view.created_s, view.vid, flock.copies, view.tag, flock.block_size_shift,
    )
    return view.line


_UNITS = ("MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def number(size_bytes: int, raw: bool) -> str:
    """A size as dog prints it."""
    if raw:
        return str(size_bytes)
    value, unit = size_bytes / (1 << 20), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if value >= 10 else f"{value:.1f} {_UNITS[unit]}"
