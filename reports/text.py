"""Text that is safe to show: no escape sequences, no lone surrogates, no line that never ends."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    """``text`` with control characters, surrogates and direction marks escaped; newlines and tabs stay."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _ESCAPED else _escape(char) for char in text
    )


def one_line(text: str, limit: int = 300) -> str:
    """``text`` printable, on one line, cut at ``limit`` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def count(number: int, singular: str, plural: str = "") -> str:
    """``1 check``, ``2 checks``, ``1,024 examples``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def seconds(value_s: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``."""
    if value_s < 10:
        return f"{value_s:.1f} s"
    whole = round(value_s)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
