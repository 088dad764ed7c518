"""A failure's token says all that is needed to run it again, and nothing secret or of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storcert.conformance.program import Program, Step
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.tokens import field, payload, place_token
from storcert.harness.record.run_record import CheckResult
from storcert.harness.record.token import TOKEN_MAX_CHARACTERS, decode_token
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import S3, options

RESULT = CheckResult("C-RETRY/one-fault[write-small throttle]", "C-RETRY", "write-small throttle", Verdict.FAIL)
OUTCOME = CaseOutcome(RESULT, "it is wrong", "throttle before Put #1", example_digest="sha256:" + "ab" * 32)
LONG = Program(
    tuple(("volume", f"{number * 7919}", f"name-{number * number}") for number in range(200)),
    (("host-1", tuple(Step("write", size=number * 104_729 % 65_521) for number in range(300))),),
)


def test_round_trip() -> None:
    asked = options(S3, seed=7, configuration={"prefix": "a/"}, simulator={"versioning": True})
    token, file = place_token(asked, OUTCOME)
    assert file == ""
    said = decode_token(token)
    assert said == payload(asked, OUTCOME)
    assert said["case"] == RESULT.id and said["example"] == OUTCOME.example and said["seed"] == 7
    assert (said["digest"], said["driver"], said["device"]) == ("ab" * 8, S3, "object-store")
    assert (said["configuration"], said["simulator"]) == ({"prefix": "a/"}, {"versioning": True})
    assert said["source"] == asked.driver.digest.removeprefix("sha256:")[:16]


def test_a_program_takes_the_place_of_the_example() -> None:
    program = Program((("volume", "1", "é"),), (("host-1", (Step("read"),)),))
    said = payload(options(), replace(OUTCOME, program=program.to_json()))
    assert Program.from_json(said["program"]) == program
    assert "example" not in said


def test_what_was_not_asked_for_is_not_said() -> None:
    assert {"configuration", "simulator"}.isdisjoint(payload(options(), OUTCOME))


def test_a_long_message_is_cut() -> None:
    assert len(payload(options(), replace(OUTCOME, message="x" * 10_000))["message"]) == 200


def test_a_token_too_long_goes_to_a_file_in_the_output_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "deeper"
    outcome = replace(OUTCOME, program=LONG.to_json())
    token, file = place_token(options(out=folder), outcome)
    assert token == ""
    assert Path(file).parent == folder
    text = Path(file).read_text()
    assert len(text) > TOKEN_MAX_CHARACTERS
    assert decode_token(text) == payload(options(), outcome)
    assert place_token(options(out=folder), outcome) == ("", file)
    assert len(list(folder.iterdir())) == 1


def test_fields_are_looked_at() -> None:
    assert field({"seed": 3}, "seed", int) == 3
    with pytest.raises(KeyError):
        field({}, "seed", int)
    with pytest.raises(TypeError, match="seed is str"):
        field({"seed": "3"}, "seed", int)
