"""The journal of a process: facts as JSON, a line each, the same facts that a simulation keeps."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any


def tell(journal: Any, at: str, sort: str, value: Mapping[str, Any]) -> None:
    """One line into ``journal``, a text file; nothing where it is ``None``."""
    if journal is not None:
        told = {"time_ns": time.time_ns(), "at": at, "sort": sort, **value}
        print(json.dumps(told, sort_keys=True), file=journal, flush=True)
