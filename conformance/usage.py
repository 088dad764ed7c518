"""The one error for "you asked for something that cannot be done": exit code 4, one line, no traceback."""

from __future__ import annotations


class InvalidUsage(Exception):
    """Wrong option, configuration, path or driver reference; or a driver or device that cannot be reached."""


def one_line(text: object, limit: int = 400) -> str:
    """``text`` on one line, cut where it would fill the screen."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
