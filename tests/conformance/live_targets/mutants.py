"""S3 drivers with one planted bug each, which a real service shows as well as the simulated one, or cannot show."""

from __future__ import annotations

from typing import Any

from storcert.harness.contract import DataObjectDescription, DataObjectUri, DeviceUnavailable
from storcert.harness.drivers.s3 import S3Driver


class TakesLostForDone(S3Driver):
    """Takes a lost request or answer of ``create`` for success."""

    def create(self, uri: DataObjectUri, size: int) -> None:
        try:
            super().create(uri, size)
        except DeviceUnavailable:
            pass


class LeavesAnUpload(S3Driver):
    """``delete`` removes the object and leaves something else in its place."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        self._bucket._client.create_multipart_upload(Bucket=self._bucket.name, Key=self._bucket.key(uri))


class OneByteMore(S3Driver):
    """Describes every object as one byte longer than it is."""

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = super().describe(uri)
        return DataObjectDescription(found.uri, found.size_bytes + 1, found.digest)


class LastOneWins(S3Driver):
    """Publishes without asking whether the name is taken."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        client = self._bucket._client
        real = client.put_object
        client.put_object = lambda IfNoneMatch=None, **more: real(**more)
