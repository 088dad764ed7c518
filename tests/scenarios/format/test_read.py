"""What is wrong in a scenario file is told with its line, and with what could be written instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.scenarios.format.read import ScenarioError, loads, read_file
from tests.scenarios.format.files import EVERYTHING, SMALL

#: What is replaced in SMALL, by what, and what is said of it.
WRONG = {
    "clock-both": (
        'step = [', 'step = [{ do = "clock", place = "ms-1", ahead = "1 s", behind = "1 s" },',
        "step 1: a clock is ahead or behind, by more than nothing; say one of them"),
    "clock-neither": ('step = [', 'step = [{ do = "clock", place = "ms-1" },', "step 1: a clock is ahead or behind"),
    "unknown-key": ("hosts = 2", "host = 2", "f.toml:2: zone 1 has no key 'host', did you mean 'hosts'?"),
    "unknown-table": ("web = [{", "wbe = [{", "f.toml:8: a scenario has no key 'wbe', did you mean 'web'?"),
    "name": ("title = ", 'name = "../x"\ntitle = ', "f.toml:1: name string should match pattern"),
    "missing": ('size = "64 KiB", ', "", "f.toml:10: prepare 1 needs 'size', as in \"10 GiB\""),
    "no-title": ('title = "A volume is moved"\n', "", "f.toml:1: a scenario needs 'title'"),
    "no-size": ('"64 KiB"', '"64 KB"', "f.toml:10: prepare 1, size: '64 KB' is not a size; write a number with one of B, KiB"),
    "no-duration": ('"3 ms"', '"3"', "f.toml:14: step 2, delay: '3' is not a duration; write a number with one of ns, us"),
    "wrong-type": ("hosts = 2", 'hosts = "2"', 'f.toml:2: zone 1, hosts must be a valid integer, not "2"'),
    "truth": ("background = true", "background = 1", "f.toml:13: step 1, background must be a valid boolean, not 1"),
    "word": ('"nfs"', '"nsf"', "f.toml:5: device 2, kind is \"nsf\", did you mean 'nfs'?"),
    "step": ('"migrate"', '"migrat"', "f.toml:13: step 1 cannot do 'migrat', did you mean 'migrate'?"),
    "no-step": ('do = "crash", ', "", 'f.toml:14: step 2 does not say what is done; write do = "attach" or'),
    "date": ('"3 ms"', "2024-01-01", "f.toml:14: step 2, delay is a date or time; write it as text"),
    "object": ('"volume/a", size', '"template/a", size', "f.toml:10: prepare 1, object: 'template/a' is no volume; write it"),
    "no-object": ('"volume/a", size', '"a", size', "f.toml:10: prepare 1, object: 'a' names no object"),
    "device": ('"old" },\n]', '"odl" },\n]', "f.toml:10: prepare 1, device: there is no device 'odl', did you mean 'old'?"),
    "place": ('"z1-ssvm1"', '"z1-svm1"', "f.toml:14: step 2, place: there is no location 'z1-svm1', did you mean 'z1-ssvm1'?"),
    "two-devices": ('"new", kind', '"old", kind', "f.toml:6: device 3: there are two of that name: 'old'"),
    "taken-name": ('"new", kind', '"catalogue", kind', "f.toml:6: device 3: 'catalogue' is something else's name already"),
    "toml": ('"nfs" }', '"nfs"', "f.toml:5: not valid TOML:"),
    "scope": ('"nfs" }', '"nfs", scope = "host" }', "f.toml:5: device 2 needs scope_id, its host; there are z1-h1, z1-h2"),
    "circle": ('delay = "3 ms"', 'name = "c", after = "c"', "f.toml:14: step 2 waits for itself"),
    "link": (
        "step = [", 'step = [\n  { do = "download", link = "l" },',
        "f.toml:13: step 1, link: there is no step that makes a link 'l'",
    ),
    "class": ("web =", 'class = "negative"\nweb =', "f.toml:8: class negative needs a defect on which a rule breaks"),
    "both": ('device = "old" },\n]', 'device = "old", zone = "z1" },\n]', "f.toml:10: prepare 1 says both device and zone"),
    "fault": (
        "step = [", 'fault = [{ place = "old", fault = "expired_credentials" }]\nstep = [',
        "f.toml:12: fault 1: 'expired_credentials' is no legal fault of nfs; legal: answer_lost",
    ),
    "phase": (
        "step = [", 'fault = [{ place = "old", fault = "full", phase = "after" }]\nstep = [',
        "f.toml:12: fault 1: 'full' cannot strike in phase 'after'; legal: before",
    ),
    "option": ('"nfs" }', '"nfs", simulator = { colour = 1 } }', "f.toml:5: device 2, simulator: "),
    "endless": (
        "step = [", 'workload = [{ name = "w", mix = { create = 1 } }]\nstep = [',
        "f.toml:12: workload 1 would never be over",
    ),
    "mix": ("step = [", 'workload = [{ name = "w", count = 1, mix = { crate = 1 } }]\nstep = [', "did you mean 'create'?"),
    "nemesis": (
        "step = [", 'nemesis = [{ name = "n", every = "1 s", means = [{ do = "crash", place = "z1-h1" }] }]\nstep = [',
        "f.toml:12: nemesis 1 has no time: say phases",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_line(case: str) -> None:
    old, new, said = WRONG[case]
    assert SMALL.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        loads(SMALL.replace(old, new, 1), "f.toml")
    assert said in str(caught.value)


def test_all_that_is_wrong_is_told() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(SMALL.replace("hosts = 2", "host = 2").replace('"migrate"', '"migrat"'), "f.toml")
    assert len(caught.value.more) == 1


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "moved.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert read_file(path).name == "moved"
    odd = tmp_path / "my first (1).toml"
    odd.write_text(SMALL, encoding="utf-8")
    assert read_file(odd).name == "my-first-1"
    path.write_text(f'name = "other"\n{SMALL}', encoding="utf-8")
    assert read_file(path).name == "other"


@pytest.mark.parametrize("data", [b"\xff", None, b"x" * (5 << 20)])
def test_a_file_that_cannot_be_read(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "f.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ScenarioError, match=r"f\.toml: "):
        read_file(path)


def test_scenarios_are_values() -> None:
    one = loads(EVERYTHING)
    assert one == loads(EVERYTHING) and one.digest() == loads(EVERYTHING).digest()
    with pytest.raises(Exception, match="frozen"):
        one.title = "other"  # type: ignore[misc]
    assert one.digest() == loads(EVERYTHING.replace("A volume is moved", "Another title")).digest()
    assert one.digest() != loads(EVERYTHING.replace('"64 KiB"', '"65 KiB"', 1)).digest()
