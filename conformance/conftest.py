"""A guard: the shipped suites are run by name. Run by path, each module would be imported twice, under two names."""

from __future__ import annotations

import pytest

if not __name__.startswith("storcert."):
    raise pytest.UsageError("run the shipped suites by name: pytest --pyargs storcert.conformance (not by path)")
