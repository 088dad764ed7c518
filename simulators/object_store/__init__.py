"""Simulated S3: a fast native model that answers as boto3's client does, and moto behind real botocore for the rest.

``ObjectStore(kernel, options)`` is the device. Layers, inwards: face (client library) - wire - server - operations
(``objects``, ``multipart``, ``listing``, ``buckets``) - state (``model``). What servers do differently is in ``dialect``.
"""

from storcert.simulators.object_store.options import ObjectStoreOptions
from storcert.simulators.object_store.store import ObjectStore

__all__ = ["ObjectStore", "ObjectStoreOptions"]
