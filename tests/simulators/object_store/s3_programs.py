"""Programs of S3 calls as data: how they are drawn, run on a client, and their outcomes made comparable. No device here.

A call is ``(operation, arguments)``. An argument that begins with ``$`` is resolved while the program runs, from what
the same run has seen: ``$bytes:<size>:<seed>`` a body, ``$etag:<key>`` the ETag last given for a key, ``$upload:<n>`` and
``$version:<n>`` the n-th id seen, ``$token`` the last continuation token, ``$parts:<upload>:<how>`` a list of parts.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import botocore.exceptions
from hypothesis import strategies as st

Call: TypeAlias = tuple[str, Mapping[str, Any]]
Program: TypeAlias = Sequence[Call]
Outcome: TypeAlias = dict[str, Any]
"""Flat: path of a field (``Contents[0].ETag``) to its value, ids and dates replaced."""

BUCKET = "storcert"
_IDS = ("VersionId", "DeleteMarkerVersionId", "CopySourceVersionId", "UploadId", "NextVersionIdMarker", "VersionIdMarker",
        "UploadIdMarker", "NextUploadIdMarker")  # fmt: skip
_TOKENS = ("ContinuationToken", "NextContinuationToken")
_NEVER = "0" * 32


@dataclass(slots=True)
class Run:
    """What one run of a program has seen, so that later calls can speak of it; ``bucket`` is the one it works in."""

    bucket: str = BUCKET
    etags: dict[str, str] = field(default_factory=dict)
    uploads: list[tuple[str, str]] = field(default_factory=list)
    parts: dict[str, dict[int, str]] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    token: str = "no-such-token"
    ids: dict[str, str] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """``value`` with every ``$`` in it replaced."""
        if isinstance(value, Mapping):
            return {name: self.bucket if item == BUCKET else self.resolve(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item) for item in value]
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        what, _, rest = value[1:].partition(":")
        if what == "bytes":
            size, seed = (int(part) for part in rest.split(":"))
            return bytes((index * 31 + seed * 7) % 256 for index in range(size))
        if what == "etag":
            return self.etags.get(rest, f'"{_NEVER}"')
        if what == "upload":
            return self.uploads[int(rest) % len(self.uploads)][0] if self.uploads else "no-such-upload"
        if what == "uploadkey":
            return self.uploads[int(rest) % len(self.uploads)][1] if self.uploads else "a"
        if what == "version":
            return self.versions[int(rest) % len(self.versions)] if self.versions else "null"
        if what == "token":
            return self.token
        assert what == "parts", value
        upload, how = rest.split(":")
        return _part_list(self.parts.get(self.resolve(f"$upload:{upload}"), {}), how)

    def note(self, operation: str, arguments: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        """Remember what later calls may speak of."""
        if operation == "create_multipart_upload":
            self.uploads.append((response["UploadId"], arguments["Key"]))
        if operation == "upload_part_copy":
            self.parts.setdefault(arguments["UploadId"], {})[arguments["PartNumber"]] = response["CopyPartResult"]["ETag"]
        if operation == "upload_part":
            self.parts.setdefault(arguments["UploadId"], {})[arguments["PartNumber"]] = response["ETag"]
        if operation in ("put_object", "complete_multipart_upload", "head_object") and "ETag" in response:
            self.etags[arguments["Key"]] = response["ETag"]
        if operation == "copy_object":
            self.etags[arguments["Key"]] = response["CopyObjectResult"]["ETag"]
        version = response.get("VersionId")
        if version and version not in self.versions:
            self.versions.append(version)
        if "NextContinuationToken" in response:
            self.token = response["NextContinuationToken"]

    def name_of(self, kind: str, value: str) -> str:
        """A name for an id that is the same in every run."""
        return "null" if value == "null" else self.ids.setdefault(value, f"<{kind}-{len(self.ids)}>")


def _part_list(parts: Mapping[int, str], how: str) -> dict[str, Any]:
    listed = [{"PartNumber": number, "ETag": parts[number]} for number in sorted(parts)]
    if how == "reversed":
        listed.reverse()
    elif how == "without-first":
        listed = listed[1:]
    elif how == "wrong-etag" and listed:
        listed[-1] = {**listed[-1], "ETag": f'"{_NEVER}"'}
    elif how == "unquoted":
        listed = [{**part, "ETag": str(part["ETag"]).strip('"')} for part in listed]
    elif how == "unknown-part":
        listed.append({"PartNumber": 77, "ETag": f'"{_NEVER}"'})
        listed.sort(key=lambda part: int(part["PartNumber"]))  # one thing wrong, not the order as well
    elif how == "twice" and listed:
        listed.append(listed[-1])
    elif how == "empty":
        listed = []
    return {"Parts": listed}


def names_each_key_once(program: Program) -> bool:
    """Whether no DeleteObjects of it names a key twice. radosgw 16.2.15 works on all at once, and crashes of that."""
    deletions = [arguments["Delete"]["Objects"] for operation, arguments in program if operation == "delete_objects"]
    return all(len(objects) == len({item["Key"] for item in objects}) for objects in deletions)


def run_program(client: Any, program: Program, bucket: str = BUCKET) -> list[Outcome]:
    """Run each call of ``program`` on ``client`` and give the outcome of each, comparable between clients and buckets."""
    run = Run(bucket)
    return [_outcome(client, run, operation, arguments) for operation, arguments in program]


def _outcome(client: Any, run: Run, operation: str, arguments: Mapping[str, Any]) -> Outcome:
    given = run.resolve({"Bucket": BUCKET, **arguments})
    try:
        response = getattr(client, operation)(**given)
        if "Body" in response:
            response["Body"] = response["Body"].read()
    except botocore.exceptions.ClientError as error:
        details = error.response
        return {
            "exception": _class_name(client, error),
            "Error.Code": details["Error"].get("Code"),
            "HTTPStatusCode": details["ResponseMetadata"]["HTTPStatusCode"],
        }
    except botocore.exceptions.BotoCoreError as error:
        return {"exception": type(error).__name__}
    run.note(operation, given, response)
    _in_a_known_order(run, given, response)
    outcome: Outcome = {"exception": None, "HTTPStatusCode": response["ResponseMetadata"]["HTTPStatusCode"]}
    outcome.update(_flat("", {k: v for k, v in response.items() if k != "ResponseMetadata"}, run))
    return outcome


def _in_a_known_order(run: Run, given: Mapping[str, Any], response: Any) -> None:
    """Where a server is free to choose an order: deletions as they were asked for, uploads of one key as they were begun."""
    if "Deleted" in response:
        asked = [(item["Key"], item.get("VersionId")) for item in given["Delete"]["Objects"]]
        response["Deleted"].sort(key=lambda item: asked.index((item["Key"], item.get("VersionId"))))
    if "Uploads" in response:
        begun = [upload_id for upload_id, _ in run.uploads]
        of_key = {key: list(group) for key, group in itertools.groupby(response["Uploads"], key=lambda entry: entry["Key"])}
        response["Uploads"] = [
            entry for group in of_key.values() for entry in sorted(group, key=lambda entry: begun.index(entry["UploadId"]))
        ]


def _class_name(client: Any, error: Exception) -> str:
    # Which `except client.exceptions.X` clauses would catch it: what a driver author can tell apart.
    caught = [name for name in ("NoSuchKey", "NoSuchBucket", "NoSuchUpload", "InvalidObjectState")
              if isinstance(error, getattr(client.exceptions, name))]  # fmt: skip
    return f"ClientError({','.join(caught)})"


def _flat(path: str, value: Any, run: Run) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name in value:
            yield from _flat(f"{path}.{name}" if path else name, value[name], run)
    elif isinstance(value, list | tuple):
        yield f"{path}.length", len(value)
        for index, item in enumerate(value):
            yield from _flat(f"{path}[{index}]", item, run)
    elif isinstance(value, datetime.datetime):
        yield path, "<date>"
    elif isinstance(value, str) and path.rpartition(".")[2] in _IDS:
        yield path, run.name_of(path.rpartition(".")[2].removeprefix("Next"), value) if value else value
    elif isinstance(value, str) and path.rpartition(".")[2] in _TOKENS:
        yield path, "<token>"
    elif path in ("Bucket", "Name", "Location"):
        yield path, value.replace(run.bucket, BUCKET)
    else:
        yield path, value


def differences(left: Outcome, right: Outcome) -> list[tuple[str, Any, Any]]:
    """``(field, left value, right value)`` for each field that is not the same; an absent field has the value ``None``.

    Where a side raised there is at most one difference, in the field ``outcome``.
    """
    if left["exception"] is not None or right["exception"] is not None:
        return [] if left == right else [("outcome", _word(left), _word(right))]
    found = []
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            found.append((re.sub(r"\[\d+\]", "[]", name), left.get(name), right.get(name)))
    return found


def _word(outcome: Outcome) -> str:
    if outcome["exception"] is None:
        return "ok"
    return f"{outcome['Error.Code']} {outcome['HTTPStatusCode']}" if "Error.Code" in outcome else str(outcome["exception"])


KEYS = ("a", "a/b", "a/b/c", "a//b", "a/../b", "/lead", "dir/", "A", "b", "\u00e9", "e\u0301", "a b", "a+b", "%41",
        "k&<>\"'", "日本", "\uffee", "\U00010000", ".", "..", "a?b#c", "~._-", "x" * 1024)  # fmt: skip
_few = st.sampled_from(("a", "a/b", "b"))
_keys = st.integers(0, 9).flatmap(lambda dice: st.sampled_from(KEYS) if dice == 9 else _few)
_sizes = st.sampled_from((0, 1, 5, 9, 10, 11, 100))
_bodies = st.builds("$bytes:{}:{}".format, _sizes, st.integers(0, 3))
_part_bodies = st.builds("$bytes:{}:{}".format, st.sampled_from((10, 11, 100, 10, 11, 5, 0)), st.integers(0, 3))
_numbers = st.integers(0, 3)
_uploads = st.builds("$upload:{}".format, _numbers)
_versions = st.one_of(st.builds("$version:{}".format, _numbers), st.just("null"))
_ranges = st.sampled_from(("bytes=0-0", "bytes=0-", "bytes=1-3", "bytes=-1", "bytes=-4", "bytes=-0", "bytes=-1000", "bytes=4-2",
    "bytes=0-99999", "bytes=99999-", "bytes=5-", "bytes=a-b", "bytes=", "bytes=0-0,2-3", "bytes=-", "items=0-1"))  # fmt: skip
_copied_ranges = st.sampled_from(("bytes=0-0", "bytes=0-9", "bytes=1-3", "bytes=0-99999", "bytes=4-2", "bytes=5-", "x",
    "bytes=a-b"))  # fmt: skip
_metadata = st.sampled_from(({"k": "v"}, {"Key": "V", "x-y": "a b"}, {"under_score": "1"}, {}))


def _etags(key: str) -> st.SearchStrategy[str]:
    return st.sampled_from((f"$etag:{key}", f"$etag:{key}", f'"{_NEVER}"', "*"))


def _some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly none, sometimes one, seldom more of the optional arguments."""
    names = sorted(optional)
    chosen = st.one_of(st.just([]), st.just([]), st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return chosen.flatmap(lambda picked: st.fixed_dictionaries({name: optional[name] for name in picked}))


@st.composite
def further_calls(draw: st.DrawFn) -> Call:
    """Calls seldom made: copies of parts, the older listing, listings of uploads, conditions that are about dates."""
    operation = draw(st.sampled_from(_FURTHER))
    if operation == "upload_part_copy":
        number, source = draw(_numbers), draw(_keys)
        arguments: dict[str, Any] = {"UploadId": f"$upload:{number}", "Key": f"$uploadkey:{number}"}
        arguments |= {"PartNumber": draw(st.sampled_from((1, 2, 3))), "CopySource": {"Bucket": BUCKET, "Key": source}}
        return operation, arguments | draw(_some(CopySourceRange=_copied_ranges, CopySourceIfMatch=_etags(source)))
    if operation == "list_objects":
        prefix, delimiter = st.sampled_from(("", "a", "a/", "nothing")), st.sampled_from(("/", "b", ""))
        pages = st.sampled_from((0, 1, 2, 1000))
        return operation, draw(_some(Prefix=prefix, Delimiter=delimiter, MaxKeys=pages, Marker=_keys))
    if operation == "list_multipart_uploads":
        pages = st.sampled_from((1, 2, 1000))
        prefix, delimiter = st.sampled_from(("", "a", "a/")), st.just("/")
        return operation, draw(_some(Prefix=prefix, Delimiter=delimiter, MaxUploads=pages, KeyMarker=_few))
    key = draw(_few)
    if operation == "get_object":
        dates = st.sampled_from((datetime.datetime(2001, 1, 1), datetime.datetime(2901, 1, 1)))
        return operation, {"Key": key} | draw(_some(IfModifiedSince=dates, IfUnmodifiedSince=dates, IfMatch=_etags(key)))
    return operation, {"Key": key, "Body": draw(_bodies), "IfNoneMatch": draw(_etags(key))}


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """One call, mostly about a few keys so that calls meet."""
    operation = draw(st.sampled_from(_WEIGHTED))
    arguments: dict[str, Any] = {}
    etag: st.SearchStrategy[Any] = st.nothing()
    if operation in _OBJECT_OPERATIONS:
        key = arguments["Key"] = draw(_keys)
        etag = _etags(key)
    if operation == "put_object":
        arguments["Body"] = draw(_bodies)
        arguments |= draw(_some(IfNoneMatch=st.just("*"), IfMatch=etag, Metadata=_metadata, ContentType=st.just("text/x")))
    elif operation in ("get_object", "head_object"):
        parts = st.integers(1, 3)
        if draw(st.booleans()):
            return operation, {"Key": draw(_few), "Range": draw(_ranges)}
        arguments |= draw(_some(Range=_ranges, IfMatch=etag, IfNoneMatch=etag, VersionId=_versions, PartNumber=parts))
    elif operation == "delete_object":
        arguments |= draw(_some(VersionId=_versions, IfMatch=etag))
    elif operation == "delete_objects":
        named = st.fixed_dictionaries({"Key": _keys}, optional={"VersionId": _versions})
        arguments["Delete"] = {"Objects": draw(st.lists(named, max_size=3)), **draw(_some(Quiet=st.booleans()))}
    elif operation == "list_objects_v2":
        prefix = st.sampled_from(("", "a", "a/", "a/b", "nothing", "e", "/"))
        delimiter = st.sampled_from(("/", "b", "//", ""))
        page = st.sampled_from((0, 1, 2, 3, 1000, 5000))
        arguments |= draw(st.fixed_dictionaries({}, optional={"Prefix": prefix, "Delimiter": delimiter}))
        arguments |= draw(_some(MaxKeys=page, StartAfter=_keys, ContinuationToken=st.just("$token")))
    elif operation == "list_object_versions":
        prefix = st.sampled_from(("", "a", "a/"))
        arguments |= draw(_some(Prefix=prefix, Delimiter=st.just("/"), MaxKeys=st.sampled_from((1, 2, 1000))))
    elif operation == "copy_object":
        source = draw(_keys)
        arguments["CopySource"] = {"Bucket": BUCKET, "Key": source} | draw(_some(VersionId=_versions))
        etag = _etags(source)
        directive = st.sampled_from(("COPY", "REPLACE"))
        arguments |= draw(_some(CopySourceIfMatch=etag, CopySourceIfNoneMatch=etag, IfNoneMatch=st.just("*")))
        arguments |= draw(_some(MetadataDirective=directive, Metadata=_metadata))
    elif operation == "create_multipart_upload":
        arguments |= draw(_some(Metadata=_metadata, ContentType=st.just("text/x")))
    elif operation in _UPLOAD_OPERATIONS:
        number = draw(_numbers)
        arguments |= {"UploadId": f"$upload:{number}", "Key": f"$uploadkey:{number}"} | draw(_some(UploadId=st.just("bogus")))
        if operation == "upload_part":
            arguments |= {"PartNumber": draw(st.sampled_from(_PART_NUMBERS)), "Body": draw(_part_bodies)}
        elif operation == "complete_multipart_upload":
            arguments["MultipartUpload"] = f"$parts:{number}:{draw(st.sampled_from(_HOW))}"
            arguments |= draw(_some(IfNoneMatch=st.just("*"), IfMatch=st.just("*")))
        elif operation == "list_parts":
            arguments |= draw(_some(MaxParts=st.sampled_from((1, 2, 1000)), PartNumberMarker=st.integers(0, 3)))
    elif operation == "put_bucket_versioning":
        arguments["VersioningConfiguration"] = {"Status": draw(st.sampled_from(("Enabled", "Enabled", "Enabled", "Suspended")))}
    return operation, arguments


_FURTHER = ("upload_part_copy", "list_objects", "list_multipart_uploads", "get_object", "put_object")
_PART_NUMBERS = (1, 1, 1, 2, 2, 2, 3, 5, 0, 10000, 10001)
_HOW = ("right", "right", "right", "right", "reversed", "without-first", "wrong-etag", "unquoted", "unknown-part", "twice",
        "empty")
_OBJECT_OPERATIONS = ("put_object", "get_object", "head_object", "delete_object", "copy_object", "create_multipart_upload")
_UPLOAD_OPERATIONS = ("upload_part", "complete_multipart_upload", "abort_multipart_upload", "list_parts")
_WEIGHTED = (
    *("put_object",) * 5, *("get_object",) * 3, *("head_object",) * 2, *("delete_object",) * 3, "delete_objects",
    *("list_objects_v2",) * 3, *("list_object_versions",) * 2, *("copy_object",) * 2, *("create_multipart_upload",) * 3,
    *("upload_part",) * 4, *("complete_multipart_upload",) * 3, "abort_multipart_upload", "list_parts",
    "list_multipart_uploads", *("put_bucket_versioning",) * 2, "get_bucket_versioning",
)  # fmt: skip


@st.composite
def programs(draw: st.DrawFn, max_calls: int = 12, further: bool = False) -> list[Call]:
    """Programs of about ten calls; most begin with something to work on. ``further``: with calls seldom made, too."""
    prologue: list[Call] = []
    if draw(st.booleans()):
        prologue.append(("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}))
    kind = draw(st.sampled_from(("objects", "objects", "upload", "completed", "nothing")))
    if kind == "objects":
        keys = draw(st.lists(_keys, min_size=1, max_size=5))
        prologue += [("put_object", {"Key": key, "Body": draw(_bodies)}) for key in keys]
    elif kind in ("upload", "completed"):
        prologue.append(("create_multipart_upload", {"Key": draw(_few)}))
        for number in (1, 2):
            part = {"UploadId": "$upload:0", "Key": "$uploadkey:0", "PartNumber": number, "Body": draw(_part_bodies)}
            prologue.append(("upload_part", part))
        if kind == "completed":
            upload = {"UploadId": "$upload:0", "Key": "$uploadkey:0", "MultipartUpload": "$parts:0:right"}
            prologue.append(("complete_multipart_upload", upload))
    call = st.integers(0, 4).flatmap(lambda dice: further_calls() if dice == 4 else calls()) if further else calls()
    return prologue + draw(st.lists(call, min_size=5, max_size=max_calls))
