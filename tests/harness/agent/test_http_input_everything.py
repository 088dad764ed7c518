"""Every legal fault at every request of a download, and generated servers: the bytes of one version, or a typed
error, in time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import open_url
from storcert.harness.contract import StorageError
from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.http_source import Resource, error, error_page, file, redirect
from storcert.simulators.http_source.legal_faults import LEGAL_FAULTS
from tests.harness.agent.conftest import CALL_LIMIT_NS, URL, Downloads, sha256

S = 10**9
DATA = bytes(number * 7 % 251 for number in range(150_000))
CHANGED = bytes(byte ^ 0x5A for byte in DATA)
VALUES = {"ns": (2 * S, 10**15), "bytes": (0, 70_000), "": (0, 1)}
EVERY_FAULT = [
    Fault(kind.name, nth=nth, phase=phase, count=count, value=value)
    for kind in LEGAL_FAULTS
    if kind.name != "crash"
    for phase in kind.phases
    for nth, count in itertools.product((1, 2), (1, 0))
    for value in VALUES["ns" if "ns" in kind.value_unit else "bytes" if "byte" in kind.value_unit else ""]
]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
@pytest.mark.parametrize("with_digest", [True, False])
def test_every_fault_at_every_request(world: Downloads, fault: Fault, with_digest: bool) -> None:
    world.serve(redirect("http://mirror.sim/file"))
    world.serve(file(DATA), url="http://mirror.sim/file")
    cut = Fault("cut", nth=2, phase=Phase.DURING, value=66_000)  # so that there is a third request, and it resumes
    world.arm(fault, cut)
    outcome = world.get(Expected(digest=sha256(DATA)) if with_digest else None)
    assert world.longest_call_ns < CALL_LIMIT_NS
    if isinstance(outcome, bytes):
        assert outcome == DATA or (outcome == CHANGED and not with_digest)
    else:
        assert isinstance(outcome, StorageError)
    world.source.heal()
    world.serve(file(DATA))
    assert world.get() == DATA


def test_a_crash_of_the_location_ends_it_all(world: Downloads) -> None:
    world.serve(file(DATA))
    world.arm(Fault("crash"))
    task = world.kernel.spawn(open_url, URL, location=world.here)
    world.kernel.run()
    assert task.crashed


PREFIX = DATA[:30_000]
VERSIONS = (DATA, PREFIX + CHANGED[30_000:], DATA[:100_000], CHANGED)
RESOURCES = st.one_of(
    st.builds(
        lambda version, **behaviour: file(VERSIONS[version], **behaviour),
        st.integers(0, 3),
        # One tag never stands for two contents: no client could notice that, and no server may do it.
        framing=st.sampled_from(["length", "chunked", "close"]),
        ranges=st.sampled_from(["yes", "unconditional", "whole", "ignored", "refused"]),
        etag=st.just(""),
        modified_ns=st.just(0),
        cut_after_bytes=st.one_of(st.none(), st.integers(0, len(DATA))),
        gzip_always=st.booleans(),
    ),
    st.sampled_from([error(503, "3"), error(500), error(404), error_page(), redirect(URL)]),
)
FAULTS = st.sampled_from([fault for fault in EVERY_FAULT if fault.kind != "changed"])


def tagged(resource: Resource, strength: str) -> Resource:
    """With a tag of its version."""
    for number, version in enumerate(VERSIONS):
        if resource.status == 200 and resource.content.read(0, len(DATA)) == version:
            etag = {"strong": f'"{number}"', "weak": 'W/"any"', "none": ""}[strength]
            return replace(resource, etag=etag)
    return resource


@given(
    st.lists(st.tuples(RESOURCES, st.sampled_from(["strong", "weak", "none"])), min_size=1, max_size=5), st.booleans(),
    st.lists(FAULTS, max_size=2), st.sampled_from(["nothing", "size", "digest"]), st.sampled_from([-1, 1_000, 65_536,
    10**6]),
)
@settings(max_examples=150, deadline=None)
def test_generated_servers(
    pages: list[tuple[Resource, str]], stay: bool, faults: list[Fault], known: str, n: int,
) -> None:
    with Kernel(1) as kernel, installed():
        world = Downloads(kernel)
        world.serve(*(tagged(page, strength) for page, strength in pages), stay=stay)
        world.arm(*faults)
        expected = {
            "nothing": Expected(), "size": Expected(size_bytes=len(DATA)), "digest": Expected(digest=sha256(DATA)),
        }[known]
        outcome = world.get(expected, n=n)
        assert world.longest_call_ns < CALL_LIMIT_NS
        assert len(world.source.requests) < 1_000
        if isinstance(outcome, StorageError):
            return
        assert outcome in {"nothing": VERSIONS, "size": (VERSIONS[0], VERSIONS[1], VERSIONS[3]), "digest": (DATA,)}[known]
