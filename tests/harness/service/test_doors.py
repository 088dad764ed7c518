"""Uploads, links, exports and progress in real time, on loopback: real processes, real connections that break, kill -9."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.service.processes import Process, ask, until

MIB = 1 << 20
DATA = hashlib.shake_128(b"upload").digest(8 * MIB)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class World:
    """A zone of one storage VM with a directory for volumes and one for images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("volumes", "images"):
            (folder / name).mkdir()
        self.ssvm = Process("storcert.harness.service.agent", "--name", "ssvm-1", "--transfer-port", str(_free_port()))
        file = folder / "zone.toml"
        file.write_text(self.said(), encoding="utf-8")
        words = ("--config", str(file), "--name", "ms-1", "--reconcile", "0.5")
        self.management = Process("storcert.harness.service.management", *words)

    def said(self) -> str:
        """The zone as TOML."""
        device = '''
[[device]]
name = "{0}"
driver = "nfs"
capacity_bytes = 1099511627776
configuration = {{ mount = {1}, plain_directory = true }}
policy = {{ role = "{2}", scope = "zone", scope_id = "z1" }}
'''
        return f'''
catalogue = {json.dumps(str(self.folder / "catalogue.sqlite"))}
[[location]]
name = "ms-1"
kind = "management"
[[location]]
name = "ssvm-1"
kind = "storage-vm"
zone = "z1"
agent = "http://127.0.0.1:{self.ssvm.port}"
''' + "".join(
            device.format(name, json.dumps(str(self.folder / name)), role)
            for name, role in (("volumes", "primary"), ("images", "image"))
        )

    def ended(self, job: int) -> dict[str, Any]:
        """The job once it has ended."""
        until(lambda: ask(self.management, "job", number=job)["state"] != "running")
        found: dict[str, Any] = ask(self.management, "job", number=job)
        return found

    def close(self) -> None:
        for process in (self.management, self.ssvm):
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_an_upload_that_breaks_goes_on_and_is_linked_and_downloaded(world: World) -> None:
    digest = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    asked = {"uri": "/template/1/t", "zone": "z1", "size_bytes": len(DATA), "digest": digest}
    ticket = ask(world.management, "upload", **asked)
    assert ask(world.management, "upload", **asked) == ticket
    where = urlsplit(ticket["url"])
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        head = f"PUT {where.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(DATA)}\r\n\r\n"
        connection.sendall(head.encode() + DATA[: 3 * MIB])
    offsets: list[int] = []

    def kept() -> bool:
        offsets.append(int(httpx.head(ticket["url"]).headers["upload-offset"]))
        return offsets[-1] == 3 * MIB

    until(kept)
    assert ask(world.management, "progress", key="/template/1/t")["moved_bytes"] in (0, 3 * MIB)
    rest = {"content-range": f"bytes {3 * MIB}-{len(DATA) - 1}/{len(DATA)}"}
    assert httpx.put(ticket["url"], content=DATA[3 * MIB :], headers=rest, timeout=60).status_code == 201
    assert world.ended(ticket["job"])["state"] == "succeeded"

    link = ask(world.management, "link", uri="/template/1/t")
    whole = httpx.get(link["url"], timeout=60)
    assert (whole.status_code, whole.content) == (200, DATA)
    part = httpx.get(link["url"], headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, DATA[5:10])
    assert httpx.head(link["url"]).headers["content-length"] == str(len(DATA))
    world.ssvm.kill()
    world.ssvm.start()
    until(lambda: httpx.get(link["url"], headers={"range": "bytes=0-0"}).status_code == 206)
    assert ask(world.management, "delete", uri="/template/1/t")["error"] == "ObjectInUse"
    ask(world.management, "unlink", link=link["link"])
    assert httpx.get(link["url"]).status_code == 404
    assert ask(world.management, "delete", uri="/template/1/t") == {"uri": "/template/1/t", "deleted": 1}


def test_chunks_wrong_bytes_and_a_killed_agent(world: World) -> None:
    ticket = ask(world.management, "upload", uri="/volume/1/v", zone="z1", size_bytes=len(DATA))
    assert httpx.put(ticket["url"], content=iter([DATA, b"more"])).status_code == 413
    assert httpx.put(ticket["url"], content=DATA[:5]).status_code == 422
    world.ssvm.kill()
    with pytest.raises(httpx.TransportError):
        httpx.put(ticket["url"], content=DATA)
    world.ssvm.start()
    until(lambda: httpx.head(ticket["url"]).status_code == 204, 90)
    pieces = (DATA[start : start + 100_000] for start in range(0, len(DATA), 100_000))
    assert httpx.put(ticket["url"], content=pieces, timeout=60).status_code == 201
    assert world.ended(ticket["job"])["state"] == "succeeded"
    assert httpx.put(ticket["url"], content=DATA).status_code == 200
    assert httpx.get(ticket["url"].rpartition("/")[0] + "/other").status_code == 404


class _Taker(BaseHTTPRequestHandler):
    """Takes a body; the second half of the first one it does not wait for."""

    taken: bytes = b""
    asked = 0

    def do_PUT(self) -> None:
        size = int(self.headers["Content-Length"])
        type(self).asked += 1
        if type(self).asked == 1:
            self.rfile.read(size // 2)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        type(self).taken = self.rfile.read(size)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.taken)))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_an_export_that_breaks_is_sent_again(world: World) -> None:
    ticket = ask(world.management, "upload", uri="/volume/1/v", zone="z1", size_bytes=len(DATA))
    assert httpx.put(ticket["url"], content=DATA, timeout=60).status_code == 201
    world.ended(ticket["job"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/v?signature=x"
        assert ask(world.management, "export", uri="/volume/1/v", url=url) == {"size_bytes": len(DATA)}
    finally:
        server.shutdown()
    assert _Taker.taken == DATA and _Taker.asked == 2
