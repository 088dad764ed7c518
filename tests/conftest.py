"""Hypothesis profiles for all tests: ``dev`` (default), ``ci``, ``deep``; chosen with HYPOTHESIS_PROFILE. And SIGINT."""

from __future__ import annotations

import os
import signal

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
