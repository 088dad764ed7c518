"""Hypothesis profiles for all tests: ``dev`` (default), ``ci``, ``deep``, by HYPOTHESIS_PROFILE. And SIGINT, and garbage."""

from __future__ import annotations

import gc
import itertools
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

# No deadlines: two cores may be shared by many. No database: a failure prints the example that shows it.
settings.register_profile("dev", max_examples=100, deadline=None, database=None, suppress_health_check=_QUIET)
settings.register_profile("ci", max_examples=400, deadline=None, database=None, suppress_health_check=_QUIET)
settings.register_profile("deep", max_examples=3000, deadline=None, database=None, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Jobs in the background of a shell are started with SIGINT ignored, and hand that on to whatever they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_TESTS_PER_COLLECTION = 50
_tests = itertools.count()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    # Thousands of tests and all they import are a million objects. What collects garbage within a test need not walk them; what
    # the tests before it left is looked through now and then.
    if next(_tests) % _TESTS_PER_COLLECTION == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
