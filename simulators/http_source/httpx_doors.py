"""How code at a simulated location comes by its transport: ``httpx.HTTPTransport``, replaced there.

Registered with the fence as the group ``httpx``; outside a location the name keeps its meaning. ``httpx.Client()``,
``httpx.get`` and ``httpx.stream`` make their transport by that name. What stands behind it is the location's service
``httpx.transport``: a function that takes the arguments of ``httpx.HTTPTransport``. Without one the real transport is
made, and the fence meets what it does.
"""

from __future__ import annotations

from typing import Any

from storcert.harness.kernel.context import current_location
from storcert.harness.kernel.interpose.install import Interposition, register

TRANSPORT_SERVICE = "httpx.transport"


def _service() -> Any:
    location = current_location()
    return None if location is None else location.services.get(TRANSPORT_SERVICE)


def _dispatching_transport(original: type) -> type:
    """A stand-in for ``httpx.HTTPTransport``: the location's transport there, the real class everywhere else."""

    class Dispatch(type(original)):  # type: ignore[misc]  # the real class has a metaclass: it is abstract
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is not stand_in:  # a subclass knows what it does
                return super().__call__(*args, **kwargs)
            service = _service()
            return original(*args, **kwargs) if service is None else service(*args, **kwargs)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

    names = {"__module__": original.__module__, "__doc__": original.__doc__}
    stand_in: type = Dispatch(original.__name__, (original,), names)
    return stand_in


def install(interposition: Interposition) -> None:
    """The group: applied by the fence."""
    import httpx

    interposition.replace(httpx, "HTTPTransport", _dispatching_transport)


register("httpx", install)
