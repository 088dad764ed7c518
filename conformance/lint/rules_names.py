"""Lint rules about names and listings, and those of the lint itself. Data only; each is linted by a test."""

from __future__ import annotations

from storcert.conformance.lint.rule import LintRule
from storcert.harness.record.lint_report import Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

NAME_RULES: tuple[LintRule, ...] = (
    LintRule(
        "NAMES-fold", "C-NAMES", ERROR, "makes one name of two",
        "/volume/1/A and /volume/1/a are two objects, and so are the two spellings of one accented letter. Whoever "
        "folds them reads and deletes somebody else's volume.",
        "Use names as they are; encode what the device does not take, so that it can be decoded again.",
        ("def key(self, uri):", "    return uri.object_id.lower()"),
        (
            "import base64", "", "def key(self, uri):",
            "    return base64.b32encode(uri.object_id.encode()).decode().lower()",
        ),
    ),
    LintRule(
        "NAMES-replace", "C-NAMES", ERROR, "replaces or drops characters of a name",
        "Two names that differ in a replaced character become one.",
        "Encode: every name keeps a form of its own (percent, base32), or is refused with InvalidRequest.",
        ("def key(self, uri):", '    return uri.object_id.replace("/", "_")'),
        ("from urllib.parse import quote", "", "def key(self, uri):", '    return quote(uri.object_id, safe="")'),
    ),
    LintRule(
        "NAMES-hash", "C-NAMES", ERROR, "names objects by hash()",
        "hash() of a text is another number in every process, and two names may have the same.",
        "Encode the name; where it is too long, a SHA-256 of it.",
        ("def key(self, uri):", "    return hash(uri)"),
        ("import hashlib", "", "def key(self, uri):", "    return hashlib.sha256(str(uri).encode()).hexdigest()"),
    ),
    LintRule(
        "NAMES-path-join", "C-NAMES", ERROR, "treats names as paths",
        "os.path.join drops everything before an absolute part, and uses backslashes on one system. A name is no "
        "path.",
        "Put keys together with an f-string, from encoded parts.",
        (
            "import os.path", "", "def key(self, uri):",
            "    return os.path.join(str(uri.kind), uri.account, uri.object_id)",
        ),
        ("def key(self, uri):", '    return "/".join((str(uri.kind), encode(uri.account), encode(uri.object_id)))'),
    ),
    LintRule(
        "NAMES-split", "C-NAMES", ERROR, "takes a name apart by hand",
        "The text of a URI is percent-encoded: splitting it gives encoded pieces, and other pieces than everybody "
        "else's.",
        "uri.kind, uri.account and uri.object_id are the parts; DataObjectUri.parse reads a text.",
        ("def account(self, uri):", '    return str(uri).split("/")[2]'),
        ("def account(self, uri):", "    return uri.account"),
    ),
    LintRule(
        "DELETE-prefix", "C-DELETE", ERROR, "deletes everything that begins like the object",
        "A listing by prefix of /volume/1/2 also gives /volume/1/20. Drivers have lost data this way.",
        "Delete the one key. Where an object has several, end the prefix in a separator that no encoded name "
        "contains, or compare.",
        ("def delete(self, uri):", "    self.bucket.objects.filter(Prefix=self.key(uri)).delete()"),
        ("def delete(self, uri):", "    self.client.delete_object(Bucket=self.bucket, Key=self.key(uri))"),
    ),
    LintRule(
        "LIST-page", "C-LIST", WARNING, "looks at the first page of a listing only",
        "After a thousand keys the rest is on the next page. Nobody notices until there are a thousand and one.",
        "Use the client's paginator, or go on with the continuation token.",
        (
            "def list_objects(self):", "    for one in self.client.list_objects_v2(Bucket=self.bucket)['Contents']:",
            "        yield self.uri(one)",
        ),
        (
            "def list_objects(self):",
            '    for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):',
            '        yield from map(self.uri, page["Contents"])',
        ),
    ),
)

OWN_RULES: tuple[LintRule, ...] = (
    LintRule(
        "LINT-syntax", "", ERROR, "is no Python",
        "A file that cannot be read cannot be judged, and cannot be imported either.",
        "Mend it: the message says where.",
        ("def delete(self, uri)", "    pass"),
        ("def delete(self, uri):", "    self.client.delete(uri)"),
    ),
    LintRule(
        "LINT-unused", "", WARNING, "allows what is not there",
        "A justification that outlives what it justified hides the next mistake on that line.",
        "Remove the comment.",
        ("x = 1  # storcert: allow NOFS-open the mount of the configuration",),
        ("x = 1  # opens nothing",),
    ),
    LintRule(
        "LINT-reason", "", ERROR, "allows without saying why, or what",
        "A justification is read by those who certify the driver: without a reason, or for a rule that does not "
        "exist, it says nothing.",
        "Write: # storcert: allow RULE-ID reason",
        ('key = open("key.pem")  # storcert: allow NOFS-open',),
        ('key = open("key.pem")  # storcert: allow NOFS-open read once by the installer, never at a location',),
    ),
)
