"""Progress never touches standard output, is plain where there is no terminal, and ends whatever the run raises."""

from __future__ import annotations

from io import StringIO

import pytest

from storcert.conformance.progress import BarProgress, PlainProgress, Shown


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_name_each_failing_rule_once() -> None:
    stream = StringIO()
    progress = PlainProgress(stream)
    progress.started(3)
    for verdict in ("pass", "fail", "fail"):
        progress.advanced("C-READ", verdict)
    progress.finished()
    assert stream.getvalue() == "storcert: 3 cases\nstorcert: C-READ fails\n"


def test_plain_lines_come_now_and_then() -> None:
    stream = StringIO()
    progress = PlainProgress(stream, interval_s=0.0)
    progress.started(10)
    progress.advanced("C-READ", "pass", 4)
    assert stream.getvalue().splitlines()[-1] == "storcert: 4 of 10 cases, 0 failed"


def test_a_closed_stream_does_not_stop_the_run() -> None:
    stream = StringIO()
    stream.close()
    PlainProgress(stream).started(1)


def test_a_terminal_gets_a_bar_and_anything_else_lines() -> None:
    assert isinstance(Shown.on(_Terminal()).__enter__(), BarProgress)
    assert isinstance(Shown.on(StringIO()).__enter__(), PlainProgress)


def test_the_bar_is_gone_after_an_error() -> None:
    stream = _Terminal()
    with pytest.raises(LookupError), Shown(BarProgress(stream)) as progress:
        progress.started(5)
        progress.advanced("C-READ", "fail")
        raise LookupError
    assert stream.getvalue()
