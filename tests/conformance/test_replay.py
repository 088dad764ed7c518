"""From a failing certification to its token, and back: again, bit for bit; and no longer once the driver is mended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storcert.conformance import cli
from storcert.harness.record.token import decode_token, encode_token
from tests.conformance.kit import certify, driver_file

BUG = '''
def describe(self, uri):
    found = super().describe(uri)
    return DataObjectDescription(uri, found.size_bytes + (found.size_bytes > 4096))
'''
SMALL_STAYS = '''
def delete(self, uri):
    try:
        if self.describe(uri).size_bytes < 600:
            return
    except ObjectNotFound:
        pass
    super().delete(uri)
'''
MENDED = "pass"
REPLAY_S = 1.0


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Writes the vendor's file; every process of a vendor starts without the module it had before."""
    before = list(sys.path)

    def write(body: str) -> str:
        sys.modules.pop("vendor_of_replay", None)
        return driver_file(tmp_path, body, "vendor_of_replay")

    yield write
    sys.path[:] = before
    sys.modules.pop("vendor_of_replay", None)


def replayed(capsys: pytest.CaptureFixture[str], argument: str) -> tuple[int, str]:
    code = cli.run(["replay", argument])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize(("body", "rule"), [(BUG, "C-DESCRIBE"), (SMALL_STAYS, "C-DELETE")])
def test_again_and_then_no_more(
    vendor: Callable[[str], str], capsys: pytest.CaptureFixture[str], body: str, rule: str,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    record = certify(vendor(body), rule, seed=5)
    assert record.exit_code() == 1
    generated = [failure for failure in record.failures if "programs-hold" in failure.check]
    directed = [failure for failure in record.failures if failure not in generated]
    failures = [generated[0], *directed[:2]]
    slowest_s = 0.0
    for failure in failures:
        begun_s = time.perf_counter()
        code, text = replayed(capsys, failure.token)
        slowest_s = max(slowest_s, time.perf_counter() - begun_s)
        assert code == 1, text
        assert f"It happened again: {failure.message}" in text
        assert "Every event is as recorded, bit for bit." in text
        for number, step in enumerate(failure.steps, 1):
            assert f"  {number}. {step}\n" in text
        assert "timeline (virtual time)" in text and "has changed" not in text
    record_property("slowest replay, seconds (one is the aim)", round(slowest_s, 3))
    vendor(MENDED)
    for failure in failures:
        code, text = replayed(capsys, failure.token)
        assert (code, "It did not happen again." in text) == (0, True), text
        assert "the driver's source has changed since this was recorded" in text
        assert "bit for bit" not in text


def test_a_failure_that_happens_otherwise_is_not_called_the_same(
    vendor: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    token = certify(vendor(BUG), "C-DESCRIBE").failures[0].token
    vendor(BUG.replace("found = super().describe(uri)", "super().describe(uri)\n    found = super().describe(uri)"))
    code, text = replayed(capsys, token)
    assert code == 1
    assert "The events differ from the recorded ones." in text


def test_a_file_that_is_touched_again(vendor: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    body = "def capabilities(self):\n    os.path.exists('/var/tmp/scratch')\n    return super().capabilities()"
    record = certify(vendor(body), "C-NOFS")
    whole = next(failure for failure in record.failures if failure.check == "C-NOFS/whole-run")
    code, text = replayed(capsys, whole.token)
    assert code == 1
    assert "file system: " in text and "(vendor_of_replay.py:8)" in text
    vendor(MENDED)
    assert replayed(capsys, whole.token)[0] == 0


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    reference = driver_file(tmp_path_factory.mktemp("vendor"), BUG, "vendor_of_tokens")
    return certify(reference, "C-DESCRIBE").failures[0].token


class TestWhatCannotBeReplayed:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"kit": "9.9.9"}, "belongs to another kit: it was made by storcert 9.9.9"),
            ({"requirements": "0" * 16}, "belongs to another kit"),
            ({"case": "C-DESCRIBE/there-is-none"}, "belongs to another driver: C-DESCRIBE/there-is-none does not apply"),
            ({"driver": "/nowhere/driver.py:Driver"}, "/nowhere/driver.py"),
            ({"seed": "five"}, "not one of a certification: seed is str"),
            ({"program": {"names": []}}, "not one of a certification"),
        ],
    )
    def test_of_another_kit_or_driver(
        self, token: str, capsys: pytest.CaptureFixture[str], change: dict[str, object], words: str
    ) -> None:
        code, text = replayed(capsys, encode_token({**decode_token(token), **change}))
        assert code == 4
        assert words in text and text.count("\n") == 1

    @pytest.mark.parametrize("missing", ["kit", "requirements", "driver", "seed", "case", "device", "message"])
    def test_without_a_field(self, token: str, capsys: pytest.CaptureFixture[str], missing: str) -> None:
        said = decode_token(token)
        del said[missing]
        code, text = replayed(capsys, encode_token(said))
        assert (code, "not one of a certification" in text) == (4, True)

    def test_damaged(self, token: str, capsys: pytest.CaptureFixture[str]) -> None:
        head, body, check = token.split(".")
        turned = body[:20] + ("A" if body[20] != "A" else "B") + body[21:]
        for damaged in (f"{head}.{turned}.{check}", f"{head}.{body[:-9]}.{check}", f"{head}.{body}", f"sc9.{body}.{check}"):
            code, text = replayed(capsys, damaged)
            assert code == 4 and text.count("\n") == 1, text
