"""What botocore makes of an answer whose body never came: the members that stand in its head, and nothing of its document.

Held to botocore itself on a socket (``tests/simulators/object_store/test_head_only.py``). Which requests may be answered so
stands in ``legal_faults``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.simulators.object_store.service_model import service_model

_IN_THE_HEAD = frozenset(("header", "headers", "statusCode"))


def of_the_head(operation: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """``result`` of a whole answer, cut down to what its head says. A document that is one member is there, and empty."""
    shape = service_model().operations[operation].botocore_model.output_shape
    left = {
        name: value for name, value in result.items()
        if name in shape.members and shape.members[name].serialization.get("location") in _IN_THE_HEAD
    }
    payload = shape.serialization.get("payload")
    return left | {payload: {}} if payload is not None else left
