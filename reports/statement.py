"""A certification as an in-toto Statement v1 with the test-result predicate v0.1: what a signed verdict says.

The subject is the driver, by the digest of its source. ``configuration`` binds the verdict to the kit, its requirements, the
device, the options and the run record, each by its digest. The predicate knows three lists of tests; checks without a decision
(``unknown``, ``error``) are ``warnedTests``, and ``result`` is ``PASSED`` only for a whole run that was conformant. What the
predicate has no field for stands under ``storcert`` in it, as its specification allows. :class:`Claim` is all that, read back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storcert.harness.record.codec import digest_of, encode, to_json
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
CLAIM_VERSION = 1
_LISTS: Mapping[Verdict, str] = {
    Verdict.PASS: "passedTests",
    Verdict.FAIL: "failedTests",
    Verdict.UNKNOWN: "warnedTests",
    Verdict.ERROR: "warnedTests",
}
_NAMES = ("pass", "fail", "unknown", "skipped", "disabled", "error")


class NotStatable(ValueError):
    """A run of which no such statement can be made, or text that is no such statement; the message is one line."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a verdict claims. Digests without ``sha256:``. ``tests``: names of checks by the list they stand in; ``checks``:
    verdicts of those in no list of the predicate's and of the warned ones, by name."""

    driver: str
    driver_version: str
    driver_reference: str
    driver_digest: str
    kit_version: str
    kit_digest: str
    requirements_digest: str
    device: str
    device_mode: str
    device_digest: str
    record_digest: str
    verdict: str
    result: str
    profile: str
    seed: int
    run_digest: str
    counts: Mapping[str, int]
    tests: Mapping[str, tuple[str, ...]]
    checks: Mapping[str, str]
    options: Mapping[str, Any]
    certified: datetime
    expires: datetime


def statement(record: RunRecord, valid_days: int) -> dict[str, Any]:
    """The statement, valid for so many days from the moment the run began. Raises :class:`NotStatable`."""
    certified = _statable(record)
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    checks: dict[str, str] = {}
    for check in record.checks:
        name = _LISTS.get(check.verdict)
        if name is not None:
            tests[name].append(check.id)
        if name in (None, "warnedTests"):
            checks[check.id] = str(check.verdict)
    options = dict(record.options)
    claim: dict[str, Any] = {
        "claim_version": CLAIM_VERSION,
        "verdict": str(record.verdict),
        "driver": to_json(record.driver),
        "kit": to_json(record.kit),
        "device": to_json(record.device),
        "profile": record.profile,
        "seed": record.seed,
        "digest": record.digest,
        "counts": to_json(record.counts),
        "checks": checks,
        "capabilities": to_json(record.capabilities),
        "options": options,
        "certified": certified.isoformat(timespec="seconds"),
        "expires": (certified + timedelta(days=valid_days)).isoformat(timespec="seconds"),
    }
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": f"{record.driver.name} {record.driver.version}".strip(), "digest": _digest(record.driver.digest)}
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _result(str(record.verdict), record.counts.disabled),
            "configuration": [
                {"name": "storcert", "digest": _digest(record.kit.digest)},
                {"name": "requirements", "digest": _digest(record.kit.requirements_digest)},
                {"name": "device", "digest": _digest(record.device.digest)},
                {"name": "options", "digest": _digest(digest_of(options))},
                {"name": "run record", "digest": _digest(record_digest(record))},
            ],
            **tests,
            "storcert": claim,
        },
    }


def payload(record: RunRecord, valid_days: int) -> bytes:
    """The bytes to sign: JSON in ASCII, whatever a driver has put into its messages. Raises :class:`NotStatable`."""
    return json.dumps(statement(record, valid_days), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def record_digest(record: RunRecord) -> str:
    """Of the whole record, as it is written."""
    return digest_of(json.loads(encode(record)))


def read_statement(data: bytes) -> Claim:
    """Inverse of :func:`payload`. Raises :class:`NotStatable` for anything that is no statement of ours, or not whole."""
    try:
        value = json.loads(data)
        if value["_type"] != STATEMENT_TYPE or value["predicateType"] != PREDICATE_TYPE:
            raise NotStatable("it is no in-toto statement of a test result")
        predicate = value["predicate"]
        said = predicate["storcert"]
        if said["claim_version"] != CLAIM_VERSION:
            raise NotStatable(f"claim_version {said['claim_version']!r}; this kit reads {CLAIM_VERSION}")
        bound = {one["name"]: one["digest"]["sha256"] for one in predicate["configuration"]}
        subject = value["subject"][0]["digest"]["sha256"]
        claim = Claim(
            driver=_text(said["driver"]["name"]),
            driver_version=_text(said["driver"]["version"]),
            driver_reference=_text(said["driver"]["reference"]),
            driver_digest=_text(subject),
            kit_version=_text(said["kit"]["version"]),
            kit_digest=_text(bound["storcert"]),
            requirements_digest=_text(bound["requirements"]),
            device=_text(said["device"]["name"]),
            device_mode=_text(said["device"]["mode"]),
            device_digest=_text(bound["device"]),
            record_digest=_text(bound["run record"]),
            verdict=_text(said["verdict"]),
            result=_text(predicate["result"]),
            profile=_text(said["profile"]),
            seed=int(said["seed"]),
            run_digest=_text(said["digest"]),
            counts={name: int(said["counts"][name]) for name in _NAMES},
            tests={name: tuple(map(_text, predicate[name])) for name in ("passedTests", "warnedTests", "failedTests")},
            checks={_text(name): _text(verdict) for name, verdict in said["checks"].items()},
            options=dict(said["options"]),
            certified=_moment(said["certified"]),
            expires=_moment(said["expires"]),
        )
        same = (
            (_bare(said["driver"]["digest"]), subject),
            (_bare(said["kit"]["digest"]), claim.kit_digest),
            (_bare(said["kit"]["requirements_digest"]), claim.requirements_digest),
            (_bare(said["device"]["digest"]), claim.device_digest),
            (_bare(digest_of(dict(said["options"]))), bound["options"]),
        )
    except NotStatable:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise NotStatable(f"it is no statement of a verdict: {type(error).__name__}: {error}") from None
    if any(one != other for one, other in same):
        raise NotStatable("its digests are not those of what it describes")
    return claim


def count_mistakes(claim: Claim) -> list[str]:
    """Where the counts, the lists of tests, the verdict and the result do not agree; empty where they do."""
    listed = list(claim.checks.values())
    found = {name: listed.count(name) for name in _NAMES}
    found["pass"], found["fail"] = len(claim.tests["passedTests"]), len(claim.tests["failedTests"])
    mistakes = [
        f"{claim.counts[name]} {name} are said, {found[name]} are listed"
        for name in _NAMES
        if claim.counts[name] != found[name]
    ]
    undecided = {name for name, verdict in claim.checks.items() if verdict in ("unknown", "error")}
    if undecided != set(claim.tests["warnedTests"]):
        mistakes.append("the warned tests are not those without a decision")
    names = [name for tests in (*claim.tests.values(), [*set(claim.checks) - undecided]) for name in tests]
    if len(names) != len(set(names)):
        mistakes.append("a test stands in two lists")
    if claim.result != _result(claim.verdict, found["disabled"]):
        mistakes.append(f"the result is {claim.result}, the verdict {claim.verdict}")
    if claim.verdict == RunVerdict.CONFORMANT and (found["fail"] or found["unknown"] or found["error"] or not found["pass"]):
        mistakes.append("the verdict is conformant, and not every decided check passes")
    return mistakes


def _statable(record: RunRecord) -> datetime:
    """When the run began. Raises :class:`NotStatable` where something is missing that a verdict is bound to."""
    if record.kind != "certification":
        raise NotStatable(f"only a certification has a driver to vouch for; this is a {record.kind}")
    for what, digest in (
        ("driver", record.driver.digest), ("kit", record.kit.digest), ("requirements", record.kit.requirements_digest),
        ("device", record.device.digest),
    ):  # fmt: skip
        if not digest.startswith("sha256:"):
            raise NotStatable(f"the record has no digest of the {what}; certify again with this version of storcert")
    try:
        return _moment(record.environment.started)
    except ValueError:
        raise NotStatable("the record does not say when the run began") from None


def _result(verdict: str, disabled: int) -> str:
    """``WARNED``: all that ran passes, and not all ran. A run that decided nothing is never let through as a warning."""
    if verdict != RunVerdict.CONFORMANT:
        return "FAILED"
    return "WARNED" if disabled else "PASSED"


def _digest(text: str) -> dict[str, str]:
    return {"sha256": _bare(text)}


def _bare(text: str) -> str:
    return text.removeprefix("sha256:")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    return value


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return found
