"""The native face: a client that answers as boto3's S3 client does, on the model instead of HTTP.

What it keeps of the real client: botocore's parameter validation, exception classes, retry rules, paginators, streaming
body, Config. What it leaves out: signing, serialising, parsing; the model's answers are already what a parser would give.
No rule of S3 stands here, only the client's side. Anything a real client has and this one has not raises
:class:`NotModelled`.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from storcert.simulators.device import NotModelled
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ConnectTimeout, ReadTimeout, WireError
from storcert.simulators.network.wire import Delivery, Wire
from storcert.simulators.object_store.body import streaming_body
from storcert.simulators.object_store.client_config import ClientSettings
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.head_only import of_the_head
from storcert.simulators.object_store.reply import Reply, http_date
from storcert.simulators.object_store.request_body import read_body
from storcert.simulators.object_store.retrying import HttpResponse, Retries
from storcert.simulators.object_store.server import Server
from storcert.simulators.object_store.service_model import check_parameters, service_model

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

_WITH_BODY = frozenset(("PutObject", "UploadPart"))
_HEADS = frozenset(("HeadObject", "HeadBucket"))


class S3Client:
    """A boto3 S3 client at one location. Made by ``boto3.client("s3", ...)`` there."""

    def __init__(self, wire: Wire, server: Server, location: Location, settings: ClientSettings) -> None:
        self._wire = wire
        self._server = server
        self._location = location
        self._settings = settings
        self._retries: Retries | None = None

    # -- what every client has besides its operations

    @property
    def meta(self) -> Any:
        """botocore's ClientMeta: config, endpoint, region, service model."""
        return self._settings.meta()

    @property
    def exceptions(self) -> Any:
        """botocore's exception classes of S3."""
        return service_model().exceptions

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def can_paginate(self, operation_name: str) -> bool:
        """Whether there is a paginator for a method."""
        return service_model().method_names.get(operation_name) in service_model().paginators

    def get_paginator(self, operation_name: str) -> Any:
        """botocore's own paginator over this client."""
        from botocore.exceptions import OperationNotPageableError
        from botocore.paginate import Paginator

        if not self.can_paginate(operation_name):
            raise OperationNotPageableError(operation_name=operation_name)
        service = service_model()
        name = service.method_names[operation_name]
        operation = service.operations.get(name)
        if operation is None:
            raise NotModelled(f"get_paginator({operation_name!r})")
        return Paginator(getattr(self, operation_name), service.paginators[name], operation.botocore_model)

    def __getattr__(self, name: str) -> Any:
        if name in service_model().method_names or name in _UNMODELLED_METHODS:
            def not_modelled(*_: Any, **__: Any) -> Any:
                raise NotModelled(f"s3 client: {name}")

            return not_modelled
        raise AttributeError(f"'S3' object has no attribute '{name}'")

    # -- one call

    def _make_api_call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Check, send, retry, translate."""
        operation = service_model().operations[name]
        check_parameters(operation, params)
        body = b""
        if name in _WITH_BODY:
            body = read_body(params.pop("Body", b""), params)
        # As in the wire's ledger everywhere: bytes of objects. The XML around them is not counted.
        sent_bytes = len(body)
        self._settings.check_credentials()
        attempts = 1
        context: dict[str, Any] = {}
        while True:
            error: Exception | None = None
            delivery: Delivery | None = None
            try:
                delivery = self._send(name, params, body, sent_bytes)
            except WireError as broken:
                error = self._client_error(broken, params)
            if delivery is not None and delivery.answer.code == "ok":
                if self._retries is not None:
                    self._retries.succeeded(delivery.answer.result.status, context)
                return self._translate(name, delivery.answer.result, delivery, attempts - 1)
            refused = None if delivery is None else self._parse_refusal(name, delivery.answer.result, delivery)
            delay_s = self._retry_rules().delay_s(operation, attempts, refused, error, context)
            if delay_s is None:
                if refused is None:
                    assert error is not None
                    raise error
                parsed = refused[1]
                parsed["ResponseMetadata"]["RetryAttempts"] = attempts - 1
                raise self.exceptions.from_code(parsed["Error"]["Code"])(parsed, name)
            self._wire.kernel.sleep_ns(int(delay_s * 1_000_000_000))
            attempts += 1

    def _retry_rules(self) -> Retries:
        if self._retries is None:
            settings = self._settings
            self._retries = Retries(settings.retry_mode, settings.total_max_attempts, self._location.stream("boto3"))
        return self._retries

    def _send(self, name: str, params: dict[str, Any], body: bytes, sent_bytes: int) -> Delivery:
        settings, wire, server = self._settings, self._wire, self._server
        if not settings.reaches_device:
            wire.kernel.sleep_ns(1_000_000)
            raise ConnectRefused(settings.endpoint_url)
        credentials = settings.credentials
        kernel = wire.kernel
        target = f"{params['Bucket']}/{params['Key']}" if "Key" in params else params.get("Bucket", "")
        return wire.call(
            name, target, lambda: server.handle(name, params, body, credentials, kernel.now_ns), sent_bytes=sent_bytes,
            streamed=name == "GetObject", read_timeout_ns=settings.read_timeout_ns,
        )

    def _client_error(self, broken: WireError, params: Mapping[str, Any]) -> Exception:
        """The exception botocore makes of a broken exchange."""
        from botocore import exceptions

        path = "/".join(quote(str(params[part])) for part in ("Bucket", "Key") if part in params)
        url = f"{self._settings.endpoint_url}/{path}"
        if isinstance(broken, ConnectRefused):
            return exceptions.EndpointConnectionError(endpoint_url=url, error=broken)
        if isinstance(broken, ConnectTimeout):
            return exceptions.ConnectTimeoutError(endpoint_url=url, error=broken)
        if isinstance(broken, ReadTimeout):
            return exceptions.ReadTimeoutError(endpoint_url=url, error="Read timed out.")
        assert isinstance(broken, ConnectionReset)
        return exceptions.ConnectionClosedError(endpoint_url=url, error=broken, request=None)

    def _metadata(self, status: int, headers: dict[str, str], delivery: Delivery) -> dict[str, Any]:
        request_id = f"{delivery.request.index:016X}"
        headers["date"] = http_date(self._wire.kernel.now_ns)
        headers["server"] = "AmazonS3"
        headers["x-amz-request-id"] = request_id
        headers["x-amz-id-2"] = "storcert"
        return {
            "RequestId": request_id, "HostId": "storcert", "HTTPStatusCode": status, "HTTPHeaders": headers,
            "RetryAttempts": 0,
        }

    def _translate(self, name: str, reply: Reply, delivery: Delivery, retries: int) -> dict[str, Any]:
        headers = dict(reply.headers)
        metadata = self._metadata(reply.status, headers, delivery)
        metadata["RetryAttempts"] = retries
        result: dict[str, Any] = {"ResponseMetadata": metadata}
        result.update(of_the_head(name, reply.result) if delivery.answer.head_only else reply.result)
        if "ETag" in reply.result:
            headers["etag"] = reply.result["ETag"]
        if reply.body is not None:
            result["Body"] = streaming_body(reply.body, delivery, headers)
        return result

    def _parse_refusal(
        self, name: str, refusal: Refusal, delivery: Delivery,
    ) -> tuple[HttpResponse, dict[str, Any]]:
        """The error as botocore's parser gives it. A HEAD has no body, so only the status is left of it."""
        if name in _HEADS or refusal.status == 304 or refusal.code.isdigit():
            reason = http.client.responses.get(refusal.status, "")
            error: dict[str, Any] = {"Code": str(refusal.status), "Message": reason}
        else:
            error = {"Code": refusal.code, "Message": refusal.message, **refusal.details}
        headers = dict(refusal.headers)
        # botocore makes a 500 of a 200 with an error in its body before anybody sees it.
        status = 500 if refusal.status == 200 else refusal.status
        parsed = {"Error": error, "ResponseMetadata": self._metadata(status, headers, delivery)}
        return HttpResponse(status, headers), parsed


_UNMODELLED_METHODS = frozenset(
    ("generate_presigned_url", "generate_presigned_post", "get_waiter", "waiter_names"))


def _method(name: str, method_name: str) -> Callable[..., Any]:
    def call(self: S3Client, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(f"{method_name}() only accepts keyword arguments.")
        return self._make_api_call(name, kwargs)

    call.__name__ = method_name
    call.__qualname__ = f"S3.{method_name}"
    call.__doc__ = f"{name} of the S3 API, as boto3 offers it."
    return call


def make_client(wire: Wire, server: Server, location: Location, settings: ClientSettings) -> S3Client:
    """A client; its class gets its methods from the service model at first use."""
    if not hasattr(S3Client, "put_object"):
        from storcert.simulators.object_store.transfer import managed_transfers

        for operation in service_model().operations.values():
            setattr(S3Client, operation.method, _method(operation.name, operation.method))
        for name, function in managed_transfers().items():
            setattr(S3Client, name, function)
    return S3Client(wire, server, location, settings)
