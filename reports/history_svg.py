"""Operations that no order explains, drawn: a lane for each process, a bar for each operation, those that conflict marked.

Text in, text out: one SVG element without a script, to be put into an HTML page or a file. Colours are CSS variables with
defaults that do on light and on dark ground (``--history-conflict``, ``--history-stuck``, ``--history-beside``); text and lines
take the colour of the text around. The axis counts beginnings and ends and is not to scale; a bar's title tells its times.
"""

from __future__ import annotations

from html import escape

from storcert.harness.record.broken_history import BrokenHistory, HistoryLine
from storcert.harness.record.history import Status
from storcert.reports.history_text import axis, conclusion, headline, mark
from storcert.reports.text import one_line

WIDTH = 960
LANE_TEXT, ROW, BAR, LEFT, TOP = 18, 40, 16, 12, 44
_LABEL_CHARACTERS_PX = 6.2
_STYLE = (
    ".h text{font:12px ui-sans-serif,system-ui,sans-serif;fill:currentColor}"
    ".h .small{font-size:11px}"
    ".h .faint{opacity:.65}"
    ".h .lane{stroke:currentColor;stroke-opacity:.25}"
    ".h .beside{fill:var(--history-beside,#8888884d);stroke:currentColor;stroke-opacity:.35}"
    ".h .conflict{fill:var(--history-conflict,#3b82f680);stroke:var(--history-conflict,#3b82f6)}"
    ".h .stuck{fill:var(--history-stuck,#dc262699);stroke:var(--history-stuck,#dc2626);stroke-width:2}"
    ".h .unknown{stroke-dasharray:4 3}"
)


def svg(history: BrokenHistory) -> str:
    """The drawing as one ``<svg>`` element; an empty string where nothing conflicts."""
    if not history.conflicting:
        return ""
    columns = axis(history.lines)
    last = max(end for _, end in columns)
    step = (WIDTH - 2 * LEFT) / (last + 1)
    drawn: list[str] = []
    top = TOP
    for process in sorted({line.process for line in history.lines}):
        rows = _rows([number for number, line in enumerate(history.lines) if line.process == process], history, columns, step)
        drawn.append(_text(LEFT, top + 12, one_line(process, 80), "lane-name", weight=True))
        drawn.append(f'<line class="lane" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{top + LANE_TEXT}" y2="{top + LANE_TEXT}"/>')
        for number, row in rows:
            begin, end = columns[number]
            drawn.append(_operation(history.lines[number], begin, end, step, top + LANE_TEXT + 6 + row * ROW))
        top += LANE_TEXT + 12 + ROW * (max(row for _, row in rows) + 1)
    title, end_text = headline(history), conclusion(history)
    height = top + 22
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="h" role="img" viewBox="0 0 {WIDTH} {height}" width="100%"'
        f' style="max-width:{WIDTH}px" aria-label="{_escaped(title)}"><style>{_STYLE}</style>'
        + _text(LEFT, 20, title, "")
        + "".join(drawn)
        + _text(LEFT, height - 8, end_text, "")
        + "</svg>\n"
    )


def _rows(
    numbers: list[int], history: BrokenHistory, columns: list[tuple[int, int]], step: float
) -> list[tuple[int, int]]:
    """A row of the lane for each operation, so that neither bars nor words lie on one another."""
    ends: list[float] = []
    placed = []
    for number in numbers:
        begin, end = columns[number]
        start = LEFT + begin * step
        until = max(LEFT + (end + 1) * step, _begin_of_words(history.lines[number], start) + _width(history.lines[number]))
        row = next((at for at, taken in enumerate(ends) if taken <= start), len(ends))
        if row == len(ends):
            ends.append(until)
        ends[row] = until + 8
        placed.append((number, row))
    return placed


def _operation(line: HistoryLine, begin: int, end: int, step: float, top: float) -> str:
    kind = "stuck" if line.fits_nowhere else "conflict" if line.conflicting else "beside"
    unknown = " unknown" if line.status is Status.UNKNOWN else ""
    x, width = LEFT + begin * step, max((end - begin) * step, 4.0)
    words = _words(line)
    until = "never answered" if line.end_ns is None else f"{line.end_ns / 10**9:.6f} s"
    told = f"{one_line(line.process)}: {one_line(line.asked)}: {one_line(line.answer)}"
    title = f"{told}; {line.begin_ns / 10**9:.6f} s to {until}"
    return (
        f'<g><title>{_escaped(title)}</title><rect class="{kind}{unknown}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}"'
        f' height="{BAR}" rx="3"/>'
        + _text(_begin_of_words(line, x), top + BAR + 13, words, "small" if line.conflicting else "small faint")
        + "</g>"
    )


def _words(line: HistoryLine) -> str:
    place = f"{mark(line)}  " if line.conflicting else ""
    return f"{place}{one_line(line.asked, 60)}: {one_line(line.answer, 44)}"


def _width(line: HistoryLine) -> float:
    return len(_words(line)) * _LABEL_CHARACTERS_PX


def _begin_of_words(line: HistoryLine, x: float) -> float:
    """Below the bar, moved left where the words would leave the drawing."""
    return max(min(x, WIDTH - LEFT - _width(line)), LEFT)


def _text(x: float, y: float, words: str, kind: str, *, weight: bool = False) -> str:
    bold = ' font-weight="600"' if weight else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named}{bold} x="{x:.1f}" y="{y:.1f}">{_escaped(words)}</text>'


def _escaped(words: str) -> str:
    return escape(words, quote=True)
