"""A signed verdict holds, and each way in which it does not has a reason of its own that nothing else gives."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from storcert.conformance import cli, verify_command
from storcert.conformance.age import parse_age
from storcert.conformance.options import Profile
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.verify_command import VerifyOptions
from storcert.harness.record.codec import encode
from storcert.harness.record.run_record import DeviceIdentity, DriverIdentity, KitIdentity, RunRecord
from storcert.harness.record.verification import Answer, Refusal
from storcert.reports import verification_text
from storcert.reports.statement import PREDICATE_TYPE, STATEMENT_TYPE
from tests.conformance.verdict.signing import certified, key_pair, signed, statement_in
from tests.reports import records

NOW = datetime(2026, 12, 1, tzinfo=UTC)


class Desk:
    """A folder with keys, a record and its verdict."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private, self.public = key_pair(folder)
        self.run, self.verdict = folder / "run.json", folder / "verdict.intoto.json"

    def sign(self, record: RunRecord, *more: str) -> Path:
        self.run.write_text(encode(record))
        assert cli.run(["sign", str(self.run), "--key", str(self.private), "--verdict", str(self.verdict), *more]) == 0
        return self.verdict

    def again(self, change: Callable[[Any], None]) -> Path:
        """The verdict with something else in it, truly signed."""
        statement = statement_in(self.verdict)
        change(statement)
        return signed(statement, self.private, self.verdict)

    def verify(self, **options: Any) -> dict[str, tuple[Answer, Refusal | None]]:
        record = options.pop("record", None)
        options = {"keys": (self.public,), **options}
        _, found = verify_command.examine(self.verdict, VerifyOptions(**options), record, options.get("now", NOW))
        assert found.exit_code() == (1 if found.refusals else 0)
        return {one.name: (one.answer, one.reason) for one in found.questions}

    def refusals(self, **options: Any) -> list[Refusal]:
        return [reason for _, reason in self.verify(**options).values() if reason is not None]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_verdict_holds(desk: Desk) -> None:
    record = certified()
    desk.sign(record)
    found = desk.verify(record=record)
    assert {name for name, (answer, _) in found.items() if answer is Answer.OK} == {
        "signature", "counts", "verdict", "depth", "freshness", "driver", "kit", "record"}
    assert found["rerun"] == (Answer.NOT_CHECKED, None)


def test_it_is_an_in_toto_statement_of_a_test_result(desk: Desk) -> None:
    record = certified(records.broken())
    desk.sign(record)
    envelope = json.loads(desk.verdict.read_text())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = statement_in(desk.verdict)
    assert (statement["_type"], statement["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert statement["subject"][0]["digest"]["sha256"] == record.driver.digest.removeprefix("sha256:")
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED"
    assert len(predicate["passedTests"]) == record.counts.passed
    assert len(predicate["failedTests"]) == record.counts.failed
    assert len(predicate["warnedTests"]) == record.counts.unknown + record.counts.error
    bound = {one["name"]: one["digest"]["sha256"] for one in predicate["configuration"]}
    assert bound["storcert"] == record.kit.digest.removeprefix("sha256:")
    assert bound["requirements"] == record.kit.requirements_digest.removeprefix("sha256:")
    assert bound["device"] == record.device.digest.removeprefix("sha256:")
    assert all(len(digest) == 64 for digest in bound.values())


@pytest.mark.parametrize(
    ("name", "result", "refusals"),
    [
        ("conformant", "PASSED", []),
        ("broken", "FAILED", [Refusal.NOT_CONFORMANT, Refusal.NOT_WHOLE]),
        ("undecided", "FAILED", [Refusal.NOT_CONFORMANT]),
        ("kit_error", "FAILED", [Refusal.NOT_CONFORMANT]),
        ("hostile", "FAILED", [Refusal.NOT_CONFORMANT]),
    ],
)
def test_only_a_conformant_run_passes(desk: Desk, name: str, result: str, refusals: list[Refusal]) -> None:
    desk.sign(certified(records.ALL[name]()))
    assert statement_in(desk.verdict)["predicate"]["result"] == result
    assert desk.refusals() == refusals


def test_a_run_that_left_checks_out_is_no_pass(desk: Desk) -> None:
    partly = records.record_of(tuple(check for check in records.broken().checks if str(check.verdict) in ("pass", "disabled")))
    desk.sign(certified(partly))
    assert statement_in(desk.verdict)["predicate"]["result"] == "WARNED"
    assert desk.refusals() == [Refusal.NOT_WHOLE]


def _envelope(desk: Desk, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(desk.verdict.read_text())
    change(value)
    desk.verdict.write_text(json.dumps(value))


def test_a_single_changed_byte_is_noticed(desk: Desk) -> None:
    desk.sign(certified(records.broken()))

    def greener(value: dict[str, Any]) -> None:
        text = base64.b64decode(value["payload"]).replace(b'"FAILED"', b'"PASSED"')
        value["payload"] = base64.b64encode(text).decode()

    _envelope(desk, greener)
    found = desk.verify()
    assert found == {
        "signature": (Answer.FAILED, Refusal.BAD_SIGNATURE), "everything else": (Answer.NOT_CHECKED, None)}
    _envelope(desk, lambda value: value.update(payloadType="text/plain"))
    assert desk.refusals() == [Refusal.BAD_SIGNATURE]


def test_somebody_elses_key_is_told_apart(desk: Desk) -> None:
    desk.sign(certified())
    _, other = key_pair(desk.folder, "other")
    assert desk.refusals(keys=(other,)) == [Refusal.OTHER_KEY]
    assert desk.refusals(keys=(other, desk.public)) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda s: s.update(predicateType="https://example.org/other"), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"].pop("storcert"), Refusal.NOT_A_VERDICT),
        (lambda s: s["subject"][0]["digest"].update(sha256="0" * 64), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"]["configuration"][0]["digest"].update(sha256="0" * 64), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"]["storcert"]["options"].update(seed=9), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"]["storcert"].update(claim_version=2), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"]["storcert"].update(certified="yesterday"), Refusal.NOT_A_VERDICT),
        (lambda s: s["predicate"]["passedTests"].pop(), Refusal.COUNTS_DIFFER),
        (lambda s: s["predicate"]["passedTests"].append("C-READ/x"), Refusal.COUNTS_DIFFER),
        (lambda s: s["predicate"]["failedTests"].append("C-READ/x"), Refusal.COUNTS_DIFFER),
        (lambda s: s["predicate"]["storcert"]["counts"].update(skipped=0), Refusal.COUNTS_DIFFER),
        (lambda s: s["predicate"].update(result="WARNED"), Refusal.COUNTS_DIFFER),
        (lambda s: s["predicate"]["warnedTests"].append("C-READ/x"), Refusal.COUNTS_DIFFER),
    ],
)
def test_a_signed_statement_that_is_not_of_one_mind(desk: Desk, change: Callable[[Any], None], refusal: Refusal) -> None:
    desk.sign(certified())
    desk.again(change)
    assert desk.refusals() == [refusal]


def test_a_statement_that_calls_a_failing_run_conformant(desk: Desk) -> None:
    desk.sign(certified(records.broken()))

    def lie(statement: Any) -> None:
        statement["predicate"]["storcert"]["verdict"] = "conformant"
        statement["predicate"]["result"] = "WARNED"

    desk.again(lie)
    assert desk.refusals() == [Refusal.COUNTS_DIFFER, Refusal.NOT_WHOLE]


def test_signed_text_of_another_type_is_no_verdict(desk: Desk) -> None:
    desk.sign(certified())
    signed(statement_in(desk.verdict), desk.private, desk.verdict, "application/json")
    assert desk.refusals() == [Refusal.NOT_A_VERDICT]


@pytest.mark.parametrize(
    ("now", "max_age", "refusals"),
    [
        (datetime(2026, 11, 1, 9, 55, tzinfo=UTC), None, []),
        (datetime(2026, 11, 1, 9, 40, tzinfo=UTC), None, [Refusal.FROM_THE_FUTURE]),
        (datetime(2026, 11, 11, 9, tzinfo=UTC), timedelta(days=10), []),
        (datetime(2026, 11, 11, 11, tzinfo=UTC), timedelta(days=10), [Refusal.TOO_OLD]),
        (datetime(2026, 12, 1, 9, tzinfo=UTC), None, []),
        (datetime(2026, 12, 1, 11, tzinfo=UTC), None, [Refusal.EXPIRED]),
    ],
)
def test_freshness(desk: Desk, now: datetime, max_age: timedelta | None, refusals: list[Refusal]) -> None:
    desk.sign(certified(), "--valid-days", "30")
    assert desk.refusals(now=now, max_age=max_age) == refusals


def test_another_driver_kit_record_or_profile(desk: Desk) -> None:
    record = certified()
    other = DriverIdentity("s3", record.driver.version, "sha256:" + "0" * 64, "s3")
    desk.sign(replace(record, driver=other))
    assert desk.refusals() == [Refusal.DRIVER_DIFFERS]
    desk.sign(replace(record, driver=replace(other, reference="not-here")))
    assert desk.verify()["driver"] == (Answer.NOT_CHECKED, None)
    assert desk.refusals(driver="fsspec") == [Refusal.DRIVER_DIFFERS]
    with pytest.raises(InvalidUsage, match="no driver 'nope' is installed"):
        desk.refusals(driver="nope")

    kit = record.kit
    desk.sign(replace(record, kit=replace(kit, digest="sha256:" + "0" * 64)))
    assert desk.refusals() == [Refusal.KIT_DIFFERS]
    desk.sign(replace(record, kit=replace(kit, requirements_digest="sha256:" + "0" * 64)))
    assert desk.refusals() == [Refusal.KIT_DIFFERS]
    desk.sign(replace(record, kit=KitIdentity("0.0.1", 1, "sha256:" + "0" * 64, "sha256:" + "1" * 64)))
    assert desk.verify()["kit"] == (Answer.NOT_CHECKED, None)

    desk.sign(record)
    assert desk.refusals(record=replace(record, seed=8)) == [Refusal.RECORD_DIFFERS]
    assert desk.refusals(profile=Profile.DEEP) == [Refusal.LOWER_PROFILE]
    desk.sign(replace(record, profile="core"))
    assert desk.refusals() == [Refusal.LOWER_PROFILE]
    assert desk.refusals(profile=Profile.CORE) == []


def test_every_refusal_is_shown_to_happen() -> None:
    """What is not seen to fail here or in test_rerun may never fail at all."""
    here = Path(__file__)
    text = here.read_text() + (here.parent / "test_rerun.py").read_text()
    assert [one.name for one in Refusal if f"Refusal.{one.name}" not in text] == []


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (records.conformant(), "cannot be signed: the record has no digest of the kit; certify again"),
        (records.scenarios(), "cannot be signed: only a certification has a driver to vouch for; this is a scenario"),
        (certified(environment=replace(certified().environment, started="")), "cannot be signed: the record does not say when"),
        (certified(device=DeviceIdentity("nfs")), "cannot be signed: the record has no digest of the device"),
    ],
)
def test_what_cannot_be_signed(
    desk: Desk, capsys: pytest.CaptureFixture[str], record: RunRecord, words: str
) -> None:
    desk.run.write_text(encode(record))
    arguments = ["sign", str(desk.run), "--key", str(desk.private), "--verdict", str(desk.verdict)]
    assert cli.run(arguments) == 4
    assert capsys.readouterr().err.startswith(f"storcert: {words}")
    assert not desk.verdict.exists()


UNSIGNED = '{"payload": "", "payloadType": "x", "signatures": []}'


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"payload": 1}', UNSIGNED])
def test_a_file_that_is_no_envelope_is_wrong_usage(desk: Desk, capsys: pytest.CaptureFixture[str], text: str) -> None:
    desk.verdict.write_text(text)
    assert cli.run(["verify", str(desk.verdict), "--key", str(desk.public)]) == 4
    assert "not a signed verdict (a DSSE envelope)" in capsys.readouterr().err


def test_keys_that_cannot_be_used_are_told_what_to_do(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.sign(certified())
    sign = ["sign", str(desk.run), "--verdict", str(desk.verdict), "--key"]
    verify = ["verify", str(desk.verdict), "--key"]
    junk = desk.folder / "junk"
    junk.write_text("junk")
    for arguments, words in (
        ([*sign, str(junk)], "not a private key in PEM; `openssl genpkey -algorithm ed25519 -out key.pem` makes one"),
        ([*sign, str(desk.public)], "not a private key in PEM"),
        ([*sign, "/nowhere/key"], "/nowhere/key: cannot be read"),
        ([*verify, str(junk)], "not a public key in PEM"),
        ([*verify, str(desk.private)], "a private key; `openssl pkey -in"),
        (["verify", str(desk.verdict)], "--key: name the public key of whoever signs"),
        ([*verify, str(desk.public), "--max-age", "soon"], "--max-age soon: hours, days or weeks, as in 12h, 90d, 2w"),
        ([*verify, str(desk.public), "--sample-seed", "1"], "--sample-seed and --config go with --rerun"),
        ([*sign, str(desk.private), "--valid-days", "0"], "--valid-days 0: from 1 to 3,650"),
    ):
        assert cli.run(arguments) == 4, words
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1


def test_without_the_extra_it_is_told_what_to_install(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sign(certified())
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "storcert.conformance.signatures", None)
    monkeypatch.delattr("storcert.conformance.signatures", raising=False)
    for arguments in (
        ["verify", str(desk.verdict), "--key", str(desk.public)],
        ["sign", str(desk.run), "--key", str(desk.private), "--verdict", str(desk.verdict)],
        ["certify", "s3", "--sign", str(desk.private), "--verdict", str(desk.verdict)],
    ):
        assert cli.run(arguments) == 4
        assert "signed verdicts need securesystemslib: pip install 'storcert[sign]'" in capsys.readouterr().err


def test_the_command_says_all_of_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.sign(certified(environment=replace(certified().environment, started=datetime.now(UTC).isoformat())))
    out, svg = desk.folder / "v.json", desk.folder / "badge.svg"
    arguments = ["verify", str(desk.verdict), "--key", str(desk.public), "--json", str(out), "--badge", str(svg)]
    capsys.readouterr()
    assert cli.run([*arguments, "--record", str(desk.run)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("VERIFIED\n  s3 ")
    assert "rerun            not checked" in text
    value = json.loads(out.read_text())
    assert (value["verified"], value["refusals"]) == (True, [])
    schema = json.loads(verification_text.SCHEMA_PATH.read_text())
    assert schema == verification_text.json_schema(), "run: python -m storcert.reports.verification_text > the file"
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
    assert not jsonschema.Draft202012Validator(schema).is_valid(value | {"refusals": ["odd"]})
    assert "conformant" in svg.read_text() and "#2e7d32" in svg.read_text()
    assert cli.run([*arguments, "--profile", "deep"]) == 1
    assert capsys.readouterr().out.startswith("NOT VERIFIED: lower-profile\n")
    assert json.loads(out.read_text())["refusals"] == ["lower-profile"]


@pytest.mark.parametrize(
    ("name", "now", "color", "words"),
    [
        ("conformant", NOW, "#2e7d32", "conformant · standard · kit"),
        ("broken", NOW, "#c62828", "not conformant"),
        ("conformant", datetime(2028, 1, 1, tzinfo=UTC), "#757575", "expired: conformant"),
    ],
)
def test_the_badge_of_a_verdict_is_grey_when_it_is_over(
    desk: Desk, name: str, now: datetime, color: str, words: str
) -> None:
    whole = records.ALL[name]()
    kept = tuple(check for check in whole.checks if str(check.verdict) != "disabled")
    desk.sign(certified(records.record_of(kept, whole.failures)))
    svg = desk.folder / "badge.svg"
    verify_command.verify(desk.verdict, VerifyOptions((desk.public,), now=now, badge=svg))
    text = svg.read_text()
    assert f'fill="{color}"' in text
    assert words in text


def test_the_badge_of_what_is_not_verified_is_grey_and_says_nothing_good(desk: Desk) -> None:
    desk.sign(certified())
    _, other = key_pair(desk.folder, "other")
    svg = desk.folder / "badge.svg"
    verify_command.verify(desk.verdict, VerifyOptions((other,), now=NOW, badge=svg))
    assert "not verified" in svg.read_text() and "conformant" not in svg.read_text()


@pytest.mark.parametrize(("text", "hours"), [("12h", 12), ("90d", 2160), ("2w", 336), (None, None)])
def test_ages(text: str | None, hours: int | None) -> None:
    assert parse_age("--max-age", text) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize("text", ["", "0d", "90", "d", "-1d", "9999999d"])
def test_no_ages(text: str) -> None:
    with pytest.raises(InvalidUsage):
        parse_age("--max-age", text)
