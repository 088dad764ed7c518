"""C-STATELESS in sources: answers that are kept, questions about the machine, work that goes on behind a call's back.

Connections and clients may be kept; what the device answered about an object may not. A stream is no driver: what it keeps is
its own affair.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from storcert.conformance.lint.checks_streams import CHANGING
from storcert.conformance.lint.source import FunctionNode
from storcert.conformance.lint.subjects import CONTRACT_METHODS, is_driver
from storcert.conformance.lint.view import Found, View, shown

_CACHES = (
    "functools.lru_cache", "functools.cache", "cachetools.cached", "cachetools.cachedmethod", "cachetools.func.lru_cache",
    "cachetools.func.ttl_cache", "methodtools.lru_cache", "async_lru.alru_cache",
)  # fmt: skip
_ANSWERS = re.compile(
    r"(^|_)(describe|exists?|stat|head|look|lookup|find|list|listing|objects?|sizes?|names?|entries|known|seen|catalog(ue)?|"
    r"inventory|index|free|used|usage|is_there|has|present)(_|$)"
)
_KEEPABLE = re.compile(
    r"client|session|conn|pool|cluster|ioctx|transport|http|login|token|credential|logger|log$|lock|bucket|container|resource"
    r"|executor|import|module|library|api|config|setting|service|stub|channel",
    re.IGNORECASE,
)
_KEEPING = CHANGING - {"write", "pop", "remove", "discard", "clear", "popitem"}
_WHERE = {
    "socket.gethostname": "the host's name", "socket.getfqdn": "the host's name", "platform.node": "the host's name",
    "platform.uname": "the machine", "os.uname": "the machine", "os.getpid": "the process", "os.getppid": "the process",
    "os.getlogin": "the user", "getpass.getuser": "the user", "os.getuid": "the user", "os.geteuid": "the user",
    "pwd.getpwuid": "the user", "uuid.getnode": "the network card", "uuid.uuid1": "the network card",
    "os.getenv": "the environment", "os.environ.get": "the environment", "os.environb.get": "the environment",
    "os.environ.setdefault": "the environment", "psutil.disk_usage": "the machine",
}  # fmt: skip
#: To notice a fork, and connect again, is right; to name something by it is not.
_OF_PROCESS = ("os.getpid", "os.getppid")
_FORKS = (
    "os.fork", "os.forkpty", "multiprocessing.Process", "multiprocessing.Pool", "multiprocessing.pool.Pool",
    "multiprocessing.get_context", "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor",
)  # fmt: skip
_BEHIND = ("threading.Timer", "atexit.register", "weakref.finalize", "_thread.start_new_thread", "sched.scheduler")


def cached_answers(view: View) -> Iterator[Found]:
    """Cache decorators on what answers questions about objects."""
    for function in view.functions():
        for decorator in function.decorator_list:
            func = decorator.func if isinstance(decorator, ast.Call) else decorator
            dotted = view.names.dotted(func)
            about_objects = bool(view.subjects(function).uris or view.subjects(function).texts)
            asks = bool(_ANSWERS.search(function.name)) and not _KEEPABLE.search(function.name) and _asks_the_device(function)
            if dotted in _CACHES and ((about_objects and _asks_the_device(function)) or asks):
                yield Found("STATELESS-cache", decorator, f"{function.name} answers from memory what the device was asked once")
            elif dotted in ("functools.cached_property", "werkzeug.utils.cached_property") and asks:
                yield Found("STATELESS-cache", decorator, f"{function.name} is asked once and kept for ever")


def _asks_the_device(function: FunctionNode) -> bool:
    """Whether a method calls something of ``self``, or of what it was given: pure functions may be cached."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and (base.id in ("self", "cls") or _KEEPABLE.search(base.id)):
                return True
    return False


def kept_answers(view: View) -> Iterator[Found]:
    """Containers of the driver or the module that are filled with something named by a URI."""
    for function in view.functions():
        owner = view.source.parents.get(function)
        of_driver = isinstance(owner, ast.ClassDef) and is_driver(owner)
        subjects = view.subjects(function)
        for node in ast.walk(function):
            container, key = _stored(node)
            if container is None or key is None or not subjects.is_derived(key):
                continue
            if of_driver and _is_of_self(container) and not _KEEPABLE.search(container_name(container)):
                yield Found("STATELESS-memory", node, f"{shown(container)} remembers objects between calls")
            elif isinstance(container, ast.Name) and view.names.is_of_module(container.id, container):
                yield Found("STATELESS-memory", node, f"{container.id} remembers objects for the whole process")
    yield from _set_in_calls(view)


def _stored(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """Container and key of ``x[key] = ...``, ``x.add(key)``, ``x.setdefault(key, ...)``."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return node.value, node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and node.func.attr in _KEEPING:
        return node.func.value, node.args[0]
    return None, None


def container_name(node: ast.expr) -> str:
    """The last word of ``self.name``."""
    return node.attr if isinstance(node, ast.Attribute) else ""


def _is_of_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def _set_in_calls(view: View) -> Iterator[Found]:
    """``self.last = ...`` in a method of the contract, ``global answer`` anywhere."""
    for node in view.classes():
        if not is_driver(node):
            continue
        for function in node.body:
            if isinstance(function, FunctionNode) and function.name in CONTRACT_METHODS:
                for one in ast.walk(function):
                    for target in _targets(one):
                        if isinstance(target, ast.Attribute) and _is_of_self(target) and not _KEEPABLE.search(target.attr):
                            yield Found("STATELESS-memory", one, f"{function.name} keeps {shown(target)} for later calls")
    for function in view.functions():
        shared = {name for one in ast.walk(function) if isinstance(one, ast.Global) for name in one.names}
        for one in ast.walk(function):
            for target in _targets(one):
                if isinstance(target, ast.Name) and target.id in shared and not _KEEPABLE.search(target.id):
                    said = f"{function.name} changes {target.id}, which all drivers of the process share"
                    yield Found("STATELESS-memory", one, said)


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign) else []


def where_it_runs(view: View) -> Iterator[Found]:
    """Questions about the machine, the process, the user, the environment."""
    for call, dotted in view.calls():
        if dotted in _WHERE and (dotted not in _OF_PROCESS or _is_in_a_name(view, call)):
            yield Found("STATELESS-where", call, f"{dotted}() asks about {_WHERE[dotted]}, which differs between locations")
    for node in view.nodes():
        if isinstance(node, ast.Subscript) and view.names.dotted(node.value) in ("os.environ", "os.environb"):
            yield Found("STATELESS-where", node, f"{shown(node)} depends on the environment, which differs between locations")


def _is_in_a_name(view: View, call: ast.Call) -> bool:
    """Whether the answer becomes part of a text."""
    for above in view.source.above(call):
        if isinstance(above, ast.JoinedStr) or (isinstance(above, ast.BinOp) and isinstance(above.op, ast.Mod)):
            return True
        if isinstance(above, ast.Call):
            return view.names.dotted(above.func) == "builtins.str" or getattr(above.func, "attr", "") == "format"
        if isinstance(above, ast.stmt):
            return False
    return False


def behind_the_back(view: View) -> Iterator[Found]:
    """Threads that nobody waits for, timers, hooks at exit; forked processes."""
    for call, dotted in view.calls():
        if dotted in _FORKS:
            yield Found("STATELESS-fork", call, f"{dotted}() copies connections into another process")
        elif dotted in _BEHIND:
            yield Found("STATELESS-background", call, f"{dotted}() does something after the call has returned")
        elif dotted == "threading.Thread" and any(
            keyword.arg == "daemon" and ast.unparse(keyword.value) == "True" for keyword in call.keywords
        ):
            yield Found("STATELESS-background", call, "a daemon thread goes on after the call has returned, and dies half way")
