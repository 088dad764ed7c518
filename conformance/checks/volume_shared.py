"""C-VOLUME where a volume is not one's own: two handles, a guest at work, a delete under a handle, a dead holder."""

from __future__ import annotations

from functools import partial

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.checks.snapshot import spread_blocks
from storcert.conformance.checks.volume import NEEDS, RULE, require_now, volume_of
from storcert.conformance.guest import BLOCK_BYTES, Guest, beside, refused
from storcert.conformance.handle import Handle
from storcert.conformance.moments import blocks_found, require_one_moment, require_range
from storcert.conformance.observe import both, require_absent
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require

LOCK_NS = 120 * 10**9


@check(RULE, core=lambda f: ["same-instance", "same-location"], needs=NEEDS)
def two_handles(b: Bench, which: str) -> None:
    """Two handles of one volume write to neighbouring bytes: each keeps what the other wrote."""
    here, _ = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    other = here if which == "same-instance" else b.new_client(HOST)
    handles: list[Handle] = [here.open_volume(uri)]
    attempt = b.attempt(lambda: other.later.open_volume(uri))
    if refused(attempt):
        raise NotApplicable("a volume is open once at a time: ObjectInUse")
    handles.append(attempt.value_or_raise())
    for number in range(40):
        at, mark = 1000 + 3 * number, bytes([65 + number]) * 3
        handles[number % 2].pwrite(at, mark)
        due[at : at + 3] = mark
        if number % 8 > 5:
            handles[number % 2].flush()
    handles[0].close()
    handles[1].flush()
    handles[1].close()
    require_now(b, uri, due, "written through two handles in turn")


@check(RULE, core=lambda f: ["pwrite"], standard=lambda f: ["pread-and-pwrite"], needs=NEEDS)
def two_handles_at_once(b: Bench, verbs: str) -> None:
    """Two tasks write to every other sixteen bytes of one block at once, each through its handle: all of it is there."""
    here, _ = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    handles = [here.open_volume(uri)]
    attempt = b.attempt(lambda: here.later.open_volume(uri))
    if refused(attempt):
        raise NotApplicable("a volume is open once at a time: ObjectInUse")
    handles.append(attempt.value_or_raise())

    def work(number: int) -> None:
        for turn in range(12):
            at = 4096 + (2 * turn + number) * 16
            handles[number].handle.pwrite(at, bytes([97 + number]) * 16)
            if verbs != "pwrite":
                handles[number].handle.pread(at, 16)
        handles[number].handle.flush()

    tasks = [b.begin(HOST, f"task {number} writes to every other 16 bytes", partial(work, number)) for number in (0, 1)]
    b.join(*tasks)
    for task in tasks:
        task.value_or_raise()
    for handle in handles:
        handle.close()
    for number in range(24):
        due[4096 + number * 16 : 4112 + number * 16] = bytes([97 + number % 2]) * 16
    require_now(b, uri, due, "written by two tasks at once")


@check(RULE, core=lambda f: ["reads", "copy"], standard=lambda f: ["reads-large"], needs=NEEDS)
def beside_a_guest(b: Bench, what: str) -> None:
    """Read while a guest writes, each byte is as before or after a write; a copy beside it is of one moment."""
    b.need(capability_on_device_copy_is_not_declared=what != "copy" or b.facts.capabilities.on_device_copy)
    for after in b.examples((1, 5, 13, 21)):
        here, there = both(b)
        size = b.facts.fit(max(b.facts.large_size, 64 * BLOCK_BYTES) if what.endswith("-large") else 16 * BLOCK_BYTES)
        uri, copied = b.uri(), b.uri("copied")
        here.create(uri, size)
        guest = Guest(b, here, uri, "guest", spread_blocks(size), flush_every=1 + after % 3)
        verb, arguments = ("copy", (uri, copied)) if what == "copy" else ("read", (uri,))
        span, attempt = beside(b, [guest], there, after, verb, *arguments)
        require(guest.error is None, f"the guest's write failed beside a reader: {guest.error}")
        if refused(attempt):
            raise NotApplicable("a volume that is open is not read elsewhere: ObjectInUse")
        attempt.value_or_raise()
        if what == "copy":
            found = blocks_found(there.read(copied), bytes(size), [guest], "the copy", "C-COPY")
            require_one_moment(found, span, "the copy", "C-COPY")
        else:
            require_range(blocks_found(span.value, bytes(size), [guest], "the reader", RULE), span, "the reader", RULE)


@check("C-COPY", standard=lambda f: ["first-and-last"], needs=(*NEEDS, "on_device_copy"), simulation=True)
def beside_a_guest_in_turns(b: Bench, which: str) -> None:
    """A guest writes the first and the last block in turn and flushes each: a copy beside it is of one moment."""
    for after in b.examples((1, 2)):
        here, there = both(b)
        uri, copied, size = b.uri(), b.uri("copied"), b.facts.fit(32 * BLOCK_BYTES)
        here.create(uri, size)
        guest = Guest(b, here, uri, "guest", (0, size // BLOCK_BYTES - 1), flush_every=1, in_turn=True)
        span, attempt = beside(b, [guest], there, after, "copy", uri, copied)
        require(guest.error is None, f"the guest's write failed beside a copy: {guest.error}", RULE)
        if refused(attempt):
            raise NotApplicable("a volume that is open is not copied elsewhere: ObjectInUse")
        attempt.value_or_raise()
        found = blocks_found(there.read(copied), bytes(size), [guest], "the copy", "C-COPY")
        require_one_moment(found, span, "the copy", "C-COPY")


@check(RULE, core=lambda f: ["same-instance", "other-location"], needs=NEEDS)
def deleted_under_a_handle(b: Bench, who: str) -> None:
    """delete under an open handle is ObjectInUse, or done: then nothing the handle does brings the volume back."""
    here, there = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    handle = here.open_volume(uri)
    handle.pwrite(0, b"before")
    due[:6] = b"before"
    removed = b.attempt(lambda: (here if who == "same-instance" else there).later.delete(uri))
    if not refused(removed):
        removed.value_or_raise()
        require_absent(there, uri, "deleted")
    for step in (lambda: handle.later.pwrite(100, b"after"), handle.later.flush, handle.later.close):
        attempt = b.attempt(step)
        require(not refused(removed) or attempt.error is None, f"delete was refused, and {attempt.call.label} said {attempt}")
    if refused(removed):
        due[100:105] = b"after"
        require_now(b, uri, due, "after the refused delete")
        there.delete(uri)
    require_absent(there, uri, "deleted under a handle")
    b.require_clean("after a volume was deleted under a handle")


@check(RULE, core=lambda f: ["unflushed", "flushed"], needs=NEEDS, simulation=True)
def dead_holder(b: Bench, wrote: str) -> None:
    """A process dies with the volume open: others open, write to and delete it, after a while at the latest."""
    here, there = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    handle = here.open_volume(uri)
    handle.pwrite(0, b"dead")
    if wrote == "flushed":
        handle.flush()
    b.crash(HOST)
    attempt = b.attempt(lambda: there.later.overwrite(uri, (100, b"alive")))
    if refused(attempt):
        b.world.advance(LOCK_NS)
        attempt = b.attempt(lambda: there.later.overwrite(uri, (100, b"alive")))
    require(attempt.error is None, f"after the death of its holder {attempt.call.label} said {attempt}")
    found = there.read(uri)
    due[100:105] = b"alive"
    first = {bytes(due[:4]), b"dead"} if wrote == "unflushed" else {b"dead"}
    require(found[:4] in first or wrote == "unflushed", "what was flushed before its holder died is lost", "C-DURABLE")
    require(found[4:] == due[4:], "after the death of its holder other bytes changed", RULE)
    there.delete(uri)
    require_absent(there, uri)
    b.require_clean("after the volume of a dead holder was deleted")
