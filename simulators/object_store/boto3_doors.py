"""How code at a simulated location comes by its client: the names of boto3 and botocore that make one, replaced there.

Registered with the fence as the group ``boto3``; outside a location every name keeps its meaning. What stands behind is the
location's service ``boto3.session``: a function that takes the arguments of ``boto3.session.Session``.
"""

from __future__ import annotations

from typing import Any

from storcert.harness.kernel.context import current_location
from storcert.harness.kernel.interpose.install import Interposition, register
from storcert.simulators.device import NotModelled
from storcert.simulators.object_store import transfer

SESSION_SERVICE = "boto3.session"
CLIENT_SERVICE = "boto3.client"


def _service(name: str) -> Any:
    """What stands behind ``name`` at the location that runs now; ``None`` outside, and where no object store is attached:
    there boto3 is the real one, and the fence meets what it does."""
    location = current_location()
    return None if location is None else location.services.get(name)


def _dispatching_session(original: type) -> type:
    """A stand-in for ``boto3.session.Session``: the location's session there, the real class everywhere else."""

    class Dispatch(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is not stand_in:  # a subclass knows what it does
                return super().__call__(*args, **kwargs)
            service = _service(SESSION_SERVICE)
            return original(*args, **kwargs) if service is None else service(*args, **kwargs)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original) or getattr(instance, "stands_for_session", False)

    names = {"__module__": original.__module__, "__doc__": original.__doc__}
    stand_in = Dispatch(original.__name__, (original,), names)
    return stand_in


def _dispatching_client(original: Any) -> Any:
    def client(*args: Any, **kwargs: Any) -> Any:
        service = _service(CLIENT_SERVICE)
        return original(*args, **kwargs) if service is None else service(*args, **kwargs)

    return client


def _dispatching_create_client(original: Any) -> Any:
    def create_client(self: Any, *args: Any, **kwargs: Any) -> Any:
        service = _service(CLIENT_SERVICE)
        return original(self, *args, **kwargs) if service is None else service(*args, **kwargs)

    return create_client


def _not_modelled(name: str) -> Any:
    def make(original: Any) -> Any:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            if _service(CLIENT_SERVICE) is None:
                return original(*args, **kwargs)
            raise NotModelled(name)

        return replacement

    return make


def install(interposition: Interposition) -> None:
    """The group: applied by the fence."""
    import boto3
    import boto3.session
    import botocore.session

    interposition.replace(boto3.session, "Session", _dispatching_session)
    interposition.replace(boto3, "client", _dispatching_client)
    interposition.replace(boto3, "resource", _not_modelled("boto3.resource"))
    interposition.replace(boto3, "setup_default_session", _not_modelled("boto3.setup_default_session"))
    interposition.replace(botocore.session.Session, "create_client", _dispatching_create_client)
    transfer.install(interposition)


register("boto3", install)
