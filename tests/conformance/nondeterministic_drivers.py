"""Drivers whose answers depend on something that no seed decides and no new import resets, and some that only look like it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import boto3

from storcert.harness.contract import DataObjectDescription, DataObjectUri
from storcert.harness.drivers.s3 import S3Driver

LOADED = itertools.count(1)


def third_time() -> bool:
    """Every third time in a process; the count is kept in somebody else's module, as a patched library would."""
    return next(boto3.__dict__["count_of_a_test"]) % 3 == 0


class Counting(S3Driver):
    """Every third answer of the process is wrong."""

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = super().describe(uri)
        return replace(found, size_bytes=found.size_bytes + third_time())


class Asking(S3Driver):
    """Every third time it asks for something else, and destroys what it was asked about."""

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        if third_time():
            super().delete(uri)
        return super().describe(uri)


class InNoOrder(S3Driver):
    """Leaves out some of its names; which ones, the addresses of objects decide. That it does is the same every time."""

    def list_objects(self) -> Iterator[DataObjectUri]:
        class Held:
            def __init__(self, uri: DataObjectUri) -> None:
                self.uri = uri

        return iter([held.uri for held in list({Held(uri) for uri in super().list_objects()})[:5]])


class SecondTime(S3Driver):
    """Wrong from its second answer on, as every new process has it: no seed is needed to have that again."""

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = super().describe(uri)
        return replace(found, size_bytes=found.size_bytes + (next(LOADED) > 1))
