"""Tasks for tests of pools. Importable by worker processes."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Double:
    """Twice the number, and who found out."""

    number: int

    def do(self, watch: Any) -> tuple[int, int]:
        print("whoever prints, disturbs nothing")
        return 2 * self.number, os.getpid()


@dataclass(frozen=True, slots=True)
class Raises:
    def do(self, watch: Any) -> None:
        raise ValueError("not with me")


@dataclass(frozen=True, slots=True)
class Dies:
    """Kills its process, as often as there are lives in a file; then it is well."""

    file: str

    def do(self, watch: Any) -> str:
        path = Path(self.file)
        lives = int(path.read_text(encoding="utf-8"))
        path.write_text(str(lives - 1), encoding="utf-8")
        if lives > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"


@dataclass(frozen=True, slots=True)
class SearchPath:
    def do(self, watch: Any) -> list[str]:
        return sys.path
