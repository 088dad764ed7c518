"""A listing of which only a few rows are read says what one says that was read whole."""

from __future__ import annotations

from random import Random

import pytest

from storcert.harness.drivers.sheepdog_vdis import SEAL, Listing

NAMES = ("volume+1+a", "volume+1+a+1", "volume+1+ab", "~0a~1", "~0a~1~doomed", "~0a~2", "template+1+a", "x")


def row(kind: str, name: str, snap_id: int, tag: str) -> bytes:
    return f"{kind} {name} {snap_id} 4096 4194304 0 1700000000 1f 2 {tag} 22\n".encode()


def output(chance: Random, *more: bytes) -> bytes:
    rows = [row("=", name, 0, "") for name in NAMES if chance.random() < 0.7]
    rows += [row("s", name, number, chance.choice((SEAL, "other", f"= {name} 0"))) for number, name in enumerate(NAMES, 1)]
    rows += [row("c", name, 0, "") for name in NAMES if chance.random() < 0.2]
    rows += more
    chance.shuffle(rows)
    return b"".join(rows)


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_both_say_the_same(seed: int, escaped: bool) -> None:
    foreign = b"= foreign\\\n=\\ volume+1+b 0 1 0 0 1700000000 1f 2  22\n"
    text = output(Random(seed), *((foreign,) if escaped else ()))
    few, whole = Listing(text), Listing(text)
    whole.all_working()
    for name in (*NAMES, "volume+1+b", "volume+1", "nobody"):
        assert few.working(name) == whole.working(name)
        assert few.snapshots(name) == whole.snapshots(name)
        assert few.sealed(name) == whole.sealed(name)
        assert few.names(name) == whole.names(name)
        longer = [one for one in NAMES if one.startswith(name)]
        assert few.several(name, longer) == whole.several(name, longer)
    assert sorted(few.all_working()) == sorted(whole.all_working())


def test_a_name_with_a_line_of_its_own_is_no_row() -> None:
    text = b"= foreign\\\n=\\ volume+1+b 0 1 0 0 1700000000 1f 2  22\n" + row("=", "x", 0, "")
    assert Listing(text).working("volume+1+b") is None and Listing(text).working("x") is not None
