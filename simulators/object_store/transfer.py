"""Managed transfers (``upload_fileobj`` and its kin): boto3's own code, on s3transfer and its threads, over this client.

At a location those threads are tasks of the simulation, so thresholds, part sizes, parallel requests, retries of a broken
download and what happens to an upload that fails are the real ones. Sets of s3transfer's objects get a fixed order, because it
waits for their members one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.kernel.context import outside
from storcert.harness.kernel.interpose.install import Interposition
from storcert.harness.kernel.interpose.object_order import order_by_making

NAMES = ("upload_fileobj", "download_fileobj", "upload_file", "download_file", "copy")


def managed_transfers() -> Mapping[str, Callable[..., Any]]:
    """The methods that boto3 adds to its S3 client, by name."""
    with outside():
        from boto3.s3 import inject
    return {name: getattr(inject, name) for name in NAMES}


def install(interposition: Interposition) -> None:
    """Sets of s3transfer's objects are walked through in the order in which the objects were made."""
    from s3transfer.futures import ExecutorFuture, TransferCoordinator

    for cls in (ExecutorFuture, TransferCoordinator):
        order_by_making(interposition, cls)
