"""moto's S3 in this process, private to one device: no patching of botocore, no module state shared between two worlds.

moto keeps what it knows in names of its modules: a dictionary of backends, a common bucket namespace, one random source, the
clock, a list of every instance ever made. :class:`MotoServer` owns one of each and lends them to moto's modules for the
time of one request. A request is served at one instant, outside every location, in one thread, so nothing can look while they
are lent. Nothing about time, faults or locations lives here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import unquote

import moto.core.responses as core_responses
import moto.iam.models as iam_models
import moto.moto_api._internal as internal
import moto.s3.models
import moto.s3.responses
from moto import settings
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.moto_api._internal.moto_random import MotoRandom
from werkzeug.exceptions import HTTPException

from storcert.simulators.device import CensusEntry
from storcert.simulators.object_store.http_answer import HttpAnswer

# What moto's modules import from each other counts as private to mypy; lending it back to them is the point here.
models: Any = moto.s3.models
responses: Any = moto.s3.responses
ACCOUNT = "123456789012"
PARTITION = "aws"
HOST = "s3.amazonaws.com"
_TRACKED = (models.FakeKey, models.FakeDeleteMarker, models.FakeMultipart, models.FakeBucket)


class PrivateBackend(moto.s3.models.S3Backend):
    """moto's backend, with upload ids from the device's own random source instead of the machine's."""

    def create_multipart_upload(self, bucket_name: str, *arguments: Any, **named: Any) -> Any:
        upload = super().create_multipart_upload(bucket_name, *arguments, **named)
        uploads = self.get_bucket(bucket_name).multiparts
        del uploads[upload.id]
        upload.id = models.random.get_random_string(57)
        uploads[upload.id] = upload
        return upload


class PrivateResponse(moto.s3.responses.S3Response):
    """moto's request handler, always for the device's one account, whatever the environment or the access key say."""

    def get_current_account(self) -> str:
        return ACCOUNT


class MotoServer:
    """One S3 service. ``random`` seeds its ids; ``now_ns`` is its clock, simulated Unix time in nanoseconds."""

    def __init__(
        self, random: Random, now_ns: Callable[[], int], *, part_size_min_bytes: int = 5 << 20, page_size: int = 1000
    ) -> None:
        self._now_ns = now_ns
        self._part_size_min_bytes = part_size_min_bytes
        self._page_size = page_size
        self._last_ms = 0
        self._random = MotoRandom(random.getrandbits(64))
        self._backends = models.S3BackendDict(
            PrivateBackend, service_name="s3", use_boto3_regions=False, additional_regions=[PARTITION]
        )
        self._instances: dict[type, list[Any]] = {kind: [] for kind in _TRACKED}
        with self._lent():
            self.backend: moto.s3.models.S3Backend = self._backends[ACCOUNT][PARTITION]
        # moto registers every dictionary for its global reset, which is not ours to be reset by.
        registered: list[Any] = vars(BackendDict)["_instances"]
        registered[:] = [kept for kept in registered if kept is not self._backends]

    def serve(
        self, method: str, target: str, query: str, headers: Mapping[str, Any], body: bytes, *, bucket: str
    ) -> HttpAnswer:
        """Answer one request. ``target``: percent-encoded path below the bucket, without its leading slash."""
        path = f"/{bucket}/{target}" if target else f"/{bucket}"
        url = f"http://{HOST}{path}" + (f"?{query}" if query else "")
        sent = {name: value for name, value in headers.items() if name.lower() != "host"} | {"Host": HOST}
        with self._lent():
            request = Request.from_primitives(method, url, sent, body)
            try:
                dispatch = PrivateResponse.key_dispatch if target else PrivateResponse.bucket_dispatch
                answer: tuple[Any, Any, Any] = dispatch(request, request.raw_url, request.headers)
            except HTTPException as error:
                answer = (error.code, error.get_headers(), error.get_body())
            except Exception as error:  # noqa: BLE001  moto's own server answers 500 to whatever goes wrong inside it
                text = f"<Error><Code>InternalError</Code><Message>{type(error).__name__}</Message></Error>"
                answer = (500, {"content-type": "application/xml"}, text)
        status, answer_headers, content = answer
        content = content.encode() if isinstance(content, str) else bytes(content or b"")
        return HttpAnswer(int(status), {str(k): str(v) for k, v in dict(answer_headers).items()}, content)

    def create_bucket(self, name: str, *, region: str, versioning: bool) -> None:
        """Make a bucket without a request: the device is delivered with it."""
        with self._lent():
            self.backend.create_bucket(name, region)
            if versioning:
                self.backend.put_bucket_versioning(name, "Enabled")

    def size_of(self, bucket: str, key: str) -> int:
        """Bytes of the current object of a percent-encoded key; 0 where there is none."""
        held = self.backend.buckets.get(bucket)
        found = None if held is None else held.keys.get(unquote(key))
        return int(getattr(found, "size", 0))

    def close(self) -> None:
        """Give back every buffer. The server is of no use afterwards."""
        for instances in self._instances.values():
            for instance in instances:
                if hasattr(instance, "dispose"):
                    instance.dispose()
            instances.clear()
        self._backends.clear()

    def _utcnow(self) -> datetime.datetime:
        # moto orders versions by their millisecond: two in one millisecond would swap, so its clock never stands still.
        self._last_ms = max(self._now_ns() // 1_000_000, self._last_ms + 1)
        whole = datetime.datetime.fromtimestamp(self._last_ms // 1000, tz=datetime.UTC)
        return whole.replace(tzinfo=None, microsecond=self._last_ms % 1000 * 1000)

    @contextmanager
    def _lent(self) -> Iterator[None]:
        lent: list[tuple[Any, str, Any]] = [
            (models, "s3_backends", self._backends),
            (responses, "s3_backends", self._backends),
            (models, "random", self._random),
            (internal, "mock_random", self._random),
            (models, "utcnow", self._utcnow),
            (core_responses, "utcnow", self._utcnow),
            (models, "S3_UPLOAD_PART_MIN_SIZE", self._part_size_min_bytes),
            (models, "get_s3_default_key_buffer_size", _in_memory),
            (settings, "get_s3_default_max_keys", lambda: self._page_size),
            (models, "events_send_notification", _ignore),
            (iam_models, "mark_account_as_visited", _ignore),
        ]
        lent += [(kind, "instances_tracked", self._instances[kind]) for kind in _TRACKED]
        own = [(owner, name, getattr(owner, name)) for owner, name, _ in lent]
        for owner, name, value in lent:
            setattr(owner, name, value)
        try:
            yield
        finally:
            for owner, name, value in own:
                setattr(owner, name, value)


def moto_census(server: MotoServer) -> tuple[CensusEntry, ...]:
    """What moto holds, in the same words as the census of the native model."""
    found: list[CensusEntry] = []
    for bucket in server.backend.buckets.values():
        for key, versions in bucket.keys.iterlists():
            for version in versions:
                marker = isinstance(version, models.FakeDeleteMarker)
                kind = "delete-marker" if marker else "object" if version is versions[-1] else "version"
                size = 0 if marker else int(version.size)
                found.append(CensusEntry(kind, f"{bucket.name}/{key}", str(version.version_id), size))
        for upload in bucket.multiparts.values():
            name = f"{bucket.name}/{upload.key_name}"
            found.append(CensusEntry("upload", name, upload.id, 0))
            found.extend(
                CensusEntry("part", name, f"{upload.id}/{number:05}", int(part.size)) for number, part in upload.parts.items()
            )
    return tuple(sorted(found))


def _ignore(*arguments: object, **named: object) -> None:
    """Other services of moto do not exist here."""


def _in_memory() -> int:
    """How much of an object moto keeps in memory before it makes a temporary file: all of it."""
    return 1 << 62
