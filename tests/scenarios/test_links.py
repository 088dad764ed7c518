"""Links that clients download through, and how far a job is; through crashes, and judged by every rule."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from storcert.harness.contract import (
    DeviceUnavailable,
    ObjectInUse,
    ObjectNotFound,
)
from storcert.harness.logical.control_plane import HOUR_NS
from storcert.scenarios.region import Region
from tests.scenarios.clients import DATA, SECOND_NS, get, put, secrets_told, ticket, visit
from tests.scenarios.regions import broken, one_zone, snapshot, template, volume


def linked(region: Region, **more: Any) -> Any:
    given = region.call(lambda c: c.upload(template("u"), zone="z1"))
    put(region, given["url"])
    region.advance(5 * SECOND_NS)
    return region.call(lambda c: c.link(template("u"), **more))


def test_a_link_is_read_whole_and_in_parts() -> None:
    with one_zone() as region:
        made = linked(region)
        whole = get(region, made["url"])
        assert (whole.status_code, whole.content) == (200, DATA)
        part = get(region, made["url"], range="bytes=1000-1999")
        assert (part.status_code, part.content) == (206, DATA[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(DATA)}"
        assert get(region, made["url"], range="bytes=-5").content == DATA[-5:]
        assert get(region, made["url"], **{"range": "bytes=5-", "if-range": '"other"'}).status_code == 200
        assert get(region, made["url"], range=f"bytes={len(DATA)}-").status_code == 416
        head = visit(region, lambda: httpx.head(made["url"]))
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(DATA)))
        assert put(region, made["url"]).status_code == 405
        assert broken(region) == [] and secrets_told(region, made["url"].rpartition("/")[2]) == []


def test_what_is_linked_stays_until_the_link_is_gone() -> None:
    with one_zone() as region:
        made = linked(region)
        with pytest.raises(ObjectInUse, match="a link to it is out"):
            region.call(lambda c: c.delete(template("u")))
        for _ in range(2):
            region.call(lambda c: c.unlink(made["link"]))
        assert get(region, made["url"]).status_code == 404
        region.call(lambda c: c.delete(template("u")))
        with pytest.raises(ObjectNotFound):
            region.call(lambda c: c.link(template("u")))
        assert broken(region) == []


def test_a_link_ends_by_itself() -> None:
    with one_zone() as region:
        made = linked(region, lasts_ns=600 * SECOND_NS)
        region.network.set_port("z1-ssvm1", out_bytes_per_s=2_000)
        cut = region.visit(lambda: httpx.get(made["url"], timeout=1000))
        region.finish(cut)
        assert isinstance(cut.error, httpx.HTTPError), "what is under way when the time is over breaks off"
        assert get(region, made["url"]).status_code in (404, 410)
        region.call(lambda c: c.reconcile())
        region.call(lambda c: c.delete(template("u")))
        assert broken(region) == []


def test_a_link_outlives_the_agent() -> None:
    with one_zone() as region:
        made = linked(region, lasts_ns=40 * HOUR_NS)
        region.crash("z1-ssvm1")
        region.advance(10 * SECOND_NS)
        assert get(region, made["url"]).status_code == 404
        assert region.call(lambda c: c.reconcile())["released"] == 1
        assert get(region, made["url"]).content == DATA
        assert broken(region) == []
        assert get(region, made["url"]).content == DATA


def test_a_link_whose_agent_is_away_is_released_when_it_is_back() -> None:
    with one_zone(restart_ns=None) as region:
        made = linked(region)
        region.network.partition(["ms-1", "ms-2"], "z1-ssvm1")
        assert region.call(lambda c: c.unlink(made["link"]))["changed"] is False
        assert get(region, made["url"]).status_code == 200, "nobody could tell the agent"
        assert broken(region) == []
        assert get(region, made["url"]).status_code == 404


def test_a_read_that_fails_breaks_the_connection() -> None:
    with one_zone() as region:
        made = linked(region)
        region.disturbed("images", "power_loss")
        region.network.set_port("images", out_bytes_per_s=1_000_000)
        task = region.visit(lambda: httpx.get(made["url"], timeout=1000))
        region.advance(500_000_000)
        region.simulated("images").wire.take_down(3600 * SECOND_NS)  # type: ignore[attr-defined]
        region.finish(task)
        assert isinstance(task.error, httpx.HTTPError)
        assert broken(region) == []


# -- how far a job is


def test_whoever_asks_is_told_how_far_a_copy_is() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 30_000_000, device="volumes"))
        region.network.set_port("beside", in_bytes_per_s=500_000)
        task = region.start(lambda c: c.migrate(volume("a"), "beside"))
        seen = []
        for _ in range(5):
            region.advance(5 * SECOND_NS)
            told = region.call(lambda c: c.progress("/volume/1/a"), at="ms-2")
            assert (told["kind"], told["legs"], told["due_bytes"], told["location"]) == ("migrate", 1, 30_000_000, "z1-ssvm1")
            seen.append(told["moved_bytes"])
        assert seen == sorted(seen) and 0 < seen[0] < seen[-1] < 30_000_000
        region.finish(task)
        with pytest.raises(ObjectNotFound, match="no unfinished job"):
            region.call(lambda c: c.progress("/volume/1/a"))
        with pytest.raises(ObjectNotFound, match="there is no job 999"):
            region.call(lambda c: c.job(999))
        assert broken(region) == []


def test_progress_of_an_upload_and_of_a_location_that_does_not_answer() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        region.network.set_port("client", out_bytes_per_s=500_000)
        task = region.visit(lambda: httpx.put(given["url"], content=DATA, timeout=60))
        region.advance(2 * SECOND_NS)
        told = region.call(lambda c: c.progress("/template/1/u"))
        assert told["kind"] == "upload" and 0 < told["moved_bytes"] < len(DATA)
        region.network.partition("ms-1", "z1-ssvm1")
        assert region.call(lambda c: c.progress("/template/1/u"))["moved_bytes"] is None
        region.network.heal()
        region.finish(task)
        assert broken(region) == []


def test_a_snapshot_can_be_linked_and_exported() -> None:
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 8192, device="volumes"))
        region.call(lambda c: c.take_snapshot(volume("a"), snapshot()))
        made = region.call(lambda c: c.link(snapshot()))
        assert get(region, made["url"]).content == bytes(8192)
        region.web.accept("http://exports.sim/s")
        assert region.call(lambda c: c.export(snapshot(), "http://exports.sim/s"))["size_bytes"] == 8192
        assert broken(region) == []


def test_a_client_is_not_let_in_where_there_is_no_door() -> None:
    with one_zone() as region:
        assert put(region, "http://z1-ssvm1.sim/transfer/none").status_code == 404
        assert get(region, "http://z1-h1.sim/").status_code == 404
        with pytest.raises(httpx.ConnectError):
            get(region, "http://z1-h9.sim/")
        with pytest.raises(DeviceUnavailable, match="job 7 is not known"):
            from storcert.harness.logical import transfers
            from storcert.harness.logical.records import JobRecord, JobState

            nobody = JobRecord(7, "upload", "/x", {}, JobState.RUNNING, "", 0)
            region.call(lambda c: transfers.ticket(c.engine, nobody, lambda job: {}))
