"""C-NAMES in sources, and deletion by prefix: names are opaque, never folded, joined, taken apart or cut."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from storcert.conformance.lint.subjects import Subjects
from storcert.conformance.lint.view import Found, View, shown

_FOLDING = frozenset({"lower", "upper", "casefold", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip"})
_SPLITTING = frozenset({"split", "rsplit", "partition", "rpartition", "splitlines"})
_PATH_TEXT = frozenset(
    f"os.path.{name}"
    for name in ("join", "normpath", "basename", "dirname", "split", "splitext", "relpath", "normcase", "commonpath")
)
_PURE = ("pathlib.PurePath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath")
_LOSSY = frozenset({"ignore", "replace"})


def changed_names(view: View) -> Iterator[Found]:
    """Case, spaces, normal forms, replaced characters, digests of the process."""
    for call, dotted in view.calls():
        subjects = view.subjects_at(call)
        if dotted == "unicodedata.normalize":
            yield Found("NAMES-fold", call, f"{shown(call)} makes one name of two")
        elif subjects is None:
            continue
        elif dotted == "builtins.hash" and call.args and subjects.is_derived(call.args[0]):
            yield Found("NAMES-hash", call, f"{shown(call)} is another number in every process, and the same for two names")
        elif dotted in ("re.sub", "re.subn") and len(call.args) >= 3 and subjects.names_an_object(call.args[2]):
            yield Found("NAMES-replace", call, f"{shown(call)} makes one name of two")
        elif isinstance(call.func, ast.Attribute):
            yield from _method(call, call.func, subjects)


def _method(call: ast.Call, func: ast.Attribute, subjects: Subjects) -> Iterator[Found]:
    if not subjects.names_an_object(func.value):
        return
    if func.attr in _FOLDING:
        yield Found("NAMES-fold", call, f"{shown(call)} makes one name of two")
    elif func.attr in ("replace", "translate") and subjects.is_text(func.value):
        yield Found("NAMES-replace", call, f"{shown(call)} makes one name of two")
    elif func.attr in _SPLITTING:
        yield Found("NAMES-split", call, f"{shown(call)} takes a name apart as if it were a path")
    elif func.attr == "encode" and _is_lossy(call):
        yield Found("NAMES-replace", call, f"{shown(call)} drops characters, and makes one name of two")


def _is_lossy(call: ast.Call) -> bool:
    given = [one.value for one in (*call.args[1:2], *(key.value for key in call.keywords if key.arg == "errors"))
             if isinstance(one, ast.Constant)]  # fmt: skip
    return any(one in _LOSSY for one in given)


def names_as_paths(view: View) -> Iterator[Found]:
    """``os.path`` and pure paths: rules of one operating system for names that have none."""
    for call, dotted in view.calls():
        if dotted not in _PATH_TEXT and dotted not in _PURE:
            continue
        if any(view.mentions(one, "__file__") for one in call.args):
            continue
        subjects = view.subjects_at(call)
        about_names = subjects is not None and any(subjects.names_an_object(one) for one in call.args)
        if about_names or not view.mount:
            yield Found("NAMES-path-join", call, f"{shown(call)} treats names by the rules of a file system")


def deletion_by_prefix(view: View) -> Iterator[Found]:
    """``bucket.objects.filter(Prefix=key).delete()``, and loops that delete what such a listing gives."""
    for call, _ in view.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "delete" and _lists_by_name(view, call.func.value):
            yield Found("DELETE-prefix", call, f"{shown(call)} deletes everything whose name begins like this one")
    for node in view.nodes():
        if isinstance(node, ast.For) and _lists_by_name(view, node.iter):
            deletes = any(isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and "delete" in one.func.attr
                          for line in node.body for one in ast.walk(line))  # fmt: skip
            compares = any(isinstance(one, ast.Compare) for line in node.body for one in ast.walk(line))
            if deletes and not compares:
                yield Found("DELETE-prefix", node.iter, f"{shown(node.iter)} also lists names that only begin like this one")


def _lists_by_name(view: View, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    subjects = view.subjects_at(node)
    if subjects is None:
        return False
    prefixes = [keyword.value for keyword in node.keywords if keyword.arg in ("Prefix", "prefix")]
    # A prefix that ends in a separator is a folder of the driver's own making.
    return any(subjects.is_derived(one) and not _ends_apart(one) for one in prefixes)


def _ends_apart(node: ast.expr) -> bool:
    last: ast.AST = node
    if isinstance(node, ast.JoinedStr) and node.values:
        last = node.values[-1]
    elif isinstance(node, ast.BinOp):
        last = node.right
    return isinstance(last, ast.Constant) and isinstance(last.value, str) and last.value[-1:] in "/,+.|:"


def unpaged_listing(view: View) -> Iterator[Found]:
    """``list_objects_v2`` once, without a look at whether there is more."""
    wanted = ("list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads", "list_parts")
    for call, _ in view.calls():
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr not in wanted or not call.keywords:
            continue
        if func.attr == "list_objects" and not any(keyword.arg == "Bucket" for keyword in call.keywords):
            continue
        if any(keyword.arg in (None, "MaxKeys", "MaxUploads", "MaxParts") for keyword in call.keywords):
            continue
        around = view.source.class_of(call) or view.source.tree
        words = {one.value for one in ast.walk(around) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
        words |= {one.arg for one in ast.walk(around) if isinstance(one, ast.keyword) and one.arg}
        if not any("Token" in word or "Marker" in word or word == "IsTruncated" for word in words):
            yield Found("LIST-page", call, f"{shown(func)}() gives one page, and nothing asks for the next")
