"""First contact: makes the driver, asks what it declares, and learns at which sizes something may break.

Nothing is judged here. A driver that cannot even be made or reached is the user's mistake and raises ``InvalidUsage``.
"""

from __future__ import annotations

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.driver_source import constructor_failed
from storcert.conformance.facts import Facts
from storcert.conformance.first_contact import within_reach
from storcert.conformance.live_device import TargetDevice
from storcert.conformance.subject import Subject
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.violation import LeftToFillIn, Undecided, Violation
from storcert.harness.contract import (
    Capabilities,
    DataObjectUri,
    DeviceUnavailable,
    ObjectNotFound,
    PermissionDenied,
    StorageError,
)
from storcert.simulators.device import OperatedDevice, later_faults

PART_BYTES_DEFAULT = 1 << 20
LIVE_PART_BYTES_MIN = 1 << 16
PAGE_SIZE_DEFAULT = 1000
NEVER_REACHED = ("refused", "lost")


def calibrate(subject: Subject, seed: int, mode: str = "simulated") -> Facts:
    """Facts of this driver on this device. Raises :class:`InvalidUsage`."""
    first = Facts(Capabilities(), mode, PART_BYTES_DEFAULT, PAGE_SIZE_DEFAULT, {}, {}, frozenset())
    bench = Bench(subject, first, seed, "calibration")
    try:
        if mode == "live" and subject.reached is None:
            # A constructor may ask the device too, so it has its part of the few seconds.
            within_reach(lambda: _look(bench, subject), f"the device of driver {subject.reference!r}")
            return bench.facts
        facts = _meet(bench, subject)
        if mode != "live":
            _require_simulated_io(bench, subject)
        unwritten = _reach(bench, subject)
        used = mode == "live" or bool(bench.world.device.requests)
        if not used and not unwritten:
            return _with(bench, facts, facts.capabilities, facts.part_bytes, facts.page_size, mode="in_process")
        bench.facts = _measure(bench, facts)
        return bench.facts
    finally:
        bench.close()


def _meet(bench: Bench, subject: Subject) -> Facts:
    """Make the driver and take it at its word."""
    capabilities = _declared(bench, subject)
    limits = bench.world.device.limits
    part = limits.part_size_bytes or PART_BYTES_DEFAULT
    bench.facts = _with(bench, bench.facts, capabilities, part, limits.page_size or PAGE_SIZE_DEFAULT)
    return bench.facts


def _with(
    bench: Bench,
    facts: Facts,
    capabilities: Capabilities,
    part: int,
    page: int,
    mode: str = "",
    fixed: frozenset[tuple[str, str]] = frozenset(),
) -> Facts:
    device = bench.world.device
    kinds = device.legal_faults
    return Facts(
        capabilities,
        mode or facts.mode,
        part,
        page,
        {kind.name: kind.operations for kind in kinds},
        {kind.name: tuple(str(phase) for phase in kind.phases) for kind in kinds if kind.name != "crash"},
        fixed,
        device.shows if isinstance(device, TargetDevice) else frozenset(),
        tuple(kind.name for kind in later_faults(device)),
        tuple(move.name for move in device.operator_moves) if isinstance(device, OperatedDevice) else (),
    )


def _declared(bench: Bench, subject: Subject) -> Capabilities:
    try:
        client = bench.new_client()
    except StorageError as error:
        raise constructor_failed(subject.reference, error) from error
    except Violation as violation:
        raise constructor_failed(subject.reference, violation.__cause__ or violation) from violation
    try:
        found = client.do("capabilities", lambda: client.driver.capabilities())
    except (StorageError, Violation) as error:
        raise InvalidUsage(f"driver {subject.reference!r}: capabilities() failed: {error}") from error
    if not isinstance(found, Capabilities):
        raise InvalidUsage(
            f"driver {subject.reference!r}: capabilities() gave {type(found).__name__}, not Capabilities"
        )
    return found


def _require_simulated_io(bench: Bench, subject: Subject) -> None:
    """A library in compiled code opens files and sockets where no simulation sees it. A driver that stands on one says so by
    an attribute ``native_io`` that is true; it is turned away before its first call, rather than let out to a real device."""
    if getattr(bench.client(HOST).driver, "native_io", False):
        raise InvalidUsage(
            f"driver {subject.reference!r}: with this configuration its library opens files or sockets in compiled code, past "
            "a simulated location; certify it with --device live or a live target, or configure one that stays in memory"
        )


def _reach(bench: Bench, subject: Subject) -> bool:
    """One create and one describe. Where nothing ever came to the device, there is nothing to certify. Whether that is because
    the driver says that it is not written yet."""
    uri = bench.uri("calibration")
    try:
        bench.client(HOST).create(uri, bench.facts.fit(1))
        bench.client(SSVM).describe(uri)
        bench.client(HOST).delete(uri)
    except (DeviceUnavailable, PermissionDenied) as error:
        answered = [one for one in bench.world.device.requests if one.answer not in NEVER_REACHED]
        served = any(one.answer == "ok" for one in answered)
        if not served:
            raise _out_of_reach(subject, error) from error
    except LeftToFillIn:
        return True
    except (StorageError, Violation, Undecided):
        pass
    return False


def _out_of_reach(subject: Subject, error: StorageError) -> InvalidUsage:
    return InvalidUsage(
        f"driver {subject.reference!r} cannot reach its device ({type(error).__name__}: {error.message}); "
        "look at the configuration"
    )


def _look(bench: Bench, subject: Subject) -> None:
    """One describe of an object that is not there: a live device that answers it can be reached, and nothing was changed."""
    _meet(bench, subject)
    try:
        # A name that the bench does not note: tidying it up would wait for a device that does not answer.
        bench.client(HOST).describe(DataObjectUri(bench.facts.kind, "storcert", "calibration"))
    except ObjectNotFound:
        return
    except (DeviceUnavailable, PermissionDenied) as error:
        raise _out_of_reach(subject, error) from error
    except (StorageError, Violation, Undecided):
        return


def _leave_markers(bench: Bench, facts: Facts) -> None:
    """Make, copy, list, abort and delete a little of everything, so that what a driver keeps for itself is there."""
    client, size = bench.client(HOST), facts.fit(1)
    for kind in sorted(facts.capabilities.kinds):
        for account in ("1", "2"):
            uri, copied = bench.uri("calibration", account, kind), bench.uri("calibration-copy", account, kind)
            client.create(uri, size)
            if facts.capabilities.on_device_copy:
                client.copy(uri, copied)
            client.delete(copied)
            client.delete(uri)
    client.write(bench.uri("calibration-aborted"), content("calibration", size), end="abort")
    if facts.capabilities.enumerate:
        client.list()


def _measure(bench: Bench, facts: Facts) -> Facts:
    """Write a large object and see in which pieces it travels; delete it and see what stays."""
    uri = bench.uri("calibration-large")
    before = len(bench.world.device.requests)
    size = facts.fit(3 * facts.part_bytes + 1)
    part = facts.part_bytes
    try:
        client = bench.client(HOST)
        client.write(uri, content("calibration", size))
        sent = [one.sent_bytes for one in bench.world.device.requests[before:]]
        largest = max(sent, default=0)
        if 0 < largest < size:
            # A kernel cuts what it writes into pages; no driver does.
            part = max(largest, LIVE_PART_BYTES_MIN if facts.mode == "live" else 1)
        client.delete(uri)
        _leave_markers(bench, facts)
    except (StorageError, Violation, Undecided):
        pass
    fixed = frozenset(
        (entry.kind, entry.name)
        for entry in bench.census()
        if entry.kind not in ("upload", "part") and "calibration" not in entry.name
    )
    return _with(bench, facts, facts.capabilities, part, facts.page_size, fixed=fixed)
