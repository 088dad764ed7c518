"""The conformance kit and the command line: the one place that sees everything.

For tests, it exports :func:`check_driver`, :func:`assert_conformant` and the errors they raise. They are imported when first
used: importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.conformance.checking import NotConformant, assert_conformant, check_driver
    from storcert.conformance.usage import InvalidUsage

__all__ = ["InvalidUsage", "NotConformant", "assert_conformant", "check_driver"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "usage" if name == "InvalidUsage" else "checking"
    return getattr(importlib.import_module(f"storcert.conformance.{module}"), name)
