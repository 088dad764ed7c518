"""From what a user types to a driver class: entry-point name, ``package.module:Class``, ``path/to/file.py:Class``, or
``grpc://HOST:PORT`` for a driver in any language.

A :class:`DriverSource` is plain data, so it goes to worker processes; each calls :meth:`DriverSource.load`. Nothing
here makes a driver: constructors run at a simulated location.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from types import ModuleType
from typing import Any

from storcert.conformance.devices import DEFAULT_DEVICE, DEVICES, prepare
from storcert.conformance.driver_digest import driver_digest
from storcert.conformance.grpc_source import SCHEME, find_grpc_driver
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.contract.device import DRIVER_GROUP

#: ``copy`` and ``list_objects`` belong to capabilities; a driver that does not declare them may leave them out.
REQUIRED_METHODS = ("capabilities", "create", "delete", "open_input", "open_output", "describe")


@dataclass(frozen=True, slots=True)
class DriverSource:
    """Where a driver class comes from.

    ``reference``: as the user typed it. ``import_path``: ``module:Class``, importable once :meth:`load` has run in the
    process. ``folder``: goes first on ``sys.path``; empty for installed drivers. ``file``: the class's source file.
    ``device``: the device its entry point names, or empty. ``configuration``: what the reference itself says of it.
    """

    reference: str
    import_path: str
    name: str
    version: str
    digest: str
    folder: str = ""
    file: str = ""
    device: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def load(self) -> type[Any]:
        """The class (or the function that makes drivers), imported in this process. Raises :class:`InvalidUsage`."""
        module_name, _, class_path = self.import_path.partition(":")
        if self.folder:
            module = _module_from_file(Path(self.file), self.reference)
        else:
            module = _import(module_name, self.reference)
        return _class_in(module, class_path, self.reference)


def find_driver(reference: str, device: str = "", *, allow_remote: bool = False) -> DriverSource:
    """Resolve, import and check a driver reference; ``device``: where it is to be certified, if that was said.
    ``allow_remote``: it may be a server on another machine.

    Raises :class:`InvalidUsage` with one clear line.
    """
    if reference.startswith(SCHEME):
        return find_grpc_driver(reference, allow_remote)
    left, separator, class_path = reference.rpartition(":")
    if not separator:
        return _from_entry_point(reference, device)
    prepare(device or DEFAULT_DEVICE)
    if not class_path or not left:
        raise InvalidUsage(f"driver {reference!r}: say package.module:Class, path/to/file.py:Class or a name")
    if left.endswith(".py") or "/" in left or "\\" in left:
        return _from_file(Path(left), class_path, reference)
    module = _import(left, reference)
    cls = _class_in(module, class_path, reference)
    return DriverSource(
        reference=reference,
        import_path=f"{left}:{class_path}",
        name=class_path,
        version=_version_of(module, left),
        digest=driver_digest(cls),
        file=_source_file(cls),
    )


def installed_drivers() -> tuple[EntryPoint, ...]:
    """Every entry point of group ``storcert.drivers``, by name."""
    return tuple(sorted(entry_points(group=DRIVER_GROUP), key=lambda point: (point.name, point.value)))


def device_of(point: EntryPoint) -> str:
    """The device an entry point names as its extra (``nfs = "package.module:Class [nfs]"``), or nothing."""
    return next((extra for extra in point.extras if extra in DEVICES), "")


def constructor_failed(reference: str, error: BaseException) -> InvalidUsage:
    """The one line for a constructor that raised: what, and where in which file."""
    frames = [] if reference.startswith(SCHEME) else traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return InvalidUsage(f"driver {reference!r}: its constructor raised {_say(error)}{place}")


def _from_entry_point(name: str, device: str) -> DriverSource:
    points = [point for point in installed_drivers() if point.name == name]
    if not points:
        known = ", ".join(sorted({point.name for point in installed_drivers()})) or "none"
        raise InvalidUsage(
            f"no driver {name!r} is installed (there are: {known}); "
            "or say package.module:Class or path/to/file.py:Class"
        )
    point = points[0]
    prepare(device or device_of(point) or DEFAULT_DEVICE)
    module = _import(point.module, name)
    cls = _class_in(module, point.attr, name)
    return DriverSource(
        reference=name,
        import_path=f"{point.module}:{point.attr}",
        name=name,
        version=point.dist.version if point.dist is not None else "",
        digest=driver_digest(cls),
        file=_source_file(cls),
        device=device_of(point),
    )


def _from_file(path: Path, class_path: str, reference: str) -> DriverSource:
    if not path.is_file():
        what = "is a folder, not a Python file" if path.is_dir() else "does not exist"
        raise InvalidUsage(f"driver {reference!r}: {path} {what}")
    path = path.resolve()
    module = _module_from_file(path, reference)
    cls = _class_in(module, class_path, reference)
    return DriverSource(
        reference=reference,
        import_path=f"{module.__name__}:{class_path}",
        name=class_path,
        version=str(getattr(module, "__version__", "")),
        digest=driver_digest(cls),
        folder=str(path.parent),
        file=str(path),
    )


def _module_from_file(path: Path, reference: str) -> ModuleType:
    """Import ``path`` under its stem, its folder first on ``sys.path``; under another name where the stem is taken."""
    folder = str(path.parent)
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None:
        if _is_file(loaded, path):
            return loaded
        name = f"{path.stem}_driver_file"
        known = sys.modules.get(name)
        if known is not None and _is_file(known, path):
            return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidUsage(f"driver {reference!r}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise InvalidUsage(f"driver {reference!r}: {path} cannot be imported: {_say(error)}") from error
    return module


def _is_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _import(module_name: str, reference: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        first = module_name.partition(".")[0]
        here = isinstance(error, ModuleNotFoundError) and error.name == first and any(Path.cwd().glob(f"{first}*"))
        hint = f"; the current folder is not searched: install it, or give the file, {first}.py:Class" if here else ""
        raise InvalidUsage(
            f"driver {reference!r}: module {module_name!r} cannot be imported: {_say(error)}{hint}"
        ) from error


def _class_in(module: ModuleType, class_path: str, reference: str) -> type[Any]:
    found: Any = module
    for piece in class_path.split("."):
        found = getattr(found, piece, None)
    if found is None:
        classes = [
            name
            for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__ and not missing_methods(value)
        ]
        hint = f"; it has {', '.join(classes)}" if classes else ""
        raise InvalidUsage(f"driver {reference!r}: {module.__name__} has no class {class_path}{hint}")
    if inspect.isfunction(found) and found.__module__ == module.__name__:
        return found  # type: ignore[return-value]  # makes drivers, as a class does
    if not inspect.isclass(found):
        raise InvalidUsage(f"driver {reference!r}: {class_path} is not a class but {type(found).__name__}")
    missing = missing_methods(found)
    if missing:
        raise InvalidUsage(f"driver {reference!r}: class {class_path} is no driver: it has no {', '.join(missing)}")
    return found


def missing_methods(cls: type[Any]) -> tuple[str, ...]:
    """The methods of the contract that a driver class must have and this one has not."""
    return tuple(name for name in REQUIRED_METHODS if not callable(getattr(cls, name, None)))


def _source_file(cls: type[Any]) -> str:
    try:
        return inspect.getsourcefile(cls) or ""
    except TypeError:
        return ""


def _version_of(module: ModuleType, module_name: str) -> str:
    declared = getattr(module, "__version__", None)
    if declared is not None:
        return str(declared)
    try:
        return version(module_name.partition(".")[0])
    except PackageNotFoundError:
        return ""


def _say(error: BaseException) -> str:
    place = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__) + place
