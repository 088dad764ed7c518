"""A kernel per test, closed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storcert.harness.kernel import Kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel(seed=7, start_ns=0) as kernel:
        yield kernel
