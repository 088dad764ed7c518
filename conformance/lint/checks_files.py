"""C-NOFS in sources: paths, files, folders, databases, log files, native code.
What a file call is, is data in ``file_calls.py``.

Where the driver's device is a mounted path, a path that is only known when the driver runs may lie below the mount: it is
noted, and the run decides. A path that is written into the source never does, and neither does a temporary or home folder.
Reading what lies beside the driver's own code (``__file__``) is part of running Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from storcert.conformance.lint.file_calls import FILE_CALLS, PATH_METHODS, PATH_PLACES, FileCall
from storcert.conformance.lint.view import Found, View, argument, has_keyword, shown

_DESCRIPTORS = ("dir_fd", "src_dir_fd", "dst_dir_fd")
_WRITING = frozenset("wax+")
_MODE_AT = {"builtins.open": 1, "io.FileIO": 1, "codecs.open": 1, "gzip.open": 1, "bz2.open": 1, "lzma.open": 1}


def file_calls(view: View) -> Iterator[Found]:
    """Calls of what touches files."""
    for call, dotted in view.calls():
        known = FILE_CALLS.get(dotted or "")
        if known is not None:
            yield from _judge(view, call, dotted or "", known)
        elif dotted in PATH_PLACES:
            yield Found("NOFS-look", call, f"{dotted}() asks where the driver runs")
        elif dotted == "logging.basicConfig" and has_keyword(call, "filename"):
            if any(keyword.arg == "filename" for keyword in call.keywords):
                yield Found("NOFS-log-file", call, "logging.basicConfig(filename=...) writes a log file")
        else:
            yield from _path_method(view, call)


def file_references(view: View) -> Iterator[Found]:
    """Functions that touch files, handed on without being called: a default, an argument, an entry of a table."""
    for node in view.nodes():
        if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(node.ctx, ast.Load):
            continue
        parent = view.source.parents.get(node)
        if (isinstance(parent, ast.Call) and parent.func is node) or isinstance(parent, ast.Attribute) or _is_known(view, node):
            continue
        dotted = view.names.dotted(node)
        known = FILE_CALLS.get(dotted or "")
        if known is not None and known.rule != "NOFS-pathlib" and not _is_annotation(view, node):
            if view.mount and known.below_mount:
                view.mount_uses.append((node, f"{_short(dotted)} handed on"))
            else:
                yield Found(known.rule, node, f"{_short(dotted)} is handed on, to be called elsewhere")


def hidden_code(view: View) -> Iterator[Found]:
    """Code that nobody can read beforehand."""
    for call, dotted in view.calls():
        if dotted in ("builtins.eval", "builtins.exec"):
            yield Found("NOFS-hidden", call, f"{_short(dotted)}() runs code that cannot be looked at")
        elif dotted in ("builtins.__import__", "importlib.import_module") and call.args:
            if view.text_of(call.args[0]) is None and view.names.dotted(call) is None:
                yield Found("NOFS-hidden", call, f"{_short(dotted)}() of a name that is computed imports nobody knows what")
        elif dotted == "builtins.getattr" and len(call.args) >= 2 and not isinstance(call.args[1], ast.Constant):
            module = view.names.dotted(call.args[0])
            if module in ("os", "shutil", "tempfile", "io", "builtins", "pathlib", "subprocess", "os.path"):
                yield Found("NOFS-hidden", call, f"getattr() of {module} with a name that is computed hides what is called")


def _judge(view: View, call: ast.Call, dotted: str, known: FileCall) -> Iterator[Found]:
    short = _short(dotted)
    paths = [one for at in range(known.paths) if (one := argument(call, at)) is not None and at < len(call.args)]
    paths += [keyword.value for keyword in call.keywords if keyword.arg in ("path", "file", "src", "dst", "name", "filename")]
    if dotted == "sqlite3.connect" and [view.text_of(one) for one in paths][:1] == [":memory:"]:
        return
    if dotted == "mmap.mmap" and _is_minus_one(argument(call, 0, "fileno")):
        return
    if dotted in ("gzip.GzipFile", "zipfile.ZipFile", "tarfile.open", "tarfile.TarFile") and _on_a_stream(view, call, dotted):
        return
    if dotted == "ctypes.CDLL" and call.args and _is_none(call.args[0]):
        yield Found("NOFS-native", call, "ctypes.CDLL(None) reaches the C library past everything that watches")
        return
    if any(view.mentions(one, "__file__") for one in paths) and not _writes(view, call, dotted, known):
        return
    said = f"{short}({', '.join(shown(one, 40) for one in call.args[:2])})"
    if not (view.mount and known.below_mount):
        yield Found(known.rule, call, f"{said} touches the file system of wherever the driver runs")
        return
    if any(keyword.arg in _DESCRIPTORS and not _is_none(keyword.value) for keyword in call.keywords):
        view.mount_uses.append((call, f"{short} relative to a descriptor"))
        return
    where = next((keyword.value for keyword in call.keywords if known.folder and keyword.arg == known.folder), None)
    if known.folder and where is None:
        yield Found(known.rule, call, f"{said} writes into the temporary folder, not below the mount")
        return
    for one in [where] if where is not None else paths[: max(known.paths, 1)]:
        text = view.text_of(one)
        if text is not None and not isinstance(one, ast.Attribute):
            what = "a fixed path" if text.startswith(("/", "~")) else "a path relative to the working directory"
            yield Found(known.rule, call, f"{said} uses {what}, {text[:60]!r}, which is not the mount of the configuration")
            return
    view.mount_uses.append((call, short))


def _path_method(view: View, call: ast.Call) -> Iterator[Found]:
    """``path.read_bytes()`` where ``path`` is annotated as a ``Path``."""
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr not in PATH_METHODS or not isinstance(func.value, ast.Name):
        return
    function = view.source.function_of(call)
    arguments = [] if function is None else [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    for one in arguments:
        if one.arg == func.value.id and one.annotation is not None and view.names.dotted(one.annotation) == "pathlib.Path":
            if view.mount:
                view.mount_uses.append((call, f"Path.{func.attr}"))
            else:
                yield Found(PATH_METHODS[func.attr], call, f"{shown(call.func)}() touches the file system")


def _on_a_stream(view: View, call: ast.Call, dotted: str) -> bool:
    """Compression and archives work on streams in memory as well as on paths."""
    if any(keyword.arg == "fileobj" and not _is_none(keyword.value) for keyword in call.keywords):
        return True
    first = argument(call, 0, "file", "name", "filename")
    return dotted == "zipfile.ZipFile" and first is not None and is_in_memory(view, first)


def is_in_memory(view: View, node: ast.expr) -> bool:
    """Whether a value is known to be an ``io.BytesIO`` or ``io.StringIO`` of the driver's own."""
    value: ast.expr | None = node
    if isinstance(node, ast.Name):
        value = view.names.value(node.id, node)
    return isinstance(value, ast.Call) and view.names.dotted(value.func) in ("io.BytesIO", "io.StringIO")


def _writes(view: View, call: ast.Call, dotted: str, known: FileCall) -> bool:
    if known.rule in ("NOFS-rename", "NOFS-change", "NOFS-shutil", "NOFS-tempfile", "NOFS-database", "NOFS-log-file"):
        return True
    mode = argument(call, _MODE_AT.get(dotted, 99), "mode")
    return mode is not None and bool(set(view.text_of(mode) or "w") & _WRITING)


def _is_known(view: View, node: ast.expr) -> bool:
    """Whether this is the assignment of an alias: what is done with the alias is found where it is called."""
    held = node
    parent = view.source.parents.get(held)
    if isinstance(parent, ast.Call) and view.names.dotted(parent) == view.names.dotted(node):  # staticmethod(open)
        held = parent
        parent = view.source.parents.get(held)
    return isinstance(parent, (ast.Assign, ast.AnnAssign)) and parent.value is held and view.names.dotted(held) is not None


def _is_annotation(view: View, node: ast.AST) -> bool:
    below: ast.AST = node
    for above in view.source.above(node):
        if isinstance(above, ast.arg):
            return above.annotation is below
        if isinstance(above, ast.AnnAssign) and above.annotation is below:
            return True
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)) and above.returns is below:
            return True
        below = above
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_minus_one(node: ast.expr | None) -> bool:
    return node is not None and ast.unparse(node) == "-1"


def _short(dotted: str | None) -> str:
    return (dotted or "").removeprefix("builtins.")
