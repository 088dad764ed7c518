"""C-NOFS in sources: paths written as text, and commands of the shell that handle devices and files."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

from storcert.conformance.lint.file_calls import (
    DEVICE_COMMAND_STARTS,
    DEVICE_COMMANDS,
    DEVICE_SUBCOMMANDS,
    FILE_COMMANDS,
)
from storcert.conformance.lint.view import Found, View, argument, has_keyword

# Anchored, and ending where a path would go on: "/development" is no device, "/sys" of an HTTP service no folder.
_DEVICE = re.compile(r"^/dev(/|$)|^/sys/(class|block|bus|devices|fs|kernel|module|dev|firmware)(/|$)")
_PATH = re.compile(
    r"^(/mnt|/media|/tmp|/proc|/home|/root|/run|/srv|/opt|/export)(/|$)|^/var/(tmp|lib|run|log|cache|lock|spool|local)(/|$)"
    r"|^/etc/(fstab|mtab|hosts|hostname|machine-id|exports|passwd|group)$|^~/"
)
_HTTP = frozenset({"get", "put", "post", "patch", "delete", "head", "options", "request", "route", "stream"})
_RUNNERS = {
    "subprocess.run": 0, "subprocess.call": 0, "subprocess.check_call": 0, "subprocess.check_output": 0, "subprocess.Popen": 0,
    "subprocess.getoutput": 0, "subprocess.getstatusoutput": 0, "os.system": 0, "os.popen": 0, "pty.spawn": 0,
    "os.execv": 1, "os.execve": 1, "os.execvp": 1, "os.posix_spawn": 1, "os.posix_spawnp": 1, "os.spawnv": 2, "os.spawnvp": 2,
    "asyncio.create_subprocess_exec": -1, "asyncio.create_subprocess_shell": 0, "os.execl": -1, "os.execlp": -1,
}  # fmt: skip
_WAITING = ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output")
_PREFIXES = frozenset({"sudo", "doas", "env", "nice", "ionice", "timeout", "nsenter", "exec", "-n", "-E"})


def path_literals(view: View) -> Iterator[Found]:
    """Constants that are paths of one kind of machine."""
    for node in view.nodes():
        if not isinstance(node, ast.Constant) or not isinstance(node.value, (str, bytes)):
            continue
        text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        parent = view.source.parents.get(node)
        if isinstance(parent, ast.Expr) or _is_index(view, node) or _is_a_later_part(node, parent) or _is_of_http(view, node):
            continue
        if _DEVICE.match(text):
            yield Found("NOFS-device", node, f"{text[:60]!r} is a device node or the kernel's view of one")
        elif _PATH.match(text):
            yield Found("NOFS-fixed-path", node, f"{text[:60]!r} is a path of one kind of machine")


def commands(view: View) -> Iterator[Found]:
    """Commands that are run."""
    for call, dotted in view.calls():
        if dotted not in _RUNNERS:
            continue
        words = _words(view, call, _RUNNERS[dotted])
        name = words[0].rpartition("/")[2] if words else ""
        if _is_of_devices(name, words):
            yield Found("NOFS-mount", call, f"{' '.join(words[:2])} attaches a device or a file system to the machine")
        elif name in FILE_COMMANDS:
            yield Found("NOFS-command", call, f"the command {name} handles files of the machine")
        if dotted in _WAITING and not has_keyword(call, "timeout"):
            yield Found("BUDGET-timeout", call, f"{dotted}() without timeout waits for ever where the command does")


def _is_index(view: View, node: ast.AST) -> bool:
    """Of a table, or of ``Literal[...]``."""
    above = view.source.parents.get(node)
    return isinstance(view.source.parents.get(above) if isinstance(above, ast.Tuple) else above, ast.Subscript)


def _is_a_later_part(node: ast.AST, parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.JoinedStr) and parent.values[0] is not node


def _is_of_http(view: View, node: ast.AST) -> bool:
    """The path of a web request: the device is asked, not the machine."""
    for above in view.source.above(node):
        if isinstance(above, ast.Call):
            return isinstance(above.func, ast.Attribute) and above.func.attr in _HTTP
        if isinstance(above, ast.stmt):
            return False
    return False


def _is_of_devices(name: str, words: list[str]) -> bool:
    if name in DEVICE_COMMANDS or name.startswith(DEVICE_COMMAND_STARTS):
        return True
    # Options may stand before the word that decides: rbd --pool p map image.
    return name in DEVICE_SUBCOMMANDS and any(word in DEVICE_SUBCOMMANDS[name] for word in words[1:])


def _words(view: View, call: ast.Call, at: int) -> list[str]:
    """The constant words of a command, what only wraps it left out; ``at`` -1: the arguments are the words."""
    if at < 0:
        found = _constants(view, call.args)
    else:
        given = argument(call, at, "args", "cmd", "command", "argv")
        if isinstance(given, ast.Name):
            given = view.names.value(given.id, given)
        if given is None:
            return []
        if isinstance(given, ast.BinOp) and isinstance(given.left, (ast.List, ast.Tuple)):
            given = given.left
        if isinstance(given, (ast.List, ast.Tuple)):
            found = _constants(view, given.elts)
        else:
            text = view.text_of(given)
            found = [] if text is None else _split(text)
    while found and (found[0].rpartition("/")[2] in _PREFIXES or "=" in found[0]):
        found = found[1:]
    if len(found) > 2 and found[0].rpartition("/")[2] in ("sh", "bash") and found[1] == "-c":
        return _split(found[2])
    return found


def _constants(view: View, nodes: list[ast.expr]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        text = None if isinstance(node, ast.Starred) else view.text_of(node)
        found.append("" if text is None else text)
    return found


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


