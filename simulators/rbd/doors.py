"""How code comes by the client libraries: the modules ``rados`` and ``rbd``, made here and put where ``import`` finds them.

They shadow real ones for as long as the process lives; at a location that reaches no simulated cluster, and outside of
locations, using them raises. Whatever version 16.2 has and the simulator does not is there and raises ``NotModelled``.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from typing import Any

from storcert.harness.kernel.interpose.install import Interposition, register
from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import (
    arguments,
    constants,
    image_face,
    ioctx,
    rados_constants,
    rados_errors,
    rados_face,
    rados_ops,
    rbd_errors,
    rbd_face,
)
from storcert.simulators.rbd.binding_names import (
    RADOS_CLASSES,
    RADOS_EXCEPTIONS,
    RADOS_FUNCTIONS,
    RBD_CLASSES,
    RBD_EXCEPTIONS,
    RBD_FUNCTIONS,
)

_MODELLED: Mapping[str, Mapping[str, Any]] = {
    "rados": {
        "Rados": rados_face.Rados, "Ioctx": ioctx.Ioctx, "Version": rados_face.Version, "WriteOp": rados_ops.WriteOp,
        "WriteOpCtx": rados_ops.WriteOpCtx, "ReadOp": rados_ops.ReadOp, "ReadOpCtx": rados_ops.ReadOpCtx,
        "OmapIterator": rados_ops.OmapIterator, "cstr": arguments.cstr,
    },
    "rbd": {"RBD": rbd_face.RBD, "Image": image_face.Image, "cstr": arguments.cstr},
}
_CONSTANTS = {"rados": rados_constants, "rbd": constants}
_ERRORS = {"rados": rados_errors, "rbd": rbd_errors}
_made: dict[str, types.ModuleType] = {}


def _refusing(what: str) -> Any:
    def not_modelled(*_: Any, **__: Any) -> Any:
        raise NotModelled(what)

    not_modelled.__name__ = what.rpartition(".")[2]
    not_modelled.__doc__ = "Not modelled."
    return not_modelled


def _complete(cls: type, module: str, name: str, methods: tuple[str, ...]) -> None:
    """Every method of the real class that is not there raises ``NotModelled``."""
    cls.__module__ = module
    for method in methods:
        if not hasattr(cls, method):
            setattr(cls, method, _refusing(f"{module}.{name}.{method}"))


def _empty_class(module: str, name: str) -> type:
    return type(name, (), {"__module__": module, "__init__": _refusing(f"{module}.{name}"), "__doc__": "Not modelled."})


def _make(
    name: str, classes: Mapping[str, tuple[str, ...]], exceptions: tuple[str, ...], functions: tuple[str, ...],
) -> types.ModuleType:
    module = types.ModuleType(name, f"The {name} module of Ceph 16.2, simulated by storcert.")
    module.__spec__ = ModuleSpec(name, None, origin="storcert.simulators.rbd")
    contents = vars(module)
    for key, value in vars(_CONSTANTS[name]).items():
        if key.isupper():
            contents[key] = value
    for key in exceptions:
        contents[key] = getattr(_ERRORS[name], key)
    modelled = _MODELLED[name]
    for key, methods in classes.items():
        cls = modelled.get(key) or _empty_class(name, key)
        _complete(cls, name, key, methods)
        contents[key] = cls
    for key in functions:
        contents[key] = modelled.get(key) or _refusing(f"{name}.{key}")
    return module


def modules() -> tuple[Any, Any]:
    """The simulated ``rados`` and ``rbd``, whatever ``import`` finds."""
    if not _made:
        _made["rados"] = _make("rados", RADOS_CLASSES, RADOS_EXCEPTIONS, RADOS_FUNCTIONS)
        _made["rbd"] = _make("rbd", RBD_CLASSES, RBD_EXCEPTIONS, RBD_FUNCTIONS)
        vars(_made["rbd"])["ECANCELED"] = 125
    return _made["rados"], _made["rbd"]


def provide() -> None:
    """``import rados, rbd`` finds the simulated modules from now on. Once or more often: the same modules."""
    modules()
    sys.modules.update(_made)


def install(_: Interposition) -> None:
    """The group of the fence. Nothing is replaced: the modules themselves ask at which location they are used."""


register("rbd", install)
