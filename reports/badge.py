"""A badge: verdict, profile, kit and date as a small SVG. Pure text: whoever shows it needs no service.

Grey where it says nothing any more: an undecided run, or one that is older than it may be.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict
from storcert.reports.summary import headline
from storcert.reports.text import one_line

GREEN, RED, GREY = "#2e7d32", "#c62828", "#757575"
_COLORS = {RunVerdict.CONFORMANT: GREEN, RunVerdict.NOT_CONFORMANT: RED}
_CHARACTER_PX = 6.6
_PADDING_PX = 8


def render(record: RunRecord, *, max_age: timedelta | None = None, now: datetime | None = None) -> str:
    """The badge of a run. Greyed where at ``now`` it is older than ``max_age``, or does not say when it was; without these two
    it does not expire."""
    words = [headline(record).lower(), record.profile, f"kit {record.kit.version}", day(record.environment.started)]
    return drawn(
        f"storcert {record.driver.name}",
        " · ".join(word for word in words if word),
        _COLORS.get(record.verdict, GREY),
        expired=max_age is not None and now is not None and _older(record.environment.started, now - max_age),
    )


def _older(started: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(started) < moment
    except (ValueError, TypeError):  # no time, or one without a zone
        return True


def day(started: str) -> str:
    """The date of a time stamp, or nothing where there is none."""
    try:
        return datetime.fromisoformat(started).date().isoformat()
    except ValueError:
        return ""


def drawn(label: str, message: str, color: str, *, expired: bool = False) -> str:
    """The SVG. ``expired``: grey, and says so."""
    if expired:
        message, color = f"expired: {message}", GREY
    left, right = _xml(one_line(label, 60)), _xml(one_line(message, 90))
    left_px, right_px = _width_px(one_line(label, 60)), _width_px(one_line(message, 90))
    whole_px = left_px + right_px
    style = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole_px}" height="20" role="img" aria-label="{left}: {right}">\n'
        f"  <title>{left}: {right}</title>\n"
        f'  <rect width="{whole_px}" height="20" rx="3" fill="{color}"/>\n'
        f'  <path d="M3 0h{left_px - 3}v20h-{left_px - 3}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z" fill="#444"/>\n'
        f'  <text x="{_PADDING_PX}" y="14" {style}>{left}</text>\n'
        f'  <text x="{left_px + _PADDING_PX}" y="14" {style}>{right}</text>\n'
        "</svg>\n"
    )


def _width_px(text: str) -> int:
    return round(len(text) * _CHARACTER_PX) + 2 * _PADDING_PX


def _xml(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;")
