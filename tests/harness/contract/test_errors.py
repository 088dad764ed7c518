"""The error tree: as its docstring and the contract's table say, and whole on the other side of a location."""

from __future__ import annotations

import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness import contract
from storcert.harness.contract import DeviceUnavailable, ObjectNotFound, Outcome, StorageError, errors

CLASSES = sorted(errors.ERRORS.values(), key=lambda kind: kind.__name__)
ROW = re.compile(r"[├└]── (?P<name>\w+) +(?P<outcome>not_done|unknown) +(?P<retryable>yes|no) ")


def test_the_docstring_is_the_tree() -> None:
    rows = [match.groupdict() for match in ROW.finditer(errors.__doc__ or "")]
    assert {row["name"] for row in rows} == {kind.__name__ for kind in CLASSES if kind is not StorageError}
    for row in rows:
        kind = errors.ERRORS[row["name"]]
        assert kind.__bases__ == (StorageError,)
        assert (str(kind().outcome), kind().retryable) == (row["outcome"], row["retryable"] == "yes")
        assert kind.__doc__


def test_every_class_of_the_module_is_in_the_tree_and_exported() -> None:
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, StorageError)}
    assert found == set(CLASSES)
    assert all(getattr(contract, kind.__name__) is kind and kind.__name__ in contract.__all__ for kind in found)


@st.composite
def storage_errors(draw: st.DrawFn) -> StorageError:
    return draw(st.sampled_from(CLASSES))(
        draw(st.text()),
        draw(st.none() | st.text()),
        draw(st.none() | st.sampled_from(Outcome)),
        draw(st.none() | st.booleans()),
    )


@given(storage_errors())
def test_errors_survive_args_pickle_and_json(error: StorageError) -> None:
    copies = [
        type(error)(*error.args),
        pickle.loads(pickle.dumps(error)),
        StorageError.from_json(json.loads(json.dumps(error.to_json()))),
        type(error).from_json(error.to_json()),
    ]
    for copy in copies:
        assert type(copy) is type(error)
        assert copy == error and hash(copy) == hash(error)
        assert (copy.message, copy.uri, copy.outcome, copy.retryable) == (
            error.message, error.uri, error.outcome, error.retryable,
        )  # fmt: skip


def test_what_is_no_storage_error_is_refused() -> None:
    for value in ({}, {"error": "ValueError"}, {"error": None}):
        with pytest.raises(ValueError, match="not a storage error"):
            StorageError.from_json(value)
    with pytest.raises(ValueError, match="not a storage error"):
        DeviceUnavailable.from_json(ObjectNotFound("x").to_json())
    with pytest.raises(ValueError, match="maybe"):
        StorageError("x", None, "maybe")


def test_errors_of_different_classes_differ() -> None:
    assert ObjectNotFound("x") != StorageError("x")
    assert ObjectNotFound("x") != ObjectNotFound("x", outcome=Outcome.UNKNOWN)
    assert "/volume/1/a" in str(ObjectNotFound("gone", "/volume/1/a"))
