"""One bucket as the S3 driver sees it: its configuration, its client, one way to send requests with bounded effort.

botocore is told not to retry: only the driver knows which requests may be sent twice, how many one *call* may cost in
all (C-BUDGET), and whether an earlier attempt may have had an effect. Nothing the device answered is kept here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3.session
from botocore.config import Config

from storcert.harness.contract import DataObjectUri, InvalidRequest, JsonValue
from storcert.harness.drivers.s3_errors import FOREIGN, REPEATABLE, RequestFailed, Trouble, classify, is_whole

MIB = 1024**2
GIB = 1024**3
KEY_BYTES_MAX = 1024
NAME_BYTES_MIN = 64
PARTS_MAX = 10_000
PART_BYTES_MAX = 5 * GIB
OBJECT_BYTES_MAX = 5 * 1024 * GIB
PARTS_PER_STEP = 900
WRITE_ID = "storcert-write"
DATA_MARK = "!"
CLAIM_ID_BYTES = 32

_KIND_AND_SLASHES = len("template/") + len("/")
_BYTES_WHEN_ENCODED = 3


class Effort:
    """What one call of the driver may still spend: retries in a row, retries in all, and time."""

    def __init__(self, retries: int = 5, retries_in_all: int = 40, seconds: float = 420.0) -> None:
        self._retries = retries
        self._left_in_all = retries_in_all
        self._in_a_row = 0
        self._ends = time.monotonic() + seconds

    @classmethod
    def closing(cls) -> Effort:
        """For finding out what happened and for cleaning up, when the main effort may be spent."""
        return cls(retries=3, retries_in_all=6, seconds=45.0)

    def progressed(self) -> None:
        """One step of many is done: the next one starts with fresh patience, but the same time and total."""
        self._in_a_row = 0

    def check(self, what: str) -> None:
        """Raise :class:`RequestFailed`, without any effect of its own, where the time is spent."""
        if self.expired():
            raise RequestFailed(Trouble.REFUSED, f"{what} took too long")

    def expired(self) -> bool:
        """Whether the time is spent."""
        return time.monotonic() >= self._ends

    def again(self) -> bool:
        """Wait a little longer each time, then whether one more attempt may be made."""
        if self._in_a_row >= self._retries or self._left_in_all <= 0 or self.expired():
            return False
        delay_s = min(0.1 * 2.0**self._in_a_row, 5.0)
        self._in_a_row += 1
        self._left_in_all -= 1
        time.sleep(delay_s * (0.5 + random.random() / 2))
        return True


@dataclass(frozen=True, slots=True)
class Head:
    """What HEAD tells of an object under ``key``. ``write_id`` is ``None`` for an object that another program wrote."""

    size_bytes: int
    etag: str | None
    write_id: str | None
    version_id: str | None
    modified: str
    key: str = ""

    def is_same_object(self, other: Head) -> bool:
        """Whether both describe one object, not an equal one written later."""
        return self == other


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked configuration."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region_name: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    addressing_style: str = "path"
    part_size_bytes: int = 5 * MIB
    copy_part_bytes: int = PART_BYTES_MAX
    max_object_size_bytes: int = OBJECT_BYTES_MAX
    conditional_copy: bool = True
    conditional_complete: bool = True

    @classmethod
    def parse(cls, configuration: Mapping[str, JsonValue]) -> Settings:
        """Raises ``InvalidRequest`` naming the key that is unknown, missing or wrong; never a value."""
        if not isinstance(configuration, Mapping):
            raise InvalidRequest("the configuration of the s3 driver is a mapping")
        known = cls.__dataclass_fields__
        unknown = sorted(str(key) for key in configuration if key not in known)
        if unknown:
            raise InvalidRequest(f"s3 has no configuration key {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        if not configuration.get("bucket"):
            raise InvalidRequest("s3 needs the configuration key bucket")
        for key, value in configuration.items():
            expected = known[key].type
            if not _fits(value, str(expected)):
                raise InvalidRequest(f"configuration key {key} of s3 must be {expected}, not {type(value).__name__}")
        settings = cls(**configuration)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.addressing_style not in ("path", "virtual", "auto"):
            raise InvalidRequest("configuration key addressing_style of s3 must be path, virtual or auto")
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise InvalidRequest("aws_access_key_id and aws_secret_access_key of s3 are given together or not at all")
        for name in ("part_size_bytes", "copy_part_bytes"):
            if not 1 <= getattr(self, name) <= PART_BYTES_MAX:
                raise InvalidRequest(f"configuration key {name} of s3 must be from 1 to {PART_BYTES_MAX}")
        if self.max_object_size_bytes < 0:
            raise InvalidRequest("configuration key max_object_size_bytes of s3 must not be negative")
        if "\0" in self.prefix or any("\ud800" <= character <= "\udfff" for character in self.prefix):
            raise InvalidRequest("configuration key prefix of s3 must be Unicode text without NUL")
        if self.name_bytes_max < NAME_BYTES_MIN:
            raise InvalidRequest("configuration key prefix of s3 is too long: it leaves no room for names of 64 bytes")

    @property
    def name_bytes_max(self) -> int:
        """Any two segments so long fit into a key, even where each of their bytes is percent-encoded."""
        room_bytes = KEY_BYTES_MAX - len(self.prefix.encode()) - _KIND_AND_SLASHES
        if not self.conditional_complete:
            room_bytes -= len(DATA_MARK) + CLAIM_ID_BYTES
        return max(0, room_bytes) // (2 * _BYTES_WHEN_ENCODED)

    @property
    def size_bytes_max(self) -> int:
        """What a stream of unknown length reaches within the parts there are, and no more than the device takes."""
        reachable = sum(
            min(self.part_size_bytes << step, PART_BYTES_MAX) * min(PARTS_PER_STEP, PARTS_MAX - step * PARTS_PER_STEP)
            for step in range(-(-PARTS_MAX // PARTS_PER_STEP))
        )
        return min(self.max_object_size_bytes, OBJECT_BYTES_MAX, reachable)

    def part_bytes(self, number: int, size: int | None) -> int:
        """Length of part ``number`` (from 1). Without a known size parts grow, so that 10,000 of them suffice."""
        if size is not None:
            return max(self.part_size_bytes, -(-size // PARTS_MAX))
        return min(self.part_size_bytes << ((number - 1) // PARTS_PER_STEP), PART_BYTES_MAX)


def _fits(value: object, expected: str) -> bool:
    if value is None:
        return "None" in expected
    if isinstance(value, bool):
        return expected == "bool"
    if isinstance(value, int):
        return expected == "int"
    return isinstance(value, str) and "str" in expected


class Bucket:
    """The client and the bucket it talks to. Holds connections, never answers (C-STATELESS)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.bucket
        style: Any = settings.addressing_style
        try:
            # A session of its own: the module-wide one would share credentials between two configurations.
            session: Any = boto3.session.Session()
            self._client: Any = session.client(
                "s3",
                endpoint_url=settings.endpoint_url,
                region_name=settings.region_name,
                aws_access_key_id=settings.aws_access_key_id,
                aws_secret_access_key=settings.aws_secret_access_key,
                aws_session_token=settings.aws_session_token,
                config=Config(
                    connect_timeout=5,
                    read_timeout=30,
                    retries={"mode": "standard", "total_max_attempts": 1},
                    s3={"addressing_style": style},
                ),
            )
        except ValueError as error:
            raise InvalidRequest(f"the s3 client cannot be made: {error}") from error
        except FOREIGN as error:
            raise InvalidRequest(f"the s3 client cannot be made: {classify(error).text}") from error

    def key(self, uri: DataObjectUri) -> str:
        """The one key of ``uri``: percent-encoded, so that keys are ASCII and two names never meet (C-NAMES)."""
        if not isinstance(uri, DataObjectUri):
            raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
        limit = self.settings.name_bytes_max
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > limit:
                raise InvalidRequest(f"a segment of the name has more than {limit} bytes of UTF-8", uri)
        return self.settings.prefix + str(uri)[1:]

    def ask(self, effort: Effort, operation: str, *, safe: bool = False, **parameters: Any) -> Any:
        """Send one request and return its answer. ``safe``: it may be sent again after an ambiguous answer.

        Raises :class:`RequestFailed`. What certainly had no effect is repeated in any case.
        """
        while True:
            try:
                answer = getattr(self._client, operation)(Bucket=self.name, **parameters)
            except FOREIGN as error:
                failure = classify(error)
            else:
                if is_whole(operation, answer):
                    return answer
                failure = RequestFailed(Trouble.RESET, "the connection ended before the answer's body")
            repeatable = failure.trouble in REPEATABLE or (safe and failure.ambiguous)
            if not (repeatable and effort.again()):
                try:
                    raise failure
                finally:
                    del failure  # it holds this frame, and the frame would hold it

    def head(self, effort: Effort, key: str) -> Head | None:
        """The published object of ``key``, or ``None``. An absent bucket looks like an absent object here."""
        return self.look(effort, key)

    def look(self, effort: Effort, key: str) -> Head | None:
        """What is under ``key``, be it published or not."""
        try:
            answer = self.ask(effort, "head_object", safe=True, Key=key)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                return None
            if failure.trouble is Trouble.ODD:
                # HEAD has no body: only a request that has one tells an expired token (400) from something else.
                self.ask(effort, "list_objects_v2", safe=True, Prefix=key, MaxKeys=1)
            raise
        return head_of(answer, key)

    def head_in_bucket(self, effort: Effort, key: str) -> Head | None:
        """As :meth:`head`, but an absent bucket is a failure of the device, not an absent object."""
        found = self.head(effort, key)
        if found is None:
            self.require_bucket(effort)
        return found

    def before_reading(self, effort: Effort, key: str) -> Head | None:
        """What must be known of an object before its first byte is asked for: here nothing, the answer says it all."""
        return None

    def is_published(self, effort: Effort, entries: list[Any], index: int) -> bool:
        """Whether an entry of a listing is a published object: here every one is."""
        return True

    def require_bucket(self, effort: Effort) -> None:
        """Raise :class:`RequestFailed` where the bucket is absent."""
        try:
            self.ask(effort, "head_bucket", safe=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                raise RequestFailed(Trouble.NO_BUCKET, f"bucket {self.name!r} does not exist") from None
            raise


def head_of(answer: Mapping[str, Any], key: str = "") -> Head:
    """The part of an answer to HEAD or GET that identifies the object."""
    return Head(
        size_bytes=int(answer.get("ContentLength") or 0),
        etag=answer.get("ETag") or None,
        write_id=(answer.get("Metadata") or {}).get(WRITE_ID),
        version_id=answer.get("VersionId") or None,
        modified=str(answer.get("LastModified") or ""),
        key=key,
    )
