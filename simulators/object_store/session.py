"""boto3's Session and ``boto3.client`` as the native face offers them at one location. No operation of S3 here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storcert.simulators.device import NotModelled
from storcert.simulators.network.wire import Wire
from storcert.simulators.object_store.client_config import resolve
from storcert.simulators.object_store.face_native import S3Client, make_client
from storcert.simulators.object_store.server import Server

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

STORES_SERVICE = "object-store.endpoints"
"""The faces of all stores that a location reaches, by endpoint."""
_CLIENT_ARGUMENTS = (
    "service_name", "region_name", "api_version", "use_ssl", "verify", "endpoint_url", "aws_access_key_id",
    "aws_secret_access_key", "aws_session_token", "config", "aws_account_id",
)
_SESSION_ARGUMENTS = (
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region_name", "botocore_session", "profile_name",
    "aws_account_id",
)


def _bind(names: tuple[str, ...], function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(names):
        raise TypeError(f"{function}() takes {len(names)} positional arguments but {len(args)} were given")
    bound = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        if name in bound:
            raise TypeError(f"{function}() got multiple values for argument '{name}'")
        bound[name] = value
    return bound


class NativeFace:
    """Makes clients and sessions of one device for the locations it is attached to."""

    def __init__(self, wire: Wire, server: Server, endpoint_url: str) -> None:
        self._wire = wire
        self._server = server
        self._endpoint_url = endpoint_url

    def client(self, location: Location, *args: Any, **kwargs: Any) -> S3Client:
        """``boto3.client(...)``."""
        bound = _bind(_CLIENT_ARGUMENTS, "client", args, kwargs)
        if "service_name" not in bound:
            raise TypeError("client() missing 1 required positional argument: 'service_name'")
        if bound["service_name"] != "s3":
            raise NotModelled(f"boto3.client({bound['service_name']!r})")
        settings = resolve(bound, location.environ, self._endpoint_url, self._server.credentials)
        other = None if settings.reaches_device else location.services[STORES_SERVICE].get(settings.endpoint_url.lower())
        if other is not None:
            made: S3Client = other.client(location, **bound)
            return made
        return make_client(self._wire, self._server, location, settings)

    def session(self, location: Location, *args: Any, **kwargs: Any) -> NativeSession:
        """``boto3.session.Session(...)``."""
        return NativeSession(self, location, _bind(_SESSION_ARGUMENTS, "Session", args, kwargs))


class NativeSession:
    """As much of boto3's Session as makes clients."""

    stands_for_session = True

    def __init__(self, face: NativeFace, location: Location, arguments: dict[str, Any]) -> None:
        if arguments.get("profile_name") is not None:
            from botocore.exceptions import ProfileNotFound

            raise ProfileNotFound(profile=arguments["profile_name"])
        self._face = face
        self._location = location
        self._defaults = {
            name: value for name, value in arguments.items() if value is not None and name != "botocore_session"}

    @property
    def region_name(self) -> str | None:
        """The region new clients get."""
        return self._defaults.get("region_name") or self._location.environ.get("AWS_DEFAULT_REGION")

    @property
    def profile_name(self) -> str:
        """There are no configuration files, so there is one profile."""
        return "default"

    def client(self, *args: Any, **kwargs: Any) -> S3Client:
        """A client with the session's defaults."""
        bound = _bind(_CLIENT_ARGUMENTS, "client", args, kwargs)
        merged = {**self._defaults, **{name: value for name, value in bound.items() if value is not None}}
        return self._face.client(self._location, **merged)

    def __getattr__(self, name: str) -> Any:
        raise NotModelled(f"boto3.session.Session.{name}")
