"""The same counts in every format: the record is the one source, and no format forgets a check."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from storcert.harness.record.codec import encode
from storcert.harness.record.verdict import Verdict
from storcert.reports import github, junit, terminal
from tests.reports import records

NAMES = [str(verdict) for verdict in Verdict]


def _from_words(text: str) -> dict[str, int]:
    line = next(line for line in text.splitlines() if re.match(r"[\d,]+ checks?: ", line))
    found = {word: int(number.replace(",", "")) for number, word in re.findall(r"([\d,]+) ([a-z]+)", line)}
    return {name: found.get(name, 0) for name in NAMES}


def _from_junit(text: str) -> dict[str, int]:
    counts = dict.fromkeys(NAMES, 0)
    for item in ElementTree.fromstring(text).iter("property"):
        kind, _, name = (item.get("name") or "").partition(".")
        if kind == "count":
            counts[name] += int(item.get("value") or "")
    return counts


@pytest.mark.parametrize("name", records.ALL)
def test_counts_are_equal_everywhere(name: str) -> None:
    record = records.ALL[name]()
    truth = {str(verdict): sum(check.verdict is verdict for check in record.checks) for verdict in Verdict}
    written = json.loads(encode(record))["counts"]
    assert {key: written[key] for key in NAMES} == truth
    assert _from_words(terminal.render(record)) == truth
    assert _from_words(github.step_summary(record)) == truth
    assert _from_junit(junit.render(record)) == truth
