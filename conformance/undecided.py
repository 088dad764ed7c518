"""The record of a run that came to nothing: understood, started, and ended before any check was decided."""

from __future__ import annotations

import platform

from storcert.conformance.options import CertifyOptions
from storcert.conformance.usage import one_line
from storcert.harness.contract import CONTRACT_VERSION
from storcert.harness.record.codec import behaviour, digest_of
from storcert.harness.record.run_record import (
    SCHEMA_VERSION,
    Counts,
    DeviceIdentity,
    DriverIdentity,
    Environment,
    KitIdentity,
    RunRecord,
)
from storcert.harness.record.verdict import RunVerdict


def kit_identity() -> KitIdentity:
    """This kit: its version, the contract it knows, the digest of its checks."""
    import storcert
    import storcert.conformance.requirements  # fills the registry
    from storcert.conformance.registry import requirements_digest

    return KitIdentity(str(storcert.__version__), CONTRACT_VERSION, requirements_digest())


def driver_identity(options: CertifyOptions) -> DriverIdentity:
    """The driver of these options, without folders of this machine."""
    driver = options.driver
    return DriverIdentity(driver.name, driver.version, driver.digest, str(options.to_json()["driver"]))


def undecided_record(
    options: CertifyOptions, verdict: RunVerdict, reason: str, interrupted: bool = False
) -> RunRecord:
    """A record without a single check, saying why."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "kind": "certification",
        "verdict": verdict,
        "kit": kit_identity(),
        "driver": driver_identity(options),
        "device": DeviceIdentity(options.device),
        "profile": str(options.profile),
        "seed": options.seed,
        "capabilities": (),
        "rules": (),
        "counts": Counts(),
        "reason": one_line(reason),
        "options": options.to_json(),
        "interrupted": interrupted,
        "environment": Environment(python=platform.python_version(), platform=platform.platform()),
    }
    return RunRecord(**values, digest=digest_of(behaviour(RunRecord(**values, digest=""))))  # type: ignore[arg-type]
