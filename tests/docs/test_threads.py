"""The page about threads: its example runs, and the names it lists are those that are simulated."""

from __future__ import annotations

import concurrent.futures
import queue
import re
import threading
from pathlib import Path
from typing import Any

from storcert.conformance.runner import SCHEDULES
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.object_store import ObjectStore

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "threads.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.S)[0], names)
    kernel = Kernel(1)
    store = ObjectStore(kernel, {})
    here = kernel.location("host-1")
    store.attach(here)

    def act() -> list[int]:
        import boto3

        client = boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1")
        sizes: list[int] = names["work"](client, "storcert")
        return sizes

    with installed():
        task = kernel.spawn(act, location=here)
        assert kernel.run_until_done(task)
    kernel.close()
    assert task.error is None and task.result == [12 << 20] * 3
    parts = [request for request in store.requests if request.operation == "UploadPart"]
    assert len(parts) == 3
    assert max(one.time_ns for one in parts) < min(one.ended_ns or 0 for one in parts), "they were sent one after another"
    assert here.findings == []


def test_the_names_exist() -> None:
    listed = PAGE.partition("## What works")[2].partition("boto3's managed")[0]
    for module in (threading, queue, concurrent.futures):
        line = re.search(rf"- `{module.__name__}`: (.*?)\.?\n(?=- )", listed, re.S)
        assert line is not None, module.__name__
        for name in re.findall(r"`([A-Za-z_]+)`", line.group(1)):
            assert hasattr(module, name), f"{module.__name__}.{name}"


def test_the_numbers_are_right() -> None:
    assert SCHEDULES == 6 and "at least six worlds" in PAGE
