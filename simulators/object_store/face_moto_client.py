"""Real boto3 clients for code at a simulated location: botocore signs, serialises, parses and retries; nothing is patched.

A client made here differs from any other in one handler: ``before-send`` gives each HTTP request to the device instead of to
the network, which is where moto itself hooks in. Configuration and credentials come from the environment of the location,
never from this machine's. What does not depend on the location (service model, endpoint rules, client class) is made
once per process. No fault and no time here: that is the business of :mod:`storcert.simulators.object_store.face_moto`.
"""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3.session
import botocore.client
import botocore.configprovider
import botocore.credentials
import botocore.loaders
import botocore.regions
import botocore.retries.standard
import botocore.session
import botocore.useragent
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from storcert.harness.kernel import context

Send = Callable[[Any, str, AWSPreparedRequest], AWSResponse]
"""``(client, operation, request) -> response``, or one of botocore's own connection errors."""


class LocationCoreSession(botocore.session.Session):
    """botocore's session with the environment of a location and no configuration file."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._location_environ = environ
        super().__init__(event_hooks=copy.copy(_pristine_events()), include_builtin_handlers=False)
        provider = botocore.credentials.EnvProvider(environ=environ)
        self.register_component("credential_provider", botocore.credentials.CredentialResolver([provider]))
        self.register_component("config_store", _config_store(self, environ))
        self.register_component("data_loader", _loader())
        # The same on every machine: requests are signed and measured with it.
        agent = botocore.useragent.UserAgentString("Linux", "6", "x86_64", "3", "CPython", "")
        self.register_component("user_agent_creator", agent)

    @property
    def full_config(self) -> dict[str, Any]:
        return {"profiles": {}}

    def _add_configured_endpoint_provider(self, client_name: str, config_store: Any) -> None:
        make: Any = botocore.configprovider
        chain = make.ConfiguredEndpointProvider(
            full_config=self.full_config, scoped_config={}, client_name=client_name, environ=self._location_environ
        )
        config_store.set_config_provider(logical_name="endpoint_url", provider=chain)


def _config_store(session: LocationCoreSession, environ: Mapping[str, str]) -> Any:
    """What botocore makes of configuration names, with ``environ`` in place of the process's environment."""
    provider: Any = botocore.configprovider
    chains = provider.ConfigChainFactory(session=session, environ=environ)
    mapping = provider._create_config_chain_mapping(chains, provider.BOTOCORE_DEFAUT_SESSION_VARIABLES)
    for section, names in (("s3", provider.DEFAULT_S3_CONFIG_VARS), ("proxies_config", provider.DEFAULT_PROXIES_CONFIG_VARS)):
        chain = provider._create_config_chain_mapping(chains, names)
        mapping[section] = provider.SectionConfigProvider(section, session, chain)
    return provider.ConfigValueStore(mapping=mapping)


class LocationSession(boto3.session.Session):
    """boto3's session whose S3 clients reach the device."""

    def __init__(self, environ: Mapping[str, str], send: Send, *arguments: Any, **named: Any) -> None:
        self._send_to_device = send
        with context.outside():
            named.setdefault("botocore_session", LocationCoreSession(environ))
            super().__init__(*arguments, **named)

    def client(self, service_name: str, *arguments: Any, **named: Any) -> Any:
        with context.outside(), _made_once():
            make: Any = super().client
            client = make(service_name, *arguments, **named)
        send = self._send_to_device

        def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
            return send(client, event_name.rpartition(".")[2], request)

        client.meta.events.register_last("before-send", before_send)
        return client

    def resource(self, *arguments: Any, **named: Any) -> Any:
        with context.outside():
            return super().resource(*arguments, **named)


class LocationBackoff(botocore.retries.standard.ExponentialBackoff):
    """botocore's backoff, drawing from the location's randomness.

    botocore holds ``random.random`` of this machine as a default argument, out of reach of whoever replaces it later.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(random=lambda: random.random(), **arguments)


@functools.lru_cache(maxsize=1)
def _loader() -> botocore.loaders.Loader:
    # Only the data botocore and boto3 were installed with: no folder of this machine's user.
    loader = botocore.loaders.Loader(include_default_search_paths=False)
    loader.search_paths.append(botocore.loaders.Loader.BUILTIN_DATA_PATH)
    return loader


@functools.lru_cache(maxsize=1)
def _pristine_events() -> Any:
    session: Any = botocore.session.Session()
    return session._original_handler


_classes: dict[str, type] = {}
_models: dict[str, Any] = {}
_providers: dict[tuple[tuple[str, int], ...], tuple[Any, Any]] = {}
_creator: Any = botocore.client.ClientCreator
_regions: Any = botocore.regions
_make_class = _creator._create_client_class
_make_model = _creator._load_service_model
_make_provider = _regions.EndpointProvider


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
    """While a client is made, and only then, botocore finds its immutable parts ready made and our backoff."""
    lent = [
        (_creator, "_create_client_class", _client_class),
        (_creator, "_load_service_model", _service_model),
        (_regions, "EndpointProvider", _endpoint_provider),
        (botocore.retries.standard, "ExponentialBackoff", LocationBackoff),
    ]
    own = [(owner, name, getattr(owner, name)) for owner, name, _ in lent]
    for owner, name, value in lent:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in own:
            setattr(owner, name, value)
