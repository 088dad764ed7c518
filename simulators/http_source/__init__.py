"""Simulated web servers that templates are downloaded from and exports sent to, reached through httpx.

``HttpSource(kernel, options)`` is the device, ``put(url, resource, ...)`` says what it serves, ``accept(url, destination)``
where it takes bodies. Layers, inwards: httpx.Client - ``transport`` - wire - ``server`` - ``resource``, ``destination``.
Importing it registers httpx's transport with the fence.
"""

from storcert.simulators.http_source.destination import Destination
from storcert.simulators.http_source.options import HttpSourceOptions
from storcert.simulators.http_source.resource import (
    Endless,
    Host,
    Resource,
    error,
    error_page,
    file,
    pattern,
    redirect,
    zeros,
)
from storcert.simulators.http_source.source import HttpSource

__all__ = [
    "Destination", "Endless", "Host", "HttpSource", "HttpSourceOptions", "Resource", "error", "error_page", "file", "pattern",
    "redirect", "zeros",
]
