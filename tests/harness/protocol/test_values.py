"""Values and errors of the contract go through messages and come back as they were."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    ObjectKind,
    Outcome,
    StorageError,
)
from storcert.harness.contract.errors import ERRORS
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol
from storcert.harness.protocol.failures import carried, error_message, error_of, trailing
from storcert.harness.protocol.values import (
    capabilities_message,
    capabilities_of,
    description_message,
    description_of,
    uri_message,
    uri_of,
)

SEGMENTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=255).filter(
    lambda text: text not in (".", "..")
)
URIS = st.builds(DataObjectUri, st.sampled_from(ObjectKind), SEGMENTS, SEGMENTS)
CLASSES = [cls for name, cls in ERRORS.items() if name != "StorageError"]


@given(URIS, st.integers(0, 2**63 - 1), st.none() | st.just("sha256:00"))
def test_names_and_descriptions(uri: DataObjectUri, size: int, digest: str | None) -> None:
    assert uri_of(pb.DataObjectUri.FromString(uri_message(uri).SerializeToString()), "") == uri
    description = DataObjectDescription(uri, size, digest)
    assert description_of(description_message(description), "") == description


@given(st.sampled_from(CLASSES), URIS | st.none(), st.sampled_from(Outcome), st.booleans(), st.text(max_size=80))
def test_errors_in_a_stream_and_in_metadata(cls: Any, uri: Any, outcome: Any, retryable: bool, message: str) -> None:
    error: StorageError = cls(message, uri, outcome, retryable)
    expected = cls(message.encode("utf-8", "backslashreplace").decode(), uri, outcome, retryable)
    assert error_of(error_message(error), "x") == expected
    assert carried(trailing(error), "x") == expected


def test_every_field_of_the_capabilities_goes_through() -> None:
    """A field that is added to the contract is added to the protocol, or this fails."""
    values: dict[str, Any] = {
        "kinds": frozenset({ObjectKind.ISO}), "max_object_size_bytes": 7, "size_granularity_bytes": 512, "digest": "md5",
        "max_name_bytes": 9,
    }  # fmt: skip
    everything = Capabilities(**{field.name: values.get(field.name, True) for field in fields(Capabilities)})
    for field in fields(Capabilities):
        one = replace(Capabilities(), **{field.name: getattr(everything, field.name)})
        assert capabilities_of(capabilities_message(one)) == one
    assert capabilities_of(capabilities_message(everything)) == everything
    assert capabilities_of(pb.Capabilities()) == Capabilities()


def test_capabilities_without_sense() -> None:
    with pytest.raises(BrokenProtocol, match="kind 9 is not one of ObjectKind"):
        capabilities_of(pb.Capabilities(kinds=[9]))  # type: ignore[list-item]
    with pytest.raises(BrokenProtocol, match="max_name_bytes must be None or a whole number of at least 1"):
        capabilities_of(pb.Capabilities(max_name_bytes=0))


def test_an_error_outside_of_the_contract_has_no_class() -> None:
    with pytest.raises(BrokenProtocol, match="error 0"):
        error_of(error_message(StorageError("bare")), "x")
    found = carried(trailing(KeyError("k")), "x")
    assert isinstance(found, pb.ForeignError) and (found.type, found.message) == ("KeyError", "'k'")


def test_a_long_message_fits_into_metadata() -> None:
    uri = DataObjectUri(ObjectKind.ISO, "\N{SNOWMAN}" * 255, "x")
    key, value = trailing(ERRORS["InvalidRequest"]("\N{SNOWMAN}" * 10_000, uri))[0]
    assert len(key) + len(value) < 6000
