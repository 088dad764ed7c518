"""The checker and an oracle that tries every order agree on thousands of short histories, legal and spoilt."""

from __future__ import annotations

import random

import pytest

from storcert.harness.checkers.linearizability import linearize
from storcert.harness.record.history import Status
from tests.harness.checkers.brute_force import generate, has_an_order, spoil

LEGAL, SPOILT = 1500, 2500


def test_histories_that_really_happened_are_legal_for_both() -> None:
    stream = random.Random("legal histories")
    for _ in range(LEGAL):
        history = generate(stream, stream.randint(1, 6))
        assert has_an_order(history), history
        assert linearize(history).legal is True, history


def test_no_disagreement_on_spoilt_histories() -> None:
    stream = random.Random("spoilt histories")
    illegal = 0
    for _ in range(SPOILT):
        history = spoil(stream, generate(stream, stream.randint(1, 6)))
        if stream.random() < 0.5:
            history = spoil(stream, history)
        expected = has_an_order(history)
        answer = linearize(history)
        assert answer.legal is expected, history
        assert (answer.stuck is None) is expected
        illegal += not expected
    assert SPOILT // 4 < illegal < SPOILT * 3 // 4, "the comparison must see both kinds"


def test_every_verb_and_outcome_is_among_them() -> None:
    stream = random.Random("legal histories")
    seen = {(one.verb, one.status) for _ in range(400) for one in generate(stream, 6)}
    for verb in ("create", "write", "copy", "delete"):
        assert {(verb, status) for status in Status} <= seen
    assert {("read", Status.OK), ("read", Status.FAILED), ("describe", Status.OK), ("member", Status.OK)} <= seen


@pytest.mark.slow
def test_no_disagreement_at_length() -> None:
    stream = random.Random("many more histories")
    for _ in range(20 * LEGAL):
        history = generate(stream, stream.randint(4, 6))
        for candidate in (history, spoil(stream, history)):
            assert linearize(candidate).legal is has_an_order(candidate), candidate
