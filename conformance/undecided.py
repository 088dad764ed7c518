"""The record of a run that came to nothing: understood, started, and ended before any check was decided."""

from __future__ import annotations

import platform

from storcert.conformance import secrets
from storcert.conformance.devices import is_live
from storcert.conformance.options import CertifyOptions
from storcert.conformance.source_digests import device_digest, kit_digest
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
    from storcert.conformance.frozen import requirements_digest

    return KitIdentity(str(storcert.__version__), CONTRACT_VERSION, requirements_digest(), kit_digest())


def driver_identity(options: CertifyOptions) -> DriverIdentity:
    """The driver of these options, without folders of this machine."""
    driver = options.driver
    return DriverIdentity(driver.name, driver.version, driver.digest, str(options.to_json()["driver"]))


def device_identity(options: CertifyOptions) -> DeviceIdentity:
    """The device of these options."""
    mode = "live" if is_live(options.device) else "simulated"
    told = options.to_json()
    return DeviceIdentity(options.device, mode, device_digest(options.device, told["simulator"], told["configuration"]))


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
        "device": device_identity(options),
        "profile": str(options.profile),
        "seed": options.seed,
        "capabilities": (),
        "rules": (),
        "counts": Counts(),
        "reason": one_line(secrets.scrubbed(reason)),
        "options": options.to_json(),
        "interrupted": interrupted,
        "environment": Environment(python=platform.python_version(), platform=platform.platform()),
    }
    return RunRecord(**values, digest=digest_of(behaviour(RunRecord(**values, digest=""))))  # type: ignore[arg-type]
