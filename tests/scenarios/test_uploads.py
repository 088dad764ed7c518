"""Objects that clients upload: whole, in parts, too late; through crashes, and judged by every rule."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from storcert.harness.contract import InvalidRequest, ObjectInUse
from storcert.harness.record.fault import Fault
from storcert.scenarios.region import Region
from tests.scenarios.clients import DATA, SECOND_NS, put, secrets_told, ticket, visit
from tests.scenarios.regions import broken, one_zone, template, volume


def test_a_client_uploads_a_template_past_the_management_server() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        assert ticket(region, size_bytes=len(DATA)) == given, "asked again, the same ticket"
        with pytest.raises(ObjectInUse):
            ticket(region, size_bytes=5)
        assert put(region, given["url"]).status_code == 201
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "succeeded"
        assert put(region, given["url"]).status_code == 200, "a client that did not hear it is told again"
        assert ticket(region, size_bytes=len(DATA)) == {"uri": "/template/1/u", "device": "images"}
        region.call(lambda c: c.create_from(volume("n"), template("u"), device="volumes"))
        assert broken(region) == [] and secrets_told(region, given["url"].rpartition("/")[2]) == []
        moved = region.network.ledger().carriers()
        assert "ms-1" not in moved and "ms-2" not in moved and len(DATA) < moved["client"] < len(DATA) + 300_000


def test_a_volume_of_unknown_size_comes_in_chunks() -> None:
    with one_zone() as region:
        given = region.call(lambda c: c.upload(volume("u"), zone="z1"))
        assert put(region, given["url"], iter([DATA[:1000], DATA[1000:]])).status_code == 202
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.migrate(volume("u"), "beside"))["way"] == "stream"
        assert broken(region) == []


def test_what_comes_must_be_what_was_announced_and_may_come_again() -> None:
    import hashlib

    with one_zone() as region:
        digest = "sha256:" + hashlib.sha256(DATA).hexdigest()
        given = ticket(region, size_bytes=len(DATA), digest=digest)
        assert put(region, given["url"], DATA[:-1]).status_code == 422
        assert put(region, given["url"], iter([DATA, b"x"])).status_code == 413
        assert put(region, given["url"], DATA[::-1]).status_code == 422
        assert put(region, given["url"], iter([DATA[:-1]])).status_code == 422
        assert put(region, given["url"], DATA, content_range="bytes 5").status_code == 400
        assert put(region, given["url"], DATA, content_range=f"bytes 5-{len(DATA) - 1}/{len(DATA)}").status_code == 409
        assert visit(region, lambda: httpx.delete(given["url"])).status_code == 405
        assert put(region, given["url"].rpartition("/")[0] + "/guessed").status_code == 404
        assert put(region, given["url"]).status_code == 201
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "succeeded"
        assert broken(region) == []


def test_a_form_and_a_compressed_body_are_refused() -> None:
    with one_zone() as region:
        given = ticket(region)
        form = visit(region, lambda: httpx.post(given["url"], files={"file": DATA}))
        assert form.status_code == 415
        assert put(region, given["url"], DATA, content_encoding="gzip").status_code == 415
        assert put(region, given["url"]).status_code == 202
        region.advance(5 * SECOND_NS)
        assert broken(region) == []


def test_what_comes_unannounced_is_still_within_policy_and_space() -> None:
    region = Region(3, reconcile_ns=300 * SECOND_NS)
    with region:
        region.zone("z1")
        region.device("small", "object-store", role="image", scope_id="z1", policy={"max_object_size_bytes": 1000})
        region.device("tight", "object-store", scope_id="z1", policy={"quota_bytes": len(DATA) + 5})
        given = region.call(lambda c: c.upload(template("u"), zone="z1"))
        assert put(region, given["url"]).status_code == 413
        assert put(region, given["url"], iter([DATA[:999], b"xx"])).status_code == 413
        assert put(region, given["url"], DATA[:1000]).status_code == 202
        first, second = (region.call(lambda c, name=name: c.upload(volume(name), zone="z1")) for name in "ab")
        assert put(region, first["url"]).status_code == 202
        assert put(region, second["url"]).status_code == 202, "there was room for each of them"
        region.advance(60 * SECOND_NS)
        ended = [region.call(lambda c, given=given: c.job(given["job"])) for given in (first, second)]
        assert sorted(one["result"].get("error", "") for one in ended) == ["", "CapacityExceeded"]
        assert len(region.simulated("tight").census()) == 1 and broken(region) == []


@pytest.mark.parametrize("lasts_ns", [0, -5, 10**18])
def test_a_url_lasts_for_a_while(lasts_ns: int) -> None:
    with one_zone() as region:
        with pytest.raises(InvalidRequest, match="a URL lasts for"):
            ticket(region, lasts_ns=lasts_ns)
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        with pytest.raises(InvalidRequest, match="a URL lasts for"):
            region.call(lambda c: c.link(volume("a"), lasts_ns))
        with pytest.raises(InvalidRequest, match="no digest"):
            ticket(region, digest="sha256:abc")
        assert broken(region) == []


def half(data: bytes) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    raise ConnectionAbortedError("the client's network is gone")


def test_a_broken_upload_goes_on_where_it_stopped() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        with pytest.raises(ConnectionAbortedError):
            put(region, given["url"], half(DATA), content_length=str(len(DATA)))
        # The client says no more; the agent notices that in time.
        region.advance(70 * SECOND_NS)
        offset = int(visit(region, lambda: httpx.head(given["url"])).headers["upload-offset"])
        assert 0 < offset <= len(DATA) // 2
        rest = f"bytes {offset}-{len(DATA) - 1}/{len(DATA)}"
        assert put(region, given["url"], DATA[offset:], content_range=rest).status_code == 201
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "succeeded"
        assert region.network.ledger().carriers()["client"] < len(DATA) + 1000, "no byte was sent twice"
        assert broken(region) == []


def test_an_upload_in_parts() -> None:
    with one_zone() as region:
        given = ticket(region)
        for start in range(0, len(DATA), 1_000_000):
            part = DATA[start : start + 1_000_000]
            answer = put(region, given["url"], part, content_range=f"bytes {start}-{start + len(part) - 1}/{len(DATA)}")
            assert answer.status_code == 202
            assert ("upload-offset" in answer.headers) == (start + len(part) < len(DATA))
        region.advance(5 * SECOND_NS)
        assert broken(region) == []


def test_nobody_comes_and_nothing_is_left() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA), lasts_ns=600 * SECOND_NS)
        region.advance(900 * SECOND_NS)
        ended = region.call(lambda c: c.job(given["job"]))
        assert ended["state"] == "failed" and "not uploaded in time" in ended["result"]["message"]
        assert put(region, given["url"]).status_code == 404
        assert region.simulated("images").census() == () and broken(region) == []


def test_a_client_that_is_too_slow_is_too_late() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA), lasts_ns=600 * SECOND_NS)
        region.network.set_port("client", out_bytes_per_s=1_000)
        with pytest.raises(httpx.HTTPError):
            visit(region, lambda: httpx.put(given["url"], content=DATA, timeout=1000))
        region.advance(300 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "failed"
        assert region.simulated("images").census() == () and broken(region) == []


def test_one_client_at_a_time() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        region.network.set_port("client", out_bytes_per_s=1_000_000)
        first = region.visit(lambda: httpx.put(given["url"], content=DATA, timeout=60))
        region.advance(SECOND_NS)
        assert put(region, given["url"], name="another").status_code == 423
        region.finish(first)
        assert first.result.status_code == 201
        region.advance(5 * SECOND_NS)
        assert broken(region) == []


def test_the_storage_vm_dies_in_the_middle_and_the_url_stays() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        task = region.visit(lambda: httpx.put(given["url"], content=DATA, timeout=20))
        region.advance(20_000_000)
        region.crash("z1-ssvm1")
        region.finish(task)
        assert isinstance(task.error, httpx.HTTPError)
        region.advance(60 * SECOND_NS)
        assert ticket(region, size_bytes=len(DATA)) == given
        assert visit(region, lambda: httpx.head(given["url"])).headers["upload-offset"] == "0"
        assert put(region, given["url"]).status_code == 201
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "succeeded"
        assert broken(region) == []


def test_the_management_server_dies_and_another_goes_on_with_the_same_ticket() -> None:
    with one_zone(restart_ns=None) as region:
        given = ticket(region, size_bytes=len(DATA))
        region.crash("ms-1")
        assert put(region, given["url"]).status_code == 201, "no management server is needed for the bytes"
        region.advance(900 * SECOND_NS)
        ended = region.call(lambda c: c.job(given["job"]), at="ms-2")
        assert ended["state"] == "succeeded"
        assert broken(region) == []


def test_an_upload_is_cancelled() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        region.call(lambda c: c.cancel("/template/1/u"))
        region.advance(8 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "failed"
        assert put(region, given["url"]).status_code == 404
        assert ticket(region, size_bytes=len(DATA))["url"] != given["url"]
        assert broken(region) == []


def test_an_upload_that_finds_the_device_full_is_told_so() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        region.arm("images", Fault("full", "*", 1, count=0))
        assert put(region, given["url"]).status_code == 507
        region.advance(60 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["result"]["error"] == "CapacityExceeded"
        assert broken(region) == []


def test_a_device_that_is_away_for_a_while_is_waited_for() -> None:
    with one_zone() as region:
        given = ticket(region, size_bytes=len(DATA))
        region.disturbed("images", "power_loss")
        region.simulated("images").wire.take_down(200 * SECOND_NS)  # type: ignore[attr-defined]
        assert put(region, given["url"]).status_code == 503
        region.advance(250 * SECOND_NS)
        assert put(region, given["url"]).status_code == 201
        region.advance(5 * SECOND_NS)
        assert region.call(lambda c: c.job(given["job"]))["state"] == "succeeded"
        assert broken(region) == []


