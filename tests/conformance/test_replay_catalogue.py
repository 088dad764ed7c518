"""Whatever is in the catalogue can be gone back in: at moments of every scenario everything that stands there can be shown, and
having looked changes nothing."""

from __future__ import annotations

import random

import pytest

from storcert.conformance.replay_places import Course, thing
from storcert.conformance.replay_text import Moment
from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.moment import places_of, wires_of
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, again, visit

FAST = [name for name in paths() if scenario(name).cost == "fast"]
MOMENTS = 4


@pytest.mark.slow
@pytest.mark.parametrize("name", FAST)
def test_every_scenario_of_the_catalogue(name: str) -> None:
    case = Case.of(scenario(name), scenario(name).seeds[0])
    course = Course(again(case))
    draw = random.Random(name)
    wanted = sorted(draw.sample(range(1, course.last), MOMENTS))
    digests: list[str] = []

    def look(region: Region, number: int) -> int:
        moment = Moment(course, region, number, number)
        assert moment.summary().startswith("moment     after event ")
        said = ["waits", "jobs", "objects", *(f"device:{one}" for one in wires_of(region))]
        said += [*(f"location:{one}" for one in places_of(region)), *(f"job:{one}" for one in moment.facts.jobs)]
        said += sorted(moment.facts.objects)
        for one in said:
            assert moment.show(thing(one)) or one in ("jobs", "objects")
        digests.append(region.kernel.digest())
        return next((later for later in wanted if later > number), course.last)

    visit(case, wanted[0], look)
    assert digests[-1] == course.result.digest
    assert len(digests) >= 2
