"""``--watch``: the report of a run that goes on, served on loopback and nowhere else, until the run is over.

A thread of its own renders what there is so far whenever a browser asks; the run does not wait for it, and nothing of it is in
the record. The page asks nobody but this server.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from storcert.conformance import secrets
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.codec import encode
from storcert.harness.record.run_record import CheckFailure, CheckResult, Counts, RunRecord, summarise_rules

EVERY_S = 2.0
LAST_LOOK_S = 2.0
"""A browser that looked a moment ago may look once more when the run is over, so that it shows the end."""


class LiveView:
    """A context; without ``wanted`` it does nothing. Raises :class:`InvalidUsage` where nothing can be served."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._make: Callable[[], RunRecord] | None = None
        self._told = 0
        self._over = False
        self._asked_s = 0.0
        self._due_s = 0.0
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where it is served, or nothing."""
        return "" if self._server is None else f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        if not self._wanted:
            return self
        from storcert.reports.html import page  # before the run: nothing is imported by a thread meanwhile

        try:
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, page.render))
        except OSError as error:
            raise InvalidUsage(f"--watch: nothing can be served on 127.0.0.1: {error.strerror or error}") from None
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, name="storcert-live-view", daemon=True).start()
        print(f"storcert: the report as it grows: {self.address}", file=sys.stderr, flush=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        server = self._server
        if server is None:
            return
        with self._lock:
            self._over = True
            self._told += 1
        begun_s = time.monotonic()
        while begun_s - LAST_LOOK_S < self._asked_s < begun_s and time.monotonic() < begun_s + LAST_LOOK_S:
            time.sleep(0.05)
        time.sleep(0.2 if self._asked_s else 0.0)  # the page itself is asked for after the number
        server.shutdown()
        server.server_close()

    def shows(self, make: Callable[[], RunRecord]) -> None:
        """From now on ``make``, called in another thread, gives what there is."""
        with self._lock:
            self._make = make
            self._told += 1

    def due(self) -> bool:
        """Whether somebody looks, and it is time for something new: for runs whose record cannot be made in another thread."""
        now_s = time.monotonic()
        if self._server is None or now_s < self._due_s:
            return False
        self._due_s = now_s + EVERY_S
        return True

    def state(self) -> dict[str, Any]:
        """A number that changes with what is shown, and whether that is the end."""
        with self._lock:
            self._asked_s = time.monotonic()
            return {"told": self._told, "over": self._over}

    def record(self) -> RunRecord | None:
        """What there is, without a secret."""
        with self._lock:
            make = self._make
        return None if make is None else secrets.scrubbed_value(make())


class GrowingRecord:
    """The record of a certification that goes on: ``base`` says who and what, checks come one by one."""

    def __init__(self, view: LiveView, base: RunRecord, order: Sequence[str]) -> None:
        self._view, self._base, self._order = view, base, order
        self._checks: list[CheckResult] = []
        self._failures: list[CheckFailure] = []

    def case_ended(self, check: CheckResult, failures: Sequence[CheckFailure] = ()) -> None:
        """One check as it will stand in the record."""
        self._failures += failures
        self._checks.append(check)
        self._view.shows(self._so_far)

    def _so_far(self) -> RunRecord:
        # In another thread: a check that is there has its failures, so the checks are read first.
        checks = tuple(self._checks)
        known = {check.id for check in checks}
        failures = [failure for failure in tuple(self._failures) if failure.check in known]
        return replace(
            self._base, checks=checks, rules=summarise_rules(checks, failures, self._order),
            counts=Counts.of(check.verdict for check in checks),
            reason=f"the run goes on: {len(checks):,} checks so far, {len(failures):,} failures")


def _handler(view: LiveView, render: Callable[..., str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page of another site must not read it by way of a name that leads here.
            if self.headers.get("Host", "").partition(":")[0] not in ("127.0.0.1", "localhost"):
                self.send_error(403, "this is served on loopback")
            elif self.path == "/state":
                self._answer("application/json", json.dumps(view.state()))
            elif self.path == "/":
                record = view.record()
                self._answer("text/html", _WAITING if record is None else render(record, live=True))
            elif self.path == "/run.json":
                record = view.record()
                self._answer("application/json", "null" if record is None else encode(record))
            else:
                self.send_error(404)

        def _answer(self, kind: str, text: str) -> None:
            body = text.encode("utf-8", "backslashreplace")
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # the browser went away

        def log_message(self, format: str, *arguments: object) -> None:
            """The terminal belongs to the run."""

    return Handler


_WAITING = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>storcert</title>'
    "<p>Nothing is decided yet.</p></html>"
)
