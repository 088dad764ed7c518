"""Lines of the program under test that a run reaches: told where Python can, the same for the same run whatever ran before."""

from __future__ import annotations

import pytest

from storcert.scenarios.explore.lines import LineWatch, can_watch, merged
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import RunTrial
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.pool.pool import OwnProcess
from storcert.scenarios.pool.session import Setup
from tests.scenarios.explore.two_faults import SCENARIO
from tests.scenarios.explore.worlds import SMALL

watching = pytest.mark.skipif(not can_watch(), reason="sys.monitoring comes with Python 3.12")


def test_lines_are_merged_and_new_ones_counted() -> None:
    seen: dict[str, int] = {}
    assert merged(seen, [("a", 0b101), ("b", 0b1)]) == 3
    assert merged(seen, [("a", 0b111)]) == 1 and merged(seen, [("a", 0b11)]) == 0
    assert seen == {"a": 0b111, "b": 0b1}


@pytest.mark.skipif(can_watch(), reason="what happens where it cannot")
def test_without_monitoring_nothing_is_seen_and_nothing_breaks() -> None:
    with LineWatch() as watch:
        watch.begin({})
        assert watch.take() == ()


@watching
def test_lines_of_control_plane_and_drivers_are_seen() -> None:
    pool = OwnProcess(Setup(guided=True))
    small, large = (RunTrial(Trial(loosened(scenario), 1)) for scenario in (SMALL, SCENARIO))
    first = pool.submit(small).result()
    files = dict(first.lines)
    assert {"logical/making.py", "logical/removing.py", "drivers/nfs.py"} <= set(files) and "drivers/rbd.py" not in files
    assert all(name.startswith(("logical/", "drivers/")) for name in files)
    more = pool.submit(large).result()
    assert merged(dict(first.lines), more.lines) > 100 and "drivers/rbd.py" in dict(more.lines)
    assert pool.submit(small).result() == first
    pool.close()
    pool = OwnProcess(Setup())
    assert pool.submit(small).result().lines == ()
    pool.close()
