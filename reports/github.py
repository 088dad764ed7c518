"""GitHub: annotations on the lines concerned, and the step summary. Both are capped; the record has everything."""

from __future__ import annotations

from storcert.harness.record.run_record import CheckFailure, RunRecord
from storcert.harness.record.verdict import RunVerdict
from storcert.reports.failure_text import failure_lines
from storcert.reports.repository_place import repository_place
from storcert.reports.summary import count_words, depth_words, headline, not_scored_words, reason, subject
from storcert.reports.text import count, one_line, printable

#: GitHub shows ten error annotations per step and drops the rest without a word.
ANNOTATIONS_MAX = 10
#: GitHub refuses a step summary over 1 MiB; a page nobody reads to the end is too long much earlier.
SUMMARY_MAX_CHARACTERS = 60_000


def error_commands(record: RunRecord, source_root: str = "") -> str:
    """Workflow commands, one per line: errors for failures, then one for what is not shown. Empty if all is well.

    ``source_root``: see :mod:`storcert.reports.repository_place`."""
    lines = [
        _command(record, failure, f"{failure.check}: {failure.message}", source_root)
        for failure in record.failures[: ANNOTATIONS_MAX + 1]
    ]
    if len(lines) > ANNOTATIONS_MAX:
        hidden = len(record.failures) - (ANNOTATIONS_MAX - 1)
        lines = lines[: ANNOTATIONS_MAX - 1]
        more = f"and {count(hidden, 'more failure')}, see the run record"
        lines.append(f"::error title=storcert::{_data(more)}")
    if not lines and record.verdict is not RunVerdict.CONFORMANT:
        lines.append(f"::error title=storcert::{_data(f'{headline(record)}: {reason(record)}')}")
    return "".join(line + "\n" for line in lines)


def step_summary(record: RunRecord) -> str:
    """Markdown: verdict, reason, table of rules, failures with their commands."""
    lines = [
        f"### {headline(record)}: {markdown(subject(record))}",
        "",
        markdown(reason(record)),
        "",
        "| rule | verdict | checks | examples |",
        "|---|---|---:|---:|",
        *(f"| {markdown(rule.id)} | {rule.verdict} | {rule.checks} | {rule.examples} |" for rule in record.rules),
        "",
        f"{count(record.counts.total, 'check')}: {count_words(record.counts)}.",
        "",
    ]
    if record.depth is not None:
        lines += [f"{depth_words(record.depth)}.", ""]
    if record.not_scored is not None:
        lines += [f"{not_scored_words(record.not_scored, record.kit.contract)}.", ""]
    length = sum(len(line) + 1 for line in lines)
    for index, failure in enumerate(record.failures):
        block = _failure(record, failure)
        length += sum(len(line) + 1 for line in block)
        if length > SUMMARY_MAX_CHARACTERS:
            lines += [f"And {count(len(record.failures) - index, 'more failure')}; the run record has all.", ""]
            break
        lines += block
    return "\n".join(lines)


def _failure(record: RunRecord, failure: CheckFailure) -> list[str]:
    rule = next((rule.id for rule in record.rules if failure in rule.failures), "")
    text = "\n".join(printable(line) for line in failure_lines(failure, rule))
    fence = "`" * max(3, _longest_run(text) + 1)
    title = markdown(failure.check)
    return [f"<details><summary>{title}</summary>", "", fence, text, fence, "", "</details>", ""]


def _longest_run(text: str) -> int:
    longest = current = 0
    for char in text:
        current = current + 1 if char == "`" else 0
        longest = max(longest, current)
    return longest


def annotation(level: str, title: str, message: str, file: str = "", line: int = 0) -> str:
    """A workflow command: ``level`` is ``error``, ``warning`` or ``notice``; ``file``: relative to the repository, or empty."""
    where = f"file={_property(file)},{f'line={line},' if line else ''}" if file else ""
    return f"::{level} {where}title={_property(one_line(title, 100))}::{_data(one_line(message, 900))}"


def _command(record: RunRecord, failure: CheckFailure, message: str, source_root: str) -> str:
    place = repository_place(failure, record.driver, source_root)
    where = (place.file, place.line) if place.exact else ("", 0)
    return annotation("error", failure.check, message, *where)


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    """``text`` on one line, as it is safe in a cell of a table."""
    escaped = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("|", "\\|").replace("`", "\\`")
