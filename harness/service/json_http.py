"""JSON objects over HTTP: a small server for agents and management servers alike. What they say is their own affair."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

READY = "ready"
"""First word of the one line that a process prints when it listens; the port follows."""
BODY_BYTES_MAX = 1 << 20


class JsonHandler(BaseHTTPRequestHandler):
    """Answers ``POST`` with what ``answer`` makes of a JSON object. Used by agents and management servers alike."""

    protocol_version = "HTTP/1.1"
    answer: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

    def do_POST(self) -> None:
        """One request."""
        try:
            size = int(self.headers.get("Content-Length", "0"))
            if not 0 < size <= BODY_BYTES_MAX:
                raise ValueError(f"a body of {size} bytes")
            asked = json.loads(self.rfile.read(size))
            if not isinstance(asked, dict):
                raise ValueError("no JSON object")
            status, answer = 200, type(self).answer(self.path, asked)
        except (ValueError, KeyError, TypeError) as error:
            status, answer = 400, {"wrong": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer, sort_keys=True).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are told by the journal."""


def serve(
    address: str, port: int, answer: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
) -> ThreadingHTTPServer:
    """A server on that address; port 0 takes a free one. ``serve_forever`` runs it."""
    handler = type("Handler", (JsonHandler,), {"answer": staticmethod(answer)})
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    return server
