"""``dog node``, ``dog cluster`` and ``dog vdi lock``: what concerns the cluster rather than the contents of a VDI."""

from __future__ import annotations

from storcert.simulators.device import NotModelled
from storcert.simulators.sheepdog.dog_arguments import Usage
from storcert.simulators.sheepdog.dog_run import Run
from storcert.simulators.sheepdog.dog_vdi import number
from storcert.simulators.sheepdog.requests import Ended, Unreachable, shown
from storcert.simulators.sheepdog.results import TEXTS, Exit, Refused, Result
from storcert.simulators.sheepdog.vdis import cut

_VNODES = 128
_LOOPBACK_ZONE = 16_777_343  # 127.0.0.1 as a number
_FULL_FREE_BYTES = 0


def _addresses(run: Run) -> list[str]:
    options = run.sheep.options
    return [f"{options.address}:{options.port + place}" for place in range(run.sheep.flock.alive)]


def _node_list(run: Run) -> list[str]:
    """The nodes, or the exit that every command that needs them takes."""
    try:
        found: list[str] = run.requests.ask("GET_NODE_LIST", "", lambda: _addresses(run), forced=True)
    except (Refused, Unreachable):
        run.say("Failed to get node list")
        raise Ended(Exit.SYSFAIL) from None
    return found


def node_list(run: Run) -> Exit:
    """``node list [-r]``."""
    nodes = _node_list(run)
    if not run.raw:
        run.write(b"  Id   Host:Port         V-Nodes       Zone\n")
    for place, node in enumerate(nodes):
        text = f"{place} {node} {_VNODES} {_LOOPBACK_ZONE}\n" if run.raw else (
            f"{place:4d}   {node:<20s}\t{_VNODES:2d}{_LOOPBACK_ZONE:11d}\n")
        run.write(text.encode())
    return Exit.SUCCESS


def node_info(run: Run) -> Exit:
    """``node info [-r]``: sizes of the nodes, and of all VDIs that are no snapshots."""
    try:
        nodes, size, used, total = run.requests.ask("STAT_SHEEP", "", lambda: _sizes(run))
    except Refused as refused:
        run.say(f"Response's result: {refused}")
        run.say("Cannot get information from any nodes")
        return Exit.SYSFAIL
    except Unreachable:
        run.say("Failed to get node list")
        return Exit.SYSFAIL
    if not run.raw:
        run.write(b"Id\tSize\tUsed\tAvail\tUse%\n")
    for place in range(nodes):
        run.write(_sizes_line(run, str(place), size, used))
    run.write(_sizes_line(run, "Total", size * nodes, used * nodes, total))
    return Exit.SUCCESS


def _sizes(run: Run) -> tuple[int, int, int, int]:
    sheep = run.sheep
    nodes = sheep.flock.alive
    size = sheep.options.capacity_bytes // nodes
    used = sheep.objects.allocated_bytes * sheep.flock.copies // nodes
    total = sum(one.size_bytes for one in sheep.inodes(sheep.numbers()) if not one.snapped)
    return nodes, size, size - _FULL_FREE_BYTES if sheep.full else min(used, size), total


def _sizes_line(run: Run, first: str, size: int, used: int, total: int | None = None) -> bytes:
    values = [first, number(size, run.raw), number(used, run.raw), number(size - used, run.raw), f"{used * 100 // size}%"]
    if run.raw:
        return " ".join([*values, *([] if total is None else [str(total)])]).encode() + b"\n"
    tail = "" if total is None else f"\n\nTotal virtual image size\t{number(total, False)}"
    return ("\t".join(values) + tail + "\n").encode()


def cluster_info(run: Run) -> Exit:
    """``cluster info [-r] [-v]``: the status, and the epochs with their nodes. Exits 0 whatever the status is."""
    if not run.raw:
        raise NotModelled("dog cluster info for people, which prints dates in local time: use -r")
    flock = run.sheep.flock

    def act() -> tuple[Result, list[tuple[int, int]]]:
        return flock.status(), list(flock.epochs)

    try:
        status, epochs = run.requests.ask("STAT_CLUSTER", "", act, forced=True)
    except Unreachable:
        run.say("Failed to get node list")
        return Exit.SYSFAIL
    serving = status is Result.SUCCESS
    run.write(b"running, auto-recovery enabled\n" if serving else TEXTS[status].encode() + b"\n")
    if run.verbose:
        store = f"plain with {flock.copies} redundancy policy\nauto\n" if serving else f"{TEXTS[status]}\n"
        run.write(f"{store}node\n".encode())
    else:
        run.write(b"\n")
    options = run.sheep.options
    for place in range(len(epochs) - 1, -1, -1):
        began_s, alive = epochs[place]
        nodes = ", ".join(f"{options.address}:{options.port + node}:{_VNODES}" for node in range(alive))
        run.write(f"{began_s} {place + 1} [{nodes}]\n".encode())
    return Exit.SUCCESS


def cluster_format(run: Run) -> Exit:
    """``cluster format [-c COPIES] [-t] [-l] [-z SHIFT] [-f]``: asks before it empties a cluster that holds something."""
    options, sheep = run.options, run.sheep
    copies = options.get("c", b"3")
    if not copies.isdigit() or not 0 < int(copies) < 32:
        run.say(b"Invalid parameter %b" % copies)
        return Exit.FAILURE
    shift = int(options.get("z", b"22"))
    if not 20 <= shift <= 31:
        larger = shift > 31
        run.say("Object Size is limited to 2^31. Please set shift bit lower than 31" if larger else
                "Object Size is larger than 2^20. Please set shift bit larger than 20")
        return Exit.FAILURE
    _node_list(run)
    if sheep.flock.created_s and not sheep.vdis.never_used and "f" not in options:
        run.write(
            b"    __\n   ()'`;\n   /\\|`\n  /  |   Caution! The cluster is not empty.\n"
            b"(/_)_|_  Are you sure you want to continue? [yes/no]: ")
        if run.process.read(8)[:3].lower() != b"yes":
            return Exit.SUCCESS
    run.write(b"using backend plain store\n")

    def act() -> None:
        sheep.format(copies=int(copies), strict="t" in options, use_locks="l" in options, block_size_shift=shift)

    try:
        run.requests.ask("MAKE_FS", "", act, forced=True)
    except Unreachable:
        return Exit.SYSFAIL
    return Exit.SUCCESS


def lock(run: Run) -> Exit:
    """``vdi lock list`` and ``vdi lock unlock NAME``, which breaks whoever's lock it is."""
    if run.rest[0] == b"list":
        return _lock_list(run)
    if run.rest[0] != b"unlock":
        return Exit.FAILURE
    if len(run.rest) < 2:
        raise Usage
    name = cut(run.rest[1])
    try:
        seen = run.requests.look_up(name, run.snap_id, run.tag, range(0))
    except (Refused, Unreachable) as trouble:
        text = str(trouble) if isinstance(trouble, Refused) else TEXTS[Result.EIO]
        run.say(b"Failed to find VDI %b: %b" % (name, text.encode()))
        return Exit.FAILURE
    try:
        states = run.requests.ask("GET_VDI_COPIES", shown(name), lambda: dict(run.sheep.locks))
        if seen.vid not in states:
            run.say(b"VDI %b (vid=%x) is not locked" % (name, seen.vid))
            return Exit.FAILURE
        run.requests.ask("RELEASE_VDI", shown(name), lambda: run.sheep.release(seen.vid))
    except (Refused, Unreachable):
        run.say("Failed to get VDI state")
        return Exit.SYSFAIL
    return Exit.SUCCESS


def _lock_list(run: Run) -> Exit:
    try:
        states = run.requests.ask("GET_VDI_COPIES", "", lambda: dict(run.sheep.locks))
        views = run.requests.listing()
    except (Refused, Unreachable):
        run.say("Failed to get VDI state")
        return Exit.SYSFAIL
    run.write(b"  Name         Id  VDI id  Tag            Owner node(s)\n")
    for view in views:
        if view.vid in states:
            mark = "s" if view.snapped else "c" if view.snap_id == 1 and view.parent else " "
            name, tag = shown(view.name), shown(view.tag)
            snap_id = view.snap_id if view.snapped else 0
            run.write(f"{mark} {name:<8s}  {snap_id:5d}  {view.vid:6x}  {tag:<13s}  {states[view.vid]}\n".encode())
    return Exit.SUCCESS
