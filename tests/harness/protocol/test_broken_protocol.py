"""What a driver's server may do wrong on the wire, and the words in which it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectExists, Outcome, Unsupported
from storcert.harness.drivers.grpc import GrpcDriver
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol, ForeignError, TooLate
from storcert.harness.protocol.failures import BARE, RICH
from tests.harness.protocol.broken_servers import broken, correct, serving

A = DataObjectUri.parse("/volume/1/a")
OPENED = pb.InputResponse(opened=pb.InputResponse.Opened())


def _converse(*responses: Any) -> Callable[[Any, Any], Iterator[Any]]:
    """A stream that answers so, whatever it is asked, and then ends with OK."""

    def answer(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        del context
        for response in responses:
            next(requests)
            yield response

    return answer


def _fails(code: grpc.StatusCode, details: str, *metadata: tuple[str, bytes]) -> Callable[[Any, Any], Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        del request
        context.set_trailing_metadata(metadata)
        context.abort(code, details)

    return answer


def test_a_server_that_keeps_to_it() -> None:
    with broken() as driver:
        driver.create(A, 1)
        assert list(driver.list_objects()) == [A]
        with driver.open_input(A) as stream:
            assert stream.read() == b"x"
        with driver.open_output(A) as output:
            assert output.write(b"x") == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_converse(), r"the server ended OpenInput where the answer to `open` was due"),
        (_converse(OPENED), r"the server ended OpenInput where the answer to `read` was due"),
        (_converse(OPENED, OPENED), r"the answer to `read` of /volume/1/a is `opened`, where `data` or `failed` was due"),
        (_converse(pb.InputResponse(data=b"x")), r"the answer to `open` of /volume/1/a is `data`, where `opened`"),
        (_converse(OPENED, pb.InputResponse()), r"the answer to `read` of /volume/1/a is `None`"),
        (_converse(OPENED, pb.InputResponse(failed=pb.StorageError(message="m"))), r"error 0, which is not one of ErrorClass"),
        (_converse(OPENED, pb.InputResponse(failed=pb.StorageError(error=99))), r"`read` failed with error 99"),  # type: ignore[arg-type]
        (
            _converse(OPENED, pb.InputResponse(failed=pb.StorageError(error=pb.OBJECT_EXISTS, outcome=7))),  # type: ignore[arg-type]
            r"outcome 7, which is not one of Outcome",
        ),
        (_fails(grpc.StatusCode.UNKNOWN, "NullPointerException"), r"OpenInput.open ended with status UNKNOWN and no error"),
        (_fails(grpc.StatusCode.INTERNAL, "x", (BARE, b"\xff\xff")), r"its trailing metadata cannot be read as a StorageError"),
        (_fails(grpc.StatusCode.INTERNAL, "x", (RICH, b"\xff")), r"its trailing metadata cannot be read as a StorageError"),
    ],
)
def test_a_stream_that_breaks_it_is_told_in_words(answer: Any, words: str) -> None:
    with broken(OpenInput=answer) as driver:
        with pytest.raises(BrokenProtocol, match=words) as found:
            driver.open_input(A).read(1)
        assert found.value.rule == "C-ERRORS"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda request, context: pb.Description(size_bytes=1), r"the answer to Describe: kind 0 is not one of ObjectKind"),
        (
            lambda request, context: pb.Description(uri=pb.DataObjectUri(kind=pb.ISO, account="..", object_id="x")),
            r"no name of a data object: account may not be '\.\.'",
        ),
        (_fails(grpc.StatusCode.UNIMPLEMENTED, ""), r"answers UNIMPLEMENTED to Describe, which every driver has"),
        (_fails(grpc.StatusCode.NOT_FOUND, "no such thing"), r"Describe ended with status NOT_FOUND and no error"),
    ],
)
def test_an_answer_without_sense(answer: Any, words: str) -> None:
    with broken(Describe=answer) as driver:
        with pytest.raises(BrokenProtocol, match=words):
            driver.describe(A)


def test_a_chunk_that_nobody_asked_for_is_the_wrong_answer_to_the_next_question() -> None:
    data, closed = pb.InputResponse(data=b"x"), pb.InputResponse(closed=pb.InputResponse.Closed())

    def eager(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        yield OPENED
        next(requests)
        yield data
        yield data
        next(requests)
        yield closed

    with broken(OpenInput=eager) as driver:
        stream = driver.open_input(A)
        assert stream.read(1) == b"x"
        with pytest.raises(BrokenProtocol, match="the answer to `close` of /volume/1/a is `data`"):
            stream.close()


def test_a_listing_without_a_page() -> None:
    with broken(ListObjects=lambda request, context: iter(())) as driver:
        with pytest.raises(BrokenProtocol, match="ended ListObjects without a page"):
            driver.list_objects()


def test_an_instance_without_a_name() -> None:
    with pytest.raises(BrokenProtocol, match="MakeInstance answered without an instance"):
        with broken(MakeInstance=lambda request, context: pb.MakeInstanceResponse()):
            pass


@pytest.mark.parametrize("key", [BARE, RICH])
def test_a_typed_error_comes_in_either_dress(key: str) -> None:
    detail = pb.StorageError(error=pb.OBJECT_EXISTS, outcome=pb.OUTCOME_UNKNOWN, message="m", retryable=True)
    rich = pb.RichStatus(code=6)
    rich.details.add(type_url="type.googleapis.com/other.Thing", value=b"?")
    rich.details.add(type_url="type.googleapis.com/storcert.driver.v1.StorageError", value=detail.SerializeToString())
    value = (detail if key == BARE else rich).SerializeToString()
    with broken(Create=_fails(grpc.StatusCode.UNKNOWN, "", (key, value))) as driver:
        with pytest.raises(ObjectExists) as found:
            driver.create(A, 1)
    assert found.value == ObjectExists("m", None, Outcome.UNKNOWN, True)


def test_the_defaults_of_an_error_are_its_classes() -> None:
    detail = pb.StorageError(error=pb.DEVICE_UNAVAILABLE, message="m").SerializeToString()
    with broken(Create=_fails(grpc.StatusCode.UNKNOWN, "", (BARE, detail))) as driver:
        with pytest.raises(DeviceUnavailable) as found:
            driver.create(A, 1)
    assert (found.value.outcome, found.value.retryable) == (Outcome.UNKNOWN, True)


def test_a_method_of_a_capability_may_be_absent() -> None:
    with broken() as driver:
        with pytest.raises(Unsupported, match="the server has no Copy"):
            driver.copy(A, A)
        with pytest.raises(Unsupported, match="the server has no OpenVolume"):
            driver.open_volume(A)


class TestNoAnswer:
    @pytest.fixture
    def never(self) -> Iterator[threading.Event]:
        event = threading.Event()
        yield event
        event.set()

    def test_a_call_that_hangs_ends_at_its_limit(self, never: threading.Event) -> None:
        def hang(request: Any, context: Any) -> Any:
            never.wait(30)
            return pb.CreateResponse()

        with serving({**correct(), "Create": hang}) as target:
            driver = GrpcDriver({"grpc_target": target, "grpc_answer_within_s": 0.2})
            with pytest.raises(DeviceUnavailable, match=r"Create: no answer within 0\.2 s") as found:
                driver.create(A, 1)
            assert found.value.outcome is Outcome.UNKNOWN
            never.set()

    def test_a_stream_that_hangs_ends_at_its_limit(self, never: threading.Event) -> None:
        def hang(requests: Iterator[Any], context: Any) -> Iterator[Any]:
            next(requests)
            yield OPENED
            never.wait(30)

        with serving({**correct(), "OpenInput": hang}) as target:
            stream = GrpcDriver({"grpc_target": target, "grpc_answer_within_s": 0.2}).open_input(A)
            with pytest.raises(DeviceUnavailable, match=r"OpenInput\.read: no answer within 0\.2 s"):
                stream.read(1)
            with pytest.raises(DeviceUnavailable, match="the call is over"):
                stream.read(1)
            never.set()

    def test_past_the_limit_of_the_contract_it_is_the_drivers_fault(self) -> None:
        from storcert.harness.protocol.calls import late

        found = late("Create", 900.0)
        assert isinstance(found, TooLate) and found.rule == "C-BUDGET"
        assert not isinstance(found, ForeignError)

    def test_a_server_that_forgot_the_instance_was_restarted(self) -> None:
        with broken(Create=_fails(grpc.StatusCode.FAILED_PRECONDITION, "no instance 1")) as driver:
            with pytest.raises(DeviceUnavailable, match="does not know this instance; was it restarted"):
                driver.create(A, 1)

    def test_a_server_that_dies(self) -> None:
        with serving(correct()) as target:
            driver = GrpcDriver({"grpc_target": target})
            stream = driver.open_input(A)
        with pytest.raises(DeviceUnavailable, match="is gone"):
            driver.create(A, 1)
        with pytest.raises(DeviceUnavailable, match=r"OpenInput\.read: the driver's server at .* is gone"):
            stream.read(1)
