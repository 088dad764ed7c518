"""What ``dog`` says: every row of the table measured on a real cluster, exit status and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import NotModelled

Make = Callable[..., Any]
OBJECT = 1 << 22


@pytest.fixture
def farm(farm: Any) -> Any:
    """``a`` of 8 MiB with its snapshot ``t``."""
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.ok("vdi snapshot -s t a")
    return farm


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("vdi create a 1M", 1, "Failed to create VDI a: VDI exists already\n"),
        ("vdi create b", 64, "Please specify the VDI size\n"),
        ("vdi create b 5T", 64, "VDI size is larger than 4.0 TB bytes, please use '-y'"),
        ("vdi create b 5x", 64, "Invalid size '5x'\n"),
        ("vdi delete b", 0, "Failed to open VDI b (snapshot id: 0 snapshot tag: ): No VDI found\n"),
        ("vdi delete -s u a", 0, "Failed to open VDI a (snapshot id: 0 snapshot tag: u): Failed to find requested tag\n"),
        ("vdi delete -s 9 b", 0, "Failed to open VDI b (snapshot id: 9 snapshot tag: ): No VDI found\n"),
        ("vdi snapshot -s t a", 1, "Failed to create snapshot for a, maybe snapshot id (0) or tag (t) is existed\n"),
        ("vdi snapshot -s 7 a", 64, "Please specify a non-integer value for a snapshot tag name\n"),
        ("vdi snapshot -s u b", 1, "Failed to create snapshot for b: No VDI found\n"),
        ("vdi clone a c", 64, "Only snapshot VDIs can be cloned\nPlease specify the '-s' option\n"),
        ("vdi clone -s u a c", 1, "Failed to open VDI a (snapshot id: 0 snapshot tag: u): Failed to find requested tag\n"),
        ("vdi clone -s t a a", 1, "Failed to create VDI a: VDI exists already\n"),
        ("vdi clone -s t a", 64, "Destination VDI name must be specified\n"),
        ("vdi resize a 1M", 64, "Shrinking VDIs is not implemented\n"),
        ("vdi resize b 1M", 1, "Failed to open VDI b (snapshot id: 0 snapshot tag: ): No VDI found\n"),
        ("vdi rollback a", 64, "Please specify the '-s' option\n"),
        ("vdi rollback -s u a", 1, "Failed to open VDI a (snapshot id: 0 snapshot tag: u): Failed to find requested tag\n"),
        ("vdi read b", 1, "Failed to open VDI b (snapshot id: 0 snapshot tag: ): No VDI found\n"),
        ("vdi read a 9M", 1, "Read offset is beyond the end of the VDI\n"),
        ("vdi write a 9M", 1, "Write offset is beyond the end of the VDI\n"),
        ("vdi getattr a k", 5, "Attribute 'k' not found\n"),
        ("vdi getattr b k", 5, "VDI not found\n"),
        ("vdi setattr b k v", 5, "VDI not found\n"),
        ("vdi setattr -d a k", 5, "Attribute 'k' not found\n"),
        ("vdi setattr a", 64, "Please specify the attribute key\n"),
        ("vdi object map b", 1, "FATAL: b not found\n"),
        ("vdi check b", 1, "FATAL: no inode objects\n"),
        ("vdi lock unlock a", 1, "is not locked\n"),
        ("vdi lock unlock b", 1, "Failed to find VDI b: No VDI found\n"),
        ("vdi read -s 0 a", 1, "The snapshot id must be larger than zero\n"),
        ("vdi list -q", 64, "invalid option -- 'q'"),
        ("vdi list --nothing", 64, "unrecognized option '--nothing'"),
        ("vdi read -s", 64, "option requires an argument -- 's'"),
        ("vdi frobnicate a", 64, "Invalid command 'vdi frobnicate'\n"),
        ("frobnicate a", 64, "Invalid command 'frobnicate'\n"),
        ("vdi list -p 0", 64, "Invalid port number '0'\n"),
        ("vdi list -a nowhere", 1, "Invalid ip address nowhere\n"),
    ],
)
def test_refused(farm: Any, line: str, status: int, says: str) -> None:
    found, complaints = farm.refused(line)
    assert found == status
    assert says in complaints


@pytest.mark.parametrize("line", ["vdi create", "vdi delete", "vdi read", "vdi lock"])
def test_an_argument_that_must_be_there(farm: Any, line: str) -> None:
    status, output, _ = farm.dog(line)
    assert (status, output[:10]) == (64, b"Usage: dog")


@pytest.mark.parametrize(
    "line",
    [
        "vdi tree", "vdi backup a", "vdi create -P b 1M", "vdi alter-copy a", "node kill 1", "upgrade x y", "cluster shutdown",
        "vdi object location a", "vdi list -h", "cluster format -R",
    ],
)
def test_what_is_not_modelled_is_the_kits_error(farm: Any, line: str) -> None:
    with pytest.raises(NotModelled):
        farm.dog(line)
    assert [one.kind for one in farm.here.findings] == ["not-modelled"]


def test_names_that_are_taken_as_they_are(farm: Any) -> None:
    for name in ("", "123", "a b", "\\"):
        farm.ok("vdi create", name, "0")
        farm.ok("vdi delete", name)
    farm.ok("vdi create odd 1000")
    assert ["=", "odd", "0", "1000", "0", "0"] in [row[:6] for row in farm.rows()]


def test_a_name_is_cut_without_a_word_so_two_long_ones_are_one(farm: Any) -> None:
    farm.ok("vdi create", "x" * 255, "1M")
    status, complaints = farm.refused("vdi create", "x" * 255 + "other", "1M")
    assert (status, "exists already" in complaints) == (1, True)
    assert farm.ok("vdi read", "x" * 300, "0", "1") == b"\0"


def test_a_vdi_is_deleted_twice_and_the_second_time_ends_0_too(farm: Any) -> None:
    farm.ok("vdi delete a")
    assert farm.refused("vdi delete a") == (
        0, "Failed to open VDI a (snapshot id: 0 snapshot tag: ): No VDI found\n")


def test_a_tag_left_by_an_earlier_generation_is_still_taken(farm: Any) -> None:
    farm.ok("vdi delete a")
    farm.ok("vdi create a 8M")
    status, complaints = farm.refused("vdi snapshot -s t a")
    assert (status, "tag (t) is existed" in complaints) == (1, True)


def test_a_snapshot_with_clones_and_their_parent_can_go(farm: Any) -> None:
    farm.ok("vdi clone -s t a c")
    farm.ok("vdi delete -s t a")
    farm.ok("vdi delete a")
    assert farm.ok("vdi read c 0 5") == b"first"
    assert farm.data_objects == 1
    farm.ok("vdi delete c")
    assert farm.data_objects == 0


def test_rollback_makes_a_new_working_vdi_from_the_snapshot(farm: Any) -> None:
    farm.ok("vdi write a", data=b"later")
    before = farm.rows()[-1][6]
    assert farm.dog("vdi rollback -s t a", data=b"no\n")[0] == 0
    assert farm.ok("vdi read a 0 5") == b"later"
    status, output, _ = farm.dog("vdi rollback -s t a", data=b"yes\n")
    assert (status, b"Continue? [yes/no]" in output) == (0, True)
    farm.ok("vdi rollback -f -s t a")
    assert farm.ok("vdi read a 0 5") == b"first"
    assert farm.rows()[-1][6] != before


def test_writing_and_reading_past_the_end_does_what_fits(farm: Any) -> None:
    farm.ok("vdi create w 10")
    farm.ok("vdi write w 4 100", data=b"0123456789")
    assert farm.ok("vdi read w") == b"\0\0\0\0" + b"012345"
    assert farm.ok("vdi read w 10 5") == b""
    assert farm.ok("vdi read w 8 50") == b"45"
    farm.ok("vdi write w 0 4", data=b"x")  # too little: the buffer goes as it is, filled up with zeros
    assert farm.ok("vdi read w") == b"x\0\0\0" + b"012345"
    assert farm.ok("vdi read w 3 0") == b""


def test_attributes(farm: Any) -> None:
    farm.ok("vdi setattr -x a colour red")
    status, complaints = farm.refused("vdi setattr -x a colour blue")
    assert (status, complaints) == (3, "The attribute 'colour' already exists\n")
    assert farm.ok("vdi getattr a colour") == b"red"
    farm.ok("vdi setattr a colour", data=b"green")
    assert farm.ok("vdi getattr a colour") == b"green"
    farm.ok("vdi delete a")
    farm.ok("vdi create a 1M")
    assert farm.ok("vdi getattr a colour") == b"green"  # it hangs on the name
    farm.ok("vdi setattr -d a colour")
    assert farm.refused("vdi getattr a colour")[0] == 5


@pytest.mark.parametrize("line", ["vdi create b 1M", "vdi list -r"])
def test_a_cluster_that_was_not_formatted(make_farm: Make, line: str) -> None:
    farm = make_farm(formatted=False)
    status, complaints = farm.refused(line)
    assert "Waiting for cluster to be formatted\n" in complaints
    assert status == (1 if "create" in line else 0)  # a listing that lists nothing ends 0
    assert farm.ok("cluster info -r").startswith(b"Waiting for cluster to be formatted\n")
    assert farm.ok("cluster format -c 2") == b"using backend plain store\n"
    farm.ok("vdi create b 1M")


@pytest.mark.parametrize(
    ("line", "status"), [("vdi create b 1M", 2), ("vdi list -r", 2), ("vdi read a", 1), ("vdi delete a", 0)])
def test_no_sheep_there(farm: Any, line: str, status: int) -> None:
    for where in ("-p 7009", "-a 10.0.0.9"):
        found, complaints = farm.refused(f"{line} {where}")
        assert (found, "failed to connect to " in complaints) == (status, True)
    farm.arm(Fault("server_restart", "*", 1, Phase.BEFORE, 1, 10**9))
    assert farm.refused(line)[0] == status
    assert "failed to connect to 127.0.0.1:7000: Connection refused\n" in farm.refused(line)[1]


def test_nodes_missing_after_a_stop(farm: Any) -> None:
    farm.arm(Fault("waiting", "NEW_VDI"))
    status, complaints = farm.refused("vdi create b 1M")
    assert (status, complaints) == (1, "Failed to create VDI b: Waiting for other nodes to join cluster\n")
    assert farm.dog("vdi list -r") == (0, b"", b"Waiting for other nodes to join cluster\n")
    farm.cluster.heal()
    farm.ok("vdi create b 1M")


def test_strict_with_too_few_nodes(make_farm: Make) -> None:
    farm = make_farm(strict=True, copies=3)
    farm.ok("vdi create a 8M")
    farm.ok("vdi write a", data=b"first")
    farm.arm(Fault("node_loss", "*"))
    status, complaints = farm.refused("vdi write a", data=b"later")
    assert (status, complaints.count("IO has halted as there are not enough living nodes\n")) == (1, 1)
    assert farm.refused("vdi create b 1M") == (1, "Failed to create VDI b: Failed to write to requested VDI\n")
    assert farm.ok("vdi read a 0 5") == b"first"
    assert farm.ok("cluster info -r").splitlines()[2].count(b"127.0.0.1") == 2
    farm.cluster.heal()
    farm.ok("vdi write a", data=b"later")


def test_options_say_where(make_farm: Make) -> None:
    farm = make_farm(address="10.1.2.3", port=7100)
    assert farm.refused("vdi list")[0] == 2
    assert farm.ok("vdi list -r -a 10.1.2.3 -p 7100") == b""
    assert farm.ok("vdi list --raw --address=10.1.2.3 --port", "7100") == b""
    environ = {"SHEEPDOG_DOG_ADDR": "10.1.2.3", "SHEEPDOG_DOG_PORT": "7100"}
    assert farm.dog("vdi list -r", env=environ) == (0, b"", b"")


def test_what_the_cluster_says_of_itself(farm: Any) -> None:
    assert farm.ok("node list -r").splitlines() == [
        b"0 127.0.0.1:7000 128 16777343", b"1 127.0.0.1:7001 128 16777343", b"2 127.0.0.1:7002 128 16777343"]
    total = farm.ok("node info -r").splitlines()[-1].split()
    assert total[0] == b"Total" and int(total[1]) == int(total[2]) + int(total[3]) and int(total[5]) == 8 << 20
    assert farm.ok("cluster info -r").startswith(b"running, auto-recovery enabled\n\n1700000000 1 [127.0.0.1:7000:128, ")
    assert farm.ok("vdi check a") == b"finish check&repair a\n"
    assert farm.ok("vdi object map -i 1 a") == b"Index       VID\n00000001        0\n"
    assert farm.ok("vdi create -v b 1M").startswith(b"VDI ID of newly created VDI: ")
    assert len(farm.ok("vdi snapshot -v -r -s u b").split()) == 2
    assert farm.dog("cluster format -c 2", data=b"no\n")[0] == 0
    assert len(farm.rows()) == 4
    farm.ok("cluster format -f -c 2")
    assert farm.rows() == []


def test_a_listing_for_a_program(farm: Any) -> None:
    farm.ok("vdi create", "a b\\c", "5")
    (line,) = [line for line in farm.ok("vdi list -r").splitlines() if b"\\" in line]
    assert line.startswith(rb"= a\ b\\c 0 5 0 0 17000000")
    assert farm.ok("vdi list -r", "a b\\c") == line + b"\n"
