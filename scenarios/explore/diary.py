"""What an exploration has done so far, in a file: a line for each trial that ended, one for each finding that was made smaller.
After an interrupt it goes on from there.

The file says what was explored; another exploration refuses it. A line that was being written when the machine died is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from storcert.scenarios.explore.trial import TrialResult

NAME = "exploration.jsonl"
FORMAT = 1


class OtherExploration(Exception):
    """The folder holds another exploration, or something that is none. One line, with what to do."""


class Diary:
    """``head``: what decides every trial, as JSON. ``folder`` ``None``: nothing is kept. ``told``: what of a trial may be
    written, credentials left out. Raises :class:`OtherExploration`."""

    def __init__(
        self, folder: Path | None, head: Mapping[str, Any], told: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self._told = told
        self.done: dict[int, TrialResult] = {}
        self.shrunk: dict[tuple[int, str, str], Mapping[str, Any]] = {}
        self._file: IO[str] | None = None
        if folder is None:
            return
        path = folder / NAME
        try:
            whole_bytes = self._read(path, head) if path.exists() else 0
            self._file = path.open("a", encoding="utf-8")
            if whole_bytes:
                self._file.truncate(whole_bytes)
            else:
                self._file.truncate(0)
                self._write({"storcert": "exploration", "format": FORMAT, "head": dict(head)})
        except OSError as error:
            raise OtherExploration(f"{path}: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def keep(self, number: int, result: TrialResult) -> None:
        """A trial has ended."""
        self._write({"n": number, **self._told(result.to_json())})

    def keep_shrunk(self, number: int, rule: str, key: str, value: Mapping[str, Any]) -> None:
        """What broke first in that trial has been made smaller."""
        self._write({"shrunk": [number, rule, key], **self._told(value)})

    def _write(self, value: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(value, separators=(",", ":"), ensure_ascii=True) + "\n")
            self._file.flush()

    def _read(self, path: Path, head: Mapping[str, Any]) -> int:
        """Take over what is there; how many bytes of the file are whole lines."""
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if not lines:
            return 0
        other = f"{path}: holds another exploration; name another folder for --out, or remove that file"
        try:
            first = json.loads(lines[0])
            if first["storcert"] != "exploration" or first["format"] != FORMAT or first["head"] != dict(head):
                raise OtherExploration(other)
            for line in lines[1:]:
                value = json.loads(line)
                if "shrunk" in value:
                    number, rule, key = value.pop("shrunk")
                    self.shrunk[int(number), rule, key] = value
                    continue
                self.done[int(value["n"])] = TrialResult.from_json(value)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise OtherExploration(f"{other} ({type(error).__name__}: {error})") from None
        return len(whole)
