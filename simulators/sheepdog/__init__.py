"""Simulated Sheepdog cluster, reached through the ``dog`` command as ``subprocess`` runs it.

``SheepdogCluster(kernel, options)`` is the device. Layers, inwards: the command (``dog`` and the modules that begin with
``dog_``; dog is a client and does much of the work itself) - ``requests`` (one step of dog, one wire request) - ``sheep``
(what a request does) - ``vdis`` and ``objects`` (names, inodes, data objects and their reference counts).
"""

from storcert.simulators.sheepdog.cluster import SheepdogCluster
from storcert.simulators.sheepdog.options import SheepdogOptions

__all__ = ["SheepdogCluster", "SheepdogOptions"]
