"""If-Match and its family: when a condition refuses. Rows of the dialect decide what a server really looks at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from storcert.simulators.object_store.dialect import Dialect
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import NULL_VERSION, Bucket
from storcert.simulators.object_store.version import Version


def failed(condition: str, code: str = "PreconditionFailed") -> Refusal:
    """The refusal of a condition that does not hold."""
    return Refusal(code, details={"Condition": condition} if code == "PreconditionFailed" else None)


def names(given: str, etag: str, dialect: Dialect | None = None) -> bool:
    """Whether a header value (one ETag, several, quoted or not) names ``etag``; ``*`` names every one.

    With ``dialect``: as this server reads the conditions of a read.
    """
    if given == "*" and (dialect is None or dialect["read_condition_star"] == "any"):
        return True
    if dialect is not None and not dialect["read_condition_list"]:
        return given.strip('"') == etag
    return any(part.strip().removeprefix("W/").strip('"') == etag for part in given.split(","))


def check_write(dialect: Dialect, params: Mapping[str, Any], bucket: Bucket, key: str) -> None:
    """PutObject's conditions on the destination."""
    current = bucket.live(key)
    none_match = params.get("IfNoneMatch")
    if none_match is not None:
        if none_match != "*":
            _check_other_than(dialect, none_match, current, versioned=bucket.versioning == "Enabled")
        else:
            _check_absent(dialect, bucket, key)
    match = params.get("IfMatch")
    if match is not None:
        if current is None:
            if match == "*" and _marker_counts(dialect, bucket, key):
                return
            raise failed("If-Match", str(dialect["put_if_match_missing_key"]))
        refused: str | None
        if bucket.versioning == "Enabled" and dialect.code("put_if_match_versioned") is not None:
            refused = dialect.code("put_if_match_versioned")
        elif match == "*":
            refused = dialect.code("put_if_match_star")
        elif match.startswith('"') and names(match, current.etag):
            refused = dialect.code("put_if_match_quoted")
        else:
            refused = None if names(match, current.etag) else "PreconditionFailed"
        if refused is not None:
            raise failed("If-Match", refused)


def _marker_counts(dialect: Dialect, bucket: Bucket, key: str) -> bool:
    """Whether there is a delete marker that this server takes for an object."""
    version = bucket.current(key)
    marked = version is not None and not version.exists and bucket.versioning != "Enabled"
    return marked and bool(dialect["marker_counts_as_object"])


def _check_absent(dialect: Dialect, bucket: Bucket, key: str) -> None:
    if bucket.live(key) is None:
        if _marker_counts(dialect, bucket, key):
            raise failed("If-None-Match")
        return
    enabled = bucket.versioning == "Enabled"
    code = dialect.code("put_if_none_match_star_versioned" if enabled else "put_if_none_match_star_existing")
    if code is not None:
        raise failed("If-None-Match", code)


def _check_other_than(dialect: Dialect, etag: str, current: Version | None, *, versioned: bool) -> None:
    if dialect["put_if_none_match_etag"] == "unstripped":
        # It looks at the null version's own object, which is not there where the current version has another name.
        if current is None or versioned or current.version_id != NULL_VERSION or etag == current.etag:
            raise failed("If-None-Match")
        return
    code = dialect.code("put_if_none_match_etag")
    if code is not None:
        raise failed("If-None-Match", code)
    if current is not None and names(etag, current.etag):
        raise failed("If-None-Match")


def check_publish(dialect: Dialect, row: str, params: Mapping[str, Any], current: Version | None) -> None:
    """Conditions on the destination of Complete and Copy; ``row`` says whether this server looks at them."""
    code = dialect.code(row)
    if code is None:
        return
    if params.get("IfNoneMatch") is not None and current is not None:
        raise failed("If-None-Match", code)
    match = params.get("IfMatch")
    if match is not None:
        if current is None:
            raise Refusal("NoSuchKey")
        if not names(match, current.etag):
            raise failed("If-Match", code)


def check_delete(dialect: Dialect, params: Mapping[str, Any], current: Version | None) -> None:
    """DeleteObject's If-Match (and its kin for directory buckets, which no general bucket has)."""
    match = params.get("IfMatch")
    code = dialect.code("delete_if_match_wrong")
    if match is None or code is None:
        return
    if current is None:
        if match != "*":
            raise Refusal("NoSuchKey")
        raise failed("If-Match", code)
    if not names(match, current.etag):
        raise failed("If-Match", code)


def check_copy_source(dialect: Dialect, params: Mapping[str, Any], source: Version) -> None:
    """CopySourceIf*: only the two of ETags depend on the dialect."""
    match = params.get("CopySourceIfMatch")
    if match is not None:
        code = dialect.code("copy_source_if_match_wrong")
        if code is not None and not names(match, source.etag):
            raise failed("x-amz-copy-source-If-Match", code)
    none_match = params.get("CopySourceIfNoneMatch")
    if none_match is not None:
        code = dialect.code("copy_source_if_none_match_same")
        if code is not None and names(none_match, source.etag):
            raise failed("x-amz-copy-source-If-None-Match", code)
    since = params.get("CopySourceIfModifiedSince")
    if since is not None and not _modified_after(source, since):
        raise failed("x-amz-copy-source-If-Modified-Since")
    unmodified = params.get("CopySourceIfUnmodifiedSince")
    if unmodified is not None and _modified_after(source, unmodified):
        raise failed("x-amz-copy-source-If-Unmodified-Since")


def check_read(dialect: Dialect, params: Mapping[str, Any], version: Version) -> None:
    """GetObject's and HeadObject's conditions, in the order of RFC 9110 section 13.2.2."""
    match, since = params.get("IfMatch"), params.get("IfModifiedSince")
    unmodified_first = dialect["read_dates"] == "as in RFC 9110"
    if not unmodified_first and since is not None and "IfNoneMatch" not in params and not _modified_after(version, since):
        raise Refusal("304", headers={"etag": f'"{version.etag}"'})
    if match is not None:
        if not names(match, version.etag, dialect):
            raise failed("If-Match")
    else:
        unmodified = params.get("IfUnmodifiedSince")
        if unmodified is not None and _modified_after(version, unmodified):
            raise failed("If-Unmodified-Since")
    none_match = params.get("IfNoneMatch")
    if none_match is not None:
        if names(none_match, version.etag, dialect):
            raise Refusal("304", headers={"etag": f'"{version.etag}"'})
    elif since is not None and not _modified_after(version, since):
        raise Refusal("304", headers={"etag": f'"{version.etag}"'})


def _modified_after(version: Version, moment: datetime | str | int | float) -> bool:
    """HTTP dates have whole seconds, so only whole seconds are compared."""
    if isinstance(moment, str):
        # As botocore reads a text given for a timestamp.
        from dateutil.parser import parse  # type: ignore[import-untyped]

        moment = parse(moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.timestamp()
    return version.modified_ns // 1_000_000_000 > int(moment)
