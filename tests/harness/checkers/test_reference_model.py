"""The reference model, verb by verb and outcome by outcome, against the sentences of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.checkers.reference_model import (
    ZERO,
    State,
    Stored,
    contents_of,
    describe,
    init,
    lookup,
    put,
    step,
)
from storcert.harness.record.history import Operation, Status

OLD = Stored(5, "old")
SOURCE = Stored(7, "source")
EMPTY = init()
HELD: State = frozenset({("a", OLD), ("s", SOURCE)})


def operation(verb: str, uri: str = "a", status: Status = Status.OK, **more: Any) -> Operation:
    return Operation("p", verb, uri, 0, 1, status, **more)


def with_a(stored: Stored | None) -> State:
    return put(HELD, "a", stored)


class TestState:
    def test_put_and_lookup_are_inverse_and_touch_one_name(self) -> None:
        state = put(put(EMPTY, "a", OLD), "b", SOURCE)
        assert contents_of(state) == {"a": OLD, "b": SOURCE}
        assert contents_of(put(state, "a", SOURCE)) == {"a": SOURCE, "b": SOURCE}
        assert put(put(state, "a", None), "b", None) == EMPTY
        assert lookup(state, "a") == OLD
        assert lookup(state, "ab") is None

    def test_describe_is_sorted_and_says_when_there_is_nothing(self) -> None:
        assert describe(HELD) == "a=old/5, s=source/7"
        assert describe(EMPTY) == "(empty)"


class TestDone:
    """Operations that answered ok."""

    @pytest.mark.parametrize(
        ("one", "state", "after"),
        [
            (operation("create", value=3), EMPTY, {"a": Stored(3, ZERO)}),
            (operation("create", value=5), HELD, {"a": OLD, "s": SOURCE}),
            (operation("create", value=6), HELD, None),
            (operation("write", value=("key", 3)), EMPTY, {"a": Stored(3, "key")}),
            (operation("write", value=("key", 5)), HELD, None),
            (operation("delete"), HELD, {"s": SOURCE}),
            (operation("delete"), EMPTY, {}),
            (operation("read", result=frozenset({OLD, SOURCE})), HELD, {"a": OLD, "s": SOURCE}),
            (operation("read", result=frozenset({SOURCE})), HELD, None),
            (operation("read", result=frozenset({OLD})), EMPTY, None),
            (operation("describe", result=5), HELD, {"a": OLD, "s": SOURCE}),
            (operation("describe", result=4), HELD, None),
            (operation("describe", result=5), EMPTY, None),
            (operation("member", result=True), HELD, {"a": OLD, "s": SOURCE}),
            (operation("member", result=False), HELD, None),
            (operation("member", result=False), EMPTY, {}),
            (operation("member", result=True), EMPTY, None),
            (operation("nothing"), HELD, {"a": OLD, "s": SOURCE}),
        ],
    )
    def test_what_follows(self, one: Operation, state: State, after: dict[str, Stored] | None) -> None:
        following = [contents_of(found) for found in step(state, one)]
        assert following == ([] if after is None else [after])

    def test_a_copy_has_what_was_captured_whatever_the_source_is_now(self) -> None:
        copied = operation("copy", "b", source="s")
        assert [lookup(found, "b") for found in step(HELD, copied, OLD)] == [OLD]
        assert step(put(HELD, "b", OLD), copied, SOURCE) == ()
        assert step(HELD, copied, None) == ()

    def test_an_unknown_verb_is_a_mistake_of_the_kit(self) -> None:
        with pytest.raises(ValueError, match="no verb 'fly'"):
            step(HELD, operation("fly"))


class TestRefused:
    """Operations that answered a typed error with outcome not_done."""

    @pytest.mark.parametrize(
        ("verb", "error", "state", "true"),
        [
            ("create", "ObjectExists", HELD, True),
            ("create", "ObjectExists", EMPTY, False),
            ("write", "ObjectExists", HELD, True),
            ("write", "ObjectExists", EMPTY, False),
            ("copy", "ObjectExists", HELD, True),
            ("copy", "ObjectExists", with_a(None), False),
            ("copy", "ObjectNotFound", put(HELD, "s", None), True),
            ("copy", "ObjectNotFound", with_a(None), False),
            ("read", "ObjectNotFound", EMPTY, True),
            ("read", "ObjectNotFound", HELD, False),
            ("describe", "ObjectNotFound", EMPTY, True),
            ("describe", "ObjectNotFound", HELD, False),
            ("delete", "ObjectNotFound", EMPTY, False),
            ("write", "ObjectNotFound", EMPTY, False),
            ("create", "ObjectNotFound", EMPTY, False),
        ],
    )
    def test_a_refusal_must_be_true(self, verb: str, error: str, state: State, true: bool) -> None:
        value: Any = {"create": 6, "write": ("key", 6)}.get(verb)
        refused = operation(verb, status=Status.FAILED, error=error, value=value, source="s")
        assert step(state, refused) == ((state,) if true else ())

    def test_create_of_the_same_size_is_never_refused_as_existing(self) -> None:
        assert step(HELD, operation("create", status=Status.FAILED, error="ObjectExists", value=5)) == ()

    @pytest.mark.parametrize("error", ["DeviceUnavailable", "ObjectInUse", "CapacityExceeded", "PermissionDenied"])
    @pytest.mark.parametrize("verb", ["create", "write", "copy", "delete", "read", "describe"])
    def test_trouble_of_the_device_changes_nothing(self, verb: str, error: str) -> None:
        value: Any = {"create": 6, "write": ("key", 6)}.get(verb)
        failed = operation(verb, "b", Status.FAILED, error=error, value=value, source="s")
        assert step(HELD, failed) == (HELD,)


class TestUnknown:
    """Operations of which nobody knows whether they happened."""

    @pytest.mark.parametrize(
        ("verb", "value"), [("create", 3), ("write", ("key", 3)), ("copy", None), ("delete", None), ("read", None)]
    )
    def test_as_before_or_as_if_done_and_nothing_else(self, verb: str, value: Any) -> None:
        uri = "a" if verb == "delete" else "b"
        lost = operation(verb, uri, Status.UNKNOWN, value=value, source="s", result=frozenset({OLD}))
        done = operation(verb, uri, Status.OK, value=value, source="s", result=frozenset({OLD}))
        following = step(HELD, lost, SOURCE)
        assert set(following) == {HELD, *step(HELD, done, SOURCE)}
        assert len(following) == len(set(following))

    def test_what_cannot_be_done_leaves_all_as_it_was(self) -> None:
        assert step(HELD, operation("write", status=Status.UNKNOWN, value=("key", 3))) == (HELD,)
        assert step(HELD, operation("create", status=Status.UNKNOWN, value=6)) == (HELD,)
        assert step(HELD, operation("copy", "b", Status.UNKNOWN, source="gone"), None) == (HELD,)
