"""Simulated NFS version 3: a server at procedure level, and above it a mounted path that behaves as on a Linux client.

``NfsExport(kernel, options)`` is the device. Layers, inwards: mount and client (what ordinary file code sees) - wire -
``server`` - operations (``reading``, ``listing``, ``naming``, ``writing``) - state (``filesystem``, ``tree``, ``content``).
The values that cross the wire are in ``protocol``.
"""

from storcert.simulators.nfs.export import NfsExport
from storcert.simulators.nfs.options import NfsOptions

__all__ = ["NfsExport", "NfsOptions"]
