"""``dog vdi``: read, write, check, object, setattr and getattr: what touches the contents of a VDI.

Source: dog/vdi.c. Reading and writing past the end exits 0 and moves what fits; a write whose input ends early exits 0 too.
A write creates or copies each object it touches first and enters it into the inode then: a dog killed between leaves an
object that belongs to nobody.
"""

from __future__ import annotations

from storcert.simulators.device import NotModelled
from storcert.simulators.sheepdog.attributes import VALUE_BYTES_MAX, Key
from storcert.simulators.sheepdog.dog_arguments import Usage, size_of
from storcert.simulators.sheepdog.dog_run import Run
from storcert.simulators.sheepdog.requests import BATCH_BYTES, Unreachable, shown
from storcert.simulators.sheepdog.results import TEXTS, Exit, Refused, Result
from storcert.simulators.sheepdog.sheep import ObjectWrite
from storcert.simulators.sheepdog.vdis import cut

_ALL = (1 << 64) - 1


def _range(run: Run) -> tuple[int, int]:
    offset = size_of(run.rest[1]) if len(run.rest) > 1 else 0
    return offset, size_of(run.rest[2]) if len(run.rest) > 2 else _ALL


def _indexes(run: Run, offset: int, length: int) -> range:
    """Which objects can be touched, as far as that is known before the size of the VDI is."""
    size = run.requests.object_bytes
    return range(offset // size, (offset + length - 1) // size + 1 if length != _ALL else 1 << 62)


def read(run: Run) -> Exit:
    """``vdi read [-s TAG] NAME [OFFSET [LENGTH]]``, to standard output."""
    offset, length = _range(run)
    seen = run.open(run.name, run.snap_id, run.tag, _indexes(run, offset, length) if length else range(0))
    if seen.size_bytes < offset:
        run.say("Read offset is beyond the end of the VDI")
        return Exit.FAILURE
    size = run.requests.object_bytes
    end = offset + min(length, seen.size_bytes - offset)
    while offset < end:
        wanted: list[tuple[int, int, int, int]] = []
        first = offset
        while offset < end and offset - first < BATCH_BYTES:
            index, inside = divmod(offset, size)
            piece = min(size - inside, end - offset)
            wanted.append((seen.owners.get(index, 0), index, inside, piece))
            offset += piece
        try:
            data = run.requests.read_objects(run.name, wanted)
        except (Refused, Unreachable) as trouble:
            vid, index, _, _ = next(one for one in wanted if one[0])
            run.object_failed("read", vid, index, trouble)
            run.say("Failed to read VDI")
            return Exit.FAILURE
        run.write(data)
    return Exit.SUCCESS


def write(run: Run) -> Exit:
    """``vdi write NAME [OFFSET [LENGTH]]``, from standard input."""
    offset, length = _range(run)
    seen = run.open(run.name, 0, b"", _indexes(run, offset, length))
    if seen.size_bytes < offset:
        run.say("Write offset is beyond the end of the VDI")
        return Exit.FAILURE
    size = run.requests.object_bytes
    end = offset + min(length, seen.size_bytes - offset)
    while offset < end:
        writes: list[ObjectWrite] = []
        batch = 0
        while offset < end and batch < BATCH_BYTES:
            index, inside = divmod(offset, size)
            piece = min(size - inside, end - offset)
            data = run.process.read(piece)
            if len(data) < piece:
                # dog sends the buffer as it is, filled up with zeros, and stops after it.
                data += bytes(piece - len(data))
                end = offset + piece
            owner = seen.owners.get(index, 0)
            writes.append(ObjectWrite(seen.vid, index, inside, data, owner != seen.vid, owner if owner != seen.vid else 0))
            offset += piece
            batch += piece
        try:
            run.requests.write_objects(run.name, writes)
        except (Refused, Unreachable) as trouble:
            run.object_failed("write", seen.vid, writes[0].index, trouble)
            run.say("Failed to write VDI")
            return Exit.FAILURE
        fresh = [(one.index, seen.vid) for one in writes if one.create]
        if fresh:
            try:
                run.requests.write_owners(seen.vid, run.name, fresh)
            except (Refused, Unreachable) as trouble:
                run.object_failed("write", 1 << 31 | seen.vid, 0, trouble)
                return Exit.FAILURE
    return Exit.SUCCESS


def check(run: Run) -> Exit:
    """``vdi check NAME``: replicas always agree here."""
    try:
        seen = run.requests.look_up(run.name, run.snap_id, run.tag, range(0))
    except (Refused, Unreachable) as trouble:
        result = trouble.result if isinstance(trouble, Refused) else Result.EIO
        run.not_opened(run.name, run.snap_id, run.tag, result)
        run.say("FATAL: no inode objects")
        return Exit.FAILURE
    run.write(b"finish check&repair %b\n" % seen.name)
    return Exit.SUCCESS


def show_objects(run: Run) -> Exit:
    """``vdi object map [-s TAG] [-i INDEX] NAME``."""
    if run.rest[0] != b"map":
        raise NotModelled(f"dog vdi object {shown(run.rest[0])}")
    if len(run.rest) < 2:
        raise Usage
    name = cut(run.rest[1])
    try:
        seen = run.requests.look_up(name, run.snap_id, run.tag, None)
    except (Refused, Unreachable) as trouble:
        result = trouble.result if isinstance(trouble, Refused) else Result.EIO
        run.not_opened(name, run.snap_id, run.tag, result)
        run.say(b"FATAL: %b not found" % name)
        return Exit.FAILURE
    run.write(b"Index       VID\n")
    if "i" in run.options:
        indexes = [int(run.options["i"], 0)]
    else:
        indexes = sorted(seen.owners)
    run.write(b"".join(b"%08d %8x\n" % (index, seen.owners.get(index, 0)) for index in indexes))
    return Exit.SUCCESS


def _key(run: Run) -> Key:
    return run.name, run.tag, run.snap_id, cut(run.argument(1, "Please specify the attribute key"))


def set_attribute(run: Run) -> Exit:
    """``vdi setattr [-x] [-d] NAME KEY [VALUE]``; the value from standard input where it is not given."""
    key = _key(run)
    removing, exclusive = "d" in run.options, "x" in run.options
    value = run.rest[2] if len(run.rest) > 2 else b"" if removing else run.process.read(VALUE_BYTES_MAX)
    sheep = run.sheep

    def act() -> None:
        sheep.look_up(key[0], key[2], key[1], range(0))
        if sheep.flock.halted:
            raise Refused(Result.EIO)
        if removing:
            sheep.attributes.blank(key)
        else:
            # The value is a C string there, however it was given.
            sheep.attributes.set(key, value.partition(b"\0")[0], exclusive=exclusive)

    try:
        run.requests.ask("GET_VDI_ATTR", shown(key[0]), act)
    except Unreachable:
        run.say(f"Failed to set attribute: {TEXTS[Result.EIO]}")
        return Exit.FAILURE
    except Refused as refused:
        if refused.result is Result.VDI_EXIST:
            run.say(b"The attribute '%b' already exists" % key[3])
            return Exit.EXISTS
        if refused.result is Result.NO_OBJ:
            run.say(b"Attribute '%b' not found" % key[3])
            return Exit.MISSING
        if refused.result is Result.NO_VDI:
            run.say("VDI not found")
            return Exit.MISSING
        run.say(f"Failed to set attribute: {refused}")
        return Exit.FAILURE
    return Exit.SUCCESS


def get_attribute(run: Run) -> Exit:
    """``vdi getattr NAME KEY``."""
    key = _key(run)
    sheep = run.sheep

    def act() -> bytes:
        sheep.look_up(key[0], key[2], key[1], range(0))
        return sheep.attributes.get(key)

    try:
        run.write(run.requests.ask("GET_VDI_ATTR", shown(key[0]), act))
    except Unreachable:
        run.say(f"Failed to find attribute oid: {TEXTS[Result.EIO]}")
        return Exit.MISSING
    except Refused as refused:
        if refused.result is Result.NO_OBJ:
            run.say(b"Attribute '%b' not found" % key[3])
        elif refused.result is Result.NO_VDI:
            run.say("VDI not found")
        else:
            run.say(f"Failed to find attribute oid: {refused}")
        return Exit.MISSING
    return Exit.SUCCESS
