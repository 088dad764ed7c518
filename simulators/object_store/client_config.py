"""What a client was made with: endpoint, region, credentials, Config; from arguments and environment, as boto3 does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.retrying import resolve_mode
from storcert.simulators.object_store.server import Credentials
from storcert.simulators.object_store.service_model import service_model

_DEFAULT_TIMEOUT_S = 60


_TRANSFER_SIGNALS = ("s3upload-not-transferring", "s3upload-transferring")


class _Events:
    """A client's event system; handlers would run in code that is not modelled. Those of s3transfer, which tell a body when
    its bytes are on their way, stand in ``request_body``."""

    def register(self, *args: Any, unique_id: Any = None, **kwargs: Any) -> None:
        if unique_id not in _TRANSFER_SIGNALS:
            raise NotModelled("client.meta.events.register")

    register_first = register_last = unregister = register


@dataclass(slots=True)
class ClientSettings:
    """Resolved settings of one client."""

    endpoint_url: str
    reaches_device: bool
    region_name: str | None
    credentials: Credentials | None
    anonymous: bool
    read_timeout_ns: int | None
    retry_mode: str
    total_max_attempts: int | None
    config: Any
    _meta: Any = None

    def check_credentials(self) -> None:
        """botocore finds out that it cannot sign when it signs, that is at the first call."""
        if self.credentials is not None or self.anonymous:
            return
        from botocore.exceptions import NoCredentialsError

        raise NoCredentialsError()

    def meta(self) -> Any:
        """botocore's ClientMeta."""
        from botocore.client import ClientMeta
        from botocore.config import Config

        if self._meta is not None:
            return self._meta
        retries: Any = {"mode": self.retry_mode}
        if self.total_max_attempts is not None:
            retries["total_max_attempts"] = self.total_max_attempts
        merged: Any = (self.config or Config()).merge(Config(region_name=self.region_name, retries=retries))
        merged.retries = retries  # Config copies and checks the user's form of it; a client shows the resolved one
        service = service_model()
        events: Any = _Events()
        self._meta = ClientMeta(
            events, merged, self.endpoint_url, service.botocore_model, dict(service.method_names), "aws")
        return self._meta


def resolve(
    arguments: Mapping[str, Any], environ: Mapping[str, str], device_endpoint: str, device_credentials: Credentials,
) -> ClientSettings:
    """Settings from the arguments of ``boto3.client`` and the location's environment."""
    from botocore.exceptions import PartialCredentialsError

    config = arguments.get("config")
    endpoint = arguments.get("endpoint_url") or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    region = (
        arguments.get("region_name") or getattr(config, "region_name", None) or environ.get("AWS_DEFAULT_REGION"))
    if endpoint is None:
        scheme = "https" if arguments.get("use_ssl", True) else "http"
        endpoint = f"{scheme}://s3.{region or 'us-east-1'}.amazonaws.com"
    elif not _valid(endpoint):
        raise ValueError(f"Invalid endpoint: {endpoint}")
    key, secret = arguments.get("aws_access_key_id"), arguments.get("aws_secret_access_key")
    token = arguments.get("aws_session_token")
    if (key is None) != (secret is None):
        missing = "aws_secret_access_key" if secret is None else "aws_access_key_id"
        raise PartialCredentialsError(provider="explicit", cred_var=missing)
    if key is None:
        key, secret = environ.get("AWS_ACCESS_KEY_ID") or None, environ.get("AWS_SECRET_ACCESS_KEY") or None
        token = environ.get("AWS_SESSION_TOKEN")
        if key is not None and secret is None:
            raise PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY")
    credentials = None
    if key is not None and secret is not None:
        credentials = Credentials(key, secret, token)
        if (key, secret) == (device_credentials.access_key, device_credentials.secret_key):
            credentials = device_credentials
    anonymous = _is_unsigned(config)
    mode, attempts = resolve_mode(getattr(config, "retries", None), environ)
    read_timeout_s = _DEFAULT_TIMEOUT_S if config is None else config.read_timeout
    return ClientSettings(
        endpoint_url=endpoint.rstrip("/"), reaches_device=endpoint.rstrip("/").lower() == device_endpoint.lower(),
        region_name=region, credentials=None if anonymous else credentials, anonymous=anonymous,
        read_timeout_ns=None if read_timeout_s is None else int(read_timeout_s * 1_000_000_000), retry_mode=mode,
        total_max_attempts=attempts, config=config,
    )


def _is_unsigned(config: Any) -> bool:
    if config is None:
        return False
    from botocore import UNSIGNED

    return config.signature_version is UNSIGNED


def _valid(endpoint: str) -> bool:
    from botocore.utils import is_valid_endpoint_url

    return bool(is_valid_endpoint_url(endpoint))
