"""C-STATELESS: a driver keeps nothing between calls; any instance anywhere continues where another stopped."""

from __future__ import annotations

import json

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.meter import Metered
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import InvalidRequest, ObjectExists, ObjectNotFound, Policy, StorageDevice
from storcert.harness.contract.device import resolve_secrets

RULE = "C-STATELESS"
#: What holds the objects of a device, where its configuration names it.
CONTAINERS = ("bucket", "pool")


@check(RULE, core=lambda f: ["describe", "open_input", "list", "copy"])
def no_negative_memory(b: Bench, how: str) -> None:
    """An instance that did not find an object finds it once another instance has made it, and misses it once gone."""
    here, there = both(b)
    uri = b.uri()
    b.need(capability_enumerate_is_not_declared=how != "list" or b.facts.capabilities.enumerate)
    b.need(capability_on_device_copy_is_not_declared=how != "copy" or b.facts.capabilities.on_device_copy)

    def look() -> bool:
        if how == "list":
            return uri in here.list()
        try:
            if how == "copy":
                here.copy(uri, b.uri("other"))
                here.delete(b.uri("other"))
            else:
                getattr(here, how)(uri)
        except ObjectNotFound:
            return False
        return True

    for round_number in range(3):
        require(not look(), f"round {round_number}: {how} finds an object that is not there")
        there.write(uri, content(f"round {round_number}", b.facts.fit(100 + round_number)))
        require(look(), f"round {round_number}: {how} does not find what another instance made")
        there.delete(uri)


@check(RULE)
def no_memory_of_content(b: Bench) -> None:
    """An instance that read an object reads the new bytes and the new size after others replaced it."""
    here, there = both(b)
    uri = b.uri()
    for number in range(4):
        data = content(f"generation {number}", b.facts.fit(1000 * (4 - number)))
        there.write(uri, data)
        described = here.describe(uri).size_bytes
        require(described == len(data), f"generation {number}: describe remembers {described} bytes of {len(data)}")
        require_bytes(here, uri, data, f"generation {number}")
        there.delete(uri)


@check(RULE)
def no_memory_in_the_module(b: Bench) -> None:
    """What another process writes and deletes is seen at once, also where a driver keeps things in its modules."""
    if b.facts.mode == "in_process":
        raise NotApplicable("the device lives in this process: another one would have another device")
    here, elsewhere = b.client(HOST), _in_another_process(b)
    uri = b.uri()
    for number in range(3):
        data = content(f"generation {number}", b.facts.fit(1000 * (4 - number)))
        elsewhere.write(uri, data)
        described = here.describe(uri).size_bytes
        require(described == len(data), f"generation {number}: describe remembers {described} bytes of {len(data)}")
        require_bytes(here, uri, data, f"generation {number}")
        elsewhere.delete(uri)
        require_absent(here, uri, f"generation {number} was deleted by another process")


def _in_another_process(b: Bench) -> Client:
    """Locations share a process here; in the field they do not, and neither do the modules of a driver."""
    try:
        subject = b.subject.loaded_again()
    except ImportError as reason:
        raise NotApplicable(str(reason)) from reason
    configuration = b.world.configuration()
    made = b.begin(SSVM, "make the driver in another process", lambda: subject.make_driver(configuration), quiet=True)
    b.join(made)
    return Client(b, SSVM, Metered(made.value_or_raise(), b.meter))


@check(RULE)
def no_memory_of_deletion(b: Bench) -> None:
    """An instance that deleted an object sees it when another instance makes it again, and may not overwrite it."""
    here, there = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(100))
    here.delete(uri)
    data = stored(b, uri, b.facts.fit(200), key="again", location=SSVM)
    require_bytes(here, uri, data)
    b.expect(ObjectExists, lambda: here.write(uri, b"x" * b.facts.fit(10)))
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: ["alternating", "one-instance"])
def fresh_instance_for_each_call(b: Bench, how: str) -> None:
    """A sequence of calls gives the same answers with a fresh instance for each call as with one instance."""
    fixed = b.client(HOST)

    def client(number: int) -> Client:
        return fixed if how == "one-instance" else b.new_client((HOST, SSVM)[number % 2])

    first, second = b.uri("a"), b.uri("b")
    data = content("x", b.facts.fit(3000))
    client(0).write(first, data)
    client(1).create(second, b.facts.fit(50))
    require_bytes(client(2), first, data)
    b.expect(ObjectExists, lambda: client(3).write(first, data))
    client(4).delete(first)
    require_absent(client(5), first)
    client(6).delete(first)
    require_bytes(client(7), second, bytes(b.facts.fit(50)))
    client(8).write(first, data[:100] if b.facts.capabilities.size_granularity_bytes == 1 else data)
    require(client(9).describe(first).size_bytes > 0, "the object written last is empty")


@check(RULE, simulation=True)
def after_a_crash(b: Bench) -> None:
    """What one process did is there for its successor at the same location and for another location."""
    both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(3000))
    b.crash(HOST)
    b.restart(HOST)
    require_bytes(b.client(HOST), uri, data)
    require_bytes(b.client(SSVM), uri, data)
    b.client(HOST).delete(uri)
    require_absent(b.client(SSVM), uri)


@check(RULE)
def configuration_is_left_alone(b: Bench) -> None:
    """Making and using a driver does not change the configuration it was given; JSON and back makes the same driver."""
    configuration = {**b.world.configuration(), **b.subject.configuration}
    before = json.dumps(configuration, sort_keys=True)
    made = b.begin(HOST, "make a driver and ask its capabilities", lambda: _capabilities_twice(b, configuration))
    b.join(made)
    require(made.value_or_raise(), "two instances of one configuration declare different capabilities")
    require(json.dumps(configuration, sort_keys=True) == before, "the driver changed the configuration it was given")
    device = StorageDevice("one", b.subject.reference, configuration, Policy())
    require(StorageDevice.from_json(device.to_json()) == device, "the configuration does not survive JSON")


def _capabilities_twice(b: Bench, configuration: dict[str, object]) -> bool:
    resolved = resolve_secrets(configuration)
    given = json.dumps(resolved, sort_keys=True)
    first, second = b.subject.driver_class(resolved), b.subject.driver_class(json.loads(json.dumps(resolved)))
    alike = bool(first.capabilities() == second.capabilities() == first.capabilities())
    require(json.dumps(resolved, sort_keys=True) == given, "the driver changed the configuration it was given")
    return alike


@check(RULE)
def errors_leave_no_state(b: Bench) -> None:
    """After refused calls of every sort an instance works as before."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(500))
    for _ in range(2):
        b.expect(ObjectNotFound, lambda: here.describe(b.uri("missing")))
        b.expect(ObjectNotFound, lambda: here.open_input(b.uri("missing")))
        b.expect(ObjectExists, lambda: here.write(uri, data))
        b.expect(InvalidRequest, lambda: here.create(b.uri("bad"), -5))
    require_bytes(here, uri, data)
    here.write(b.uri("new"), data)
    require_bytes(there, b.uri("new"), data)


@check(RULE, core=lambda f: ["objects", "streams"], simulation=True)
def two_configurations_never_mix(b: Bench, what: str) -> None:
    """Two configurations in one process are two devices: an object of one is not found or changed through the other."""
    _never_mix(b, what)


@check(RULE, core=lambda f: ["objects", "streams"], simulation=True)
def two_containers_never_mix(b: Bench, what: str) -> None:
    """The same of two devices whose buckets or pools have names of their own: no instance goes to that of another."""
    default = b.world.configuration()
    named = {key: f"{default[key]}-2" for key in CONTAINERS if key in default}
    if not named:
        raise NotApplicable("nothing of this device is named in a configuration beside its address")
    _never_mix(b, what, **named)


def _never_mix(b: Bench, what: str, **named: str) -> None:
    here, there = b.client(HOST), b.client(SSVM)
    other, default = b.world.another_device(**named).configuration(), b.world.configuration()
    apart = {key: value for key, value in other.items() if default.get(key) != value}
    if not apart or set(apart) & set(b.subject.configuration):
        raise NotApplicable("the configuration that was given says where the device is")
    here_too, there_too = b.new_client(HOST, **apart), b.new_client(SSVM, **apart)
    uri, mine, theirs = b.uri(), content("mine", b.facts.fit(4097)), content("theirs", b.facts.fit(3000))
    if what == "streams":
        writers = [here.open_output(uri), here_too.open_output(uri)]
        for writer, data in ((writers[1], theirs), (writers[0], mine)):
            writer.write(data)
        for writer in writers:
            writer.commit()
    else:
        here.write(uri, mine)
        require_absent(here_too, uri, "stored with another configuration")
        here_too.write(uri, theirs)
    for client, data in ((here, mine), (here_too, theirs), (there, mine), (there_too, theirs)):
        require_bytes(client, uri, data, "stored with two configurations")
    readers = [here.open_input(uri), here_too.open_input(uri)]
    require(readers[1].rest() == theirs and readers[0].rest() == mine, "streams of two configurations are mixed up")
    there_too.delete(uri)
    require_absent(here_too, uri, "deleted")
    require_bytes(here, uri, mine, "after the object of another configuration was deleted")
    there.delete(uri)
    b.require_clean("after everything was deleted")
