"""Whether and when a failed request is sent again: botocore's own rules, run on virtual time and the location's randomness.

Nothing is decided here. The handlers of botocore's ``legacy`` and ``standard`` modes are made as its client makes them and
asked after every failure; only the dice they throw are the location's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from storcert.harness.kernel.context import outside
from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.service_model import OperationModel, service_model


@dataclass(slots=True)
class HttpResponse:
    """As much of botocore's AWSResponse as the retry rules look at."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = b""


@dataclass(slots=True)
class _Events:
    """Stands in for a client's event system while botocore registers its handlers."""

    handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def register(self, name: str, handler: Callable[..., Any], unique_id: str | None = None) -> None:
        self.handlers[name] = handler


@dataclass(slots=True)
class _Meta:
    events: _Events
    service_model: Any


@dataclass(slots=True)
class _Client:
    meta: _Meta


class Retries:
    """The retry state of one client (``standard`` mode keeps a quota over all its calls)."""

    def __init__(self, mode: str, total_max_attempts: int | None, dice: Random) -> None:
        self._needs_retry: Callable[..., Any]
        self._release: Callable[..., Any] | None = None
        with outside():
            if mode == "standard":
                self._needs_retry, self._release = _standard(total_max_attempts, dice)
            elif mode == "legacy":
                self._needs_retry = _legacy(total_max_attempts, dice)
            else:
                raise NotModelled(f"retry mode {mode!r}")

    def delay_s(
        self, operation: OperationModel, attempts: int, response: tuple[HttpResponse, dict[str, Any]] | None,
        error: Exception | None, context: dict[str, Any],
    ) -> float | None:
        """Seconds to wait before the next attempt; ``None``: no further one."""
        delay = self._needs_retry(
            response=response, endpoint=None, operation=operation.botocore_model, attempts=attempts,
            caught_exception=error, request_dict={"context": context},
        )
        return None if delay is None or delay is False else float(delay)

    def succeeded(self, status: int, context: dict[str, Any]) -> None:
        """A call ended with a 2xx answer: give the quota back."""
        if self._release is not None:
            self._release(context=context, http_response=HttpResponse(status, {}))


def _standard(total_max_attempts: int | None, dice: Random) -> tuple[Callable[..., Any], Callable[..., Any]]:
    from botocore.retries import standard

    events = _Events()
    client: Any = _Client(_Meta(events, service_model().botocore_model))
    if total_max_attempts is None:
        standard.register_retry_handler(client)
    else:
        standard.register_retry_handler(client, max_attempts=total_max_attempts)
    needs_retry = events.handlers["needs-retry.s3"]
    handler: Any = needs_retry.__self__  # type: ignore[attr-defined]
    handler._retry_policy._retry_backoff._random = dice.random
    return needs_retry, events.handlers["after-call.s3"]


def _legacy(total_max_attempts: int | None, dice: Random) -> Callable[..., Any]:
    from botocore import retryhandler, translate

    known: Any = copy.deepcopy(service_model().legacy_retries)
    client_config = None if total_max_attempts is None else {"max_attempts": total_max_attempts - 1}
    config = translate.build_retry_config("s3", known["retry"], known["definitions"], client_config)
    growth = config["__default__"]["delay"]["growth_factor"]
    handler: Any = retryhandler.create_retry_handler(config, "s3")
    handler._action = lambda attempts: dice.random() * growth ** (attempts - 1)
    return handler  # type: ignore[no-any-return]


def resolve_mode(config_retries: Mapping[str, Any] | None, environ: Mapping[str, str]) -> tuple[str, int | None]:
    """Mode and total attempts from a client's Config and the environment, as botocore's ``args`` does."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

    chosen = dict(config_retries or {})
    total: int | None = None
    if "total_max_attempts" in chosen:
        total = chosen["total_max_attempts"]
    elif "max_attempts" in chosen:
        total = chosen["max_attempts"] + 1
    elif "AWS_MAX_ATTEMPTS" in environ:
        total = int(environ["AWS_MAX_ATTEMPTS"])
    default = BOTOCORE_DEFAUT_SESSION_VARIABLES["retry_mode"][2]
    return chosen.get("mode") or environ.get("AWS_RETRY_MODE") or default or "legacy", total
