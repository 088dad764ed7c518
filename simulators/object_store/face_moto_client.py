"""Real boto3 clients for code at a simulated location: botocore signs, serialises, parses and retries; nothing is patched.

A client made here differs from any other in one handler: ``before-send`` gives each HTTP request to the device instead of to
the network, which is where moto itself hooks in. Configuration and credentials come from the environment of the location,
never from this machine's. What does not depend on the location (service model, endpoint rules, client class) is made
once per process. No fault and no time here: that is the business of :mod:`storcert.simulators.object_store.face_moto`.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3.session
import botocore.client
import botocore.configprovider
import botocore.credentials
import botocore.hooks
import botocore.loaders
import botocore.regions
import botocore.session
import botocore.useragent
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from storcert.harness.kernel import context

Send = Callable[[Any, str, AWSPreparedRequest], AWSResponse]
"""``(client, operation, request) -> response``, or one of botocore's own connection errors."""


class LocationCoreSession(botocore.session.Session):
    """botocore's session with the environment of a location and no configuration file."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(event_hooks=copy.copy(_pristine_events()), include_builtin_handlers=False)

    @property
    def full_config(self) -> dict[str, Any]:
        return {"profiles": {}}

    def _register_config_store(self) -> None:
        chains = botocore.configprovider.ConfigChainFactory(session=self, environ=self._environ)
        mapping = botocore.configprovider._create_config_chain_mapping(
            chains, botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
        )
        mapping["s3"] = botocore.configprovider.SectionConfigProvider(
            "s3",
            self,
            botocore.configprovider._create_config_chain_mapping(
                chains, botocore.configprovider.DEFAULT_S3_CONFIG_VARS
            ),
        )
        mapping["proxies_config"] = botocore.configprovider.SectionConfigProvider(
            "proxies_config",
            self,
            botocore.configprovider._create_config_chain_mapping(
                chains, botocore.configprovider.DEFAULT_PROXIES_CONFIG_VARS
            ),
        )
        self._components.register_component("config_store", botocore.configprovider.ConfigValueStore(mapping=mapping))

    def _register_credential_provider(self) -> None:
        provider = botocore.credentials.EnvProvider(environ=self._environ)
        self._components.register_component(
            "credential_provider", botocore.credentials.CredentialResolver([provider])
        )

    def _register_data_loader(self) -> None:
        self._components.register_component("data_loader", _loader())

    def _register_endpoint_resolver(self) -> None:
        self._internal_components.register_component("endpoint_resolver", _endpoint_resolver())

    def _register_user_agent_creator(self) -> None:
        # The same on every machine: the request is signed and measured with it.
        agent = botocore.useragent.UserAgentString("Linux", "6", "x86_64", "3", "CPython", None)
        self._components.register_component("user_agent_creator", agent)


class LocationSession(boto3.session.Session):
    """boto3's session whose S3 clients reach the device."""

    def __init__(self, environ: Mapping[str, str], send: Send, **arguments: Any) -> None:
        self._send_to_device = send
        with context.outside():
            super().__init__(botocore_session=LocationCoreSession(environ), **arguments)

    def client(self, service_name: str, *arguments: Any, **named: Any) -> Any:
        with context.outside(), _made_once():
            client = super().client(service_name, *arguments, **named)
        send = self._send_to_device

        def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
            return send(client, event_name.rpartition(".")[2], request)

        client.meta.events.register_last("before-send", before_send)
        return client

    def resource(self, *arguments: Any, **named: Any) -> Any:
        with context.outside():
            return super().resource(*arguments, **named)


@functools.lru_cache(maxsize=1)
def _loader() -> botocore.loaders.Loader:
    # Only the data botocore and boto3 were installed with: no folder of this machine's user.
    loader = botocore.loaders.Loader(include_default_search_paths=False)
    loader.search_paths.append(botocore.loaders.Loader.BUILTIN_DATA_PATH)
    return loader


@functools.lru_cache(maxsize=1)
def _endpoint_resolver() -> Any:
    return botocore.regions.EndpointResolver(_loader().load_data("endpoints"), uses_builtin_data=True)


@functools.lru_cache(maxsize=1)
def _pristine_events() -> Any:
    return botocore.session.Session()._original_handler


_classes: dict[str, type] = {}
_models: dict[str, Any] = {}
_providers: dict[tuple[tuple[str, int], ...], tuple[Any, Any]] = {}
_creator = botocore.client.ClientCreator
_make_class = _creator._create_client_class
_make_model = _creator._load_service_model
_make_provider = botocore.regions.EndpointProvider


def _client_class(self: Any, service_name: str, service_model: Any) -> type:
    if service_name not in _classes:
        _classes[service_name] = _make_class(self, service_name, service_model)
    return _classes[service_name]


def _service_model(self: Any, service_name: str, api_version: str | None = None) -> Any:
    name = f"{service_name}/{api_version}"
    if name not in _models:
        _models[name] = _make_model(self, service_name, api_version)
    return _models[name]


def _endpoint_provider(**arguments: Any) -> Any:
    # The data is the loader's and lives as long as the process, so that its identity may serve as its name.
    name = tuple(sorted((key, id(value)) for key, value in arguments.items()))
    if name not in _providers:
        _providers[name] = (arguments, _make_provider(**arguments))
    return _providers[name][1]


@contextmanager
def _made_once() -> Iterator[None]:
    """While a client is made, and only then, botocore finds its immutable parts ready made."""
    lent = [
        (_creator, "_create_client_class", _client_class),
        (_creator, "_load_service_model", _service_model),
        (botocore.regions, "EndpointProvider", _endpoint_provider),
    ]
    own = [(owner, name, getattr(owner, name)) for owner, name, _ in lent]
    for owner, name, value in lent:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in own:
            setattr(owner, name, value)
