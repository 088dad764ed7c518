"""The OTLP lines: parsed by OpenTelemetry's own protobuf schema, ids that resolve, events where faults fell."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status as ProtoStatus

from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace
from storcert.reports.otlp_trace import SPANS_PER_LINE, otlp_trace
from tests.reports.traced_run import traced

_IDS = ("traceId", "spanId", "parentSpanId")


def parsed(trace: Trace) -> list[ExportTraceServiceRequest]:
    """Each line by the schema, which refuses unknown fields. OTLP writes ids in hex, where protobuf's JSON has base64."""
    return [json_format.Parse(json.dumps(_base64(json.loads(line))), ExportTraceServiceRequest()) for line in otlp_trace(trace)]


def _base64(value: Any) -> Any:
    if isinstance(value, list):
        return [_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode() if name in _IDS else _base64(item)
        for name, item in value.items()
    }


def spans_of(requests: list[ExportTraceServiceRequest]) -> list[ProtoSpan]:
    return [
        span for request in requests for resource in request.resource_spans for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span: ProtoSpan) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


@pytest.mark.parametrize("kind", ["nfs", "sheepdog"])
def test_a_run_is_read_by_the_schema_and_its_ids_resolve(kind: str) -> None:
    trace = traced(kind)
    spans = spans_of(parsed(trace))
    assert len(spans) >= len(trace.spans)
    found = {span.span_id: span for span in spans}
    assert len(found) == len(spans)
    children = 0
    for span in spans:
        assert len(span.trace_id) == 16 and any(span.trace_id)
        assert len(span.span_id) == 8 and any(span.span_id)
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if span.parent_span_id:
            children += 1
            above = found[span.parent_span_id]
            assert above.trace_id == span.trace_id
            assert above.start_time_unix_nano <= span.start_time_unix_nano
    assert children == sum(1 for span in trace.spans if span.parent)


def test_kinds_statuses_and_places() -> None:
    requests = parsed(traced("nfs"))
    kinds = {ProtoSpan.SPAN_KIND_INTERNAL: "", ProtoSpan.SPAN_KIND_SERVER: "", ProtoSpan.SPAN_KIND_CLIENT: ""}
    for request in requests:
        [resource] = request.resource_spans
        where = {one.key: one.value.string_value for one in resource.resource.attributes}
        assert where["service.namespace"] == "storcert"
        for span in resource.scope_spans[0].spans:
            kinds[span.kind] = where["service.name"]
            assert (span.status.code == ProtoStatus.STATUS_CODE_ERROR) == ("error.type" in attributes(span))
            assert (span.kind == ProtoSpan.SPAN_KIND_CLIENT) == ("server.address" in attributes(span))
    assert kinds[ProtoSpan.SPAN_KIND_SERVER] in ("storage-vm", "host")
    failed = [span for span in spans_of(requests) if span.status.code == ProtoStatus.STATUS_CODE_ERROR]
    assert {attributes(span)["error.type"] for span in failed if span.name == "download"} == {"failed", "ObjectNotFound"}


def test_faults_and_crashes_are_events_of_the_spans_they_fell_on() -> None:
    spans = spans_of(parsed(traced("nfs")))
    struck = [span for span in spans if any(event.name == "fault" for event in span.events)]
    assert any(attributes(span).get("server.address") == "volumes" for span in struck)
    crashed = [span for span in spans if any(event.name == "crash" for event in span.events)]
    assert "copy" in {span.name for span in crashed}, "the job of the server that died"


def test_a_crash_that_fell_on_nothing_is_a_span_of_its_own() -> None:
    trace = Trace("run", 0, 9, {"h": PlaceKind.HOST}, (), (Mark(5, "h", "crash", ""), Mark(6, "h", "restart", "")))
    [span] = spans_of(parsed(trace))
    assert (span.name, span.start_time_unix_nano, span.end_time_unix_nano) == ("crash", 5, 5)


def test_ids_depend_on_the_run_and_the_key_alone() -> None:
    def ids(run: str, *keys: str) -> list[bytes]:
        spans = tuple(Span(Sort.REQUEST, key, "", "Get", "", "d", "", 1, 2, Status.OK, "ok") for key in keys)
        return [span.span_id for span in spans_of(parsed(Trace(run, 0, 9, {"d": PlaceKind.DEVICE}, spans, ())))]

    assert ids("a", "request/d/1", "request/d/2")[1:] == ids("a", "request/d/2")
    assert ids("a", "request/d/1") != ids("b", "request/d/1")


def test_long_runs_are_cut_into_lines_and_odd_names_are_written() -> None:
    odd = 'a"b\\c\n\ud800\u2028é😀'
    spans = tuple(
        Span(Sort.REQUEST, f"request/d/{number}", "", "Get", odd, "d", "", number, None, Status.UNKNOWN, "pending", 5, 6)
        for number in range(SPANS_PER_LINE + 1)
    )
    requests = parsed(Trace("run", 0, 10**6, {"d": PlaceKind.DEVICE}, spans, ()))
    assert [len(spans_of([request])) for request in requests] == [SPANS_PER_LINE, 1]
    span = spans_of(requests)[-1]
    assert attributes(span)["storcert.about"] == 'a"b\\c\n?\u2028é😀'
    assert span.end_time_unix_nano == 10**6
    assert span.status.message == "outcome unknown: pending"
