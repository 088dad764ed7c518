"""What the Cython bindings ask of their arguments before anything is sent: text, bytes, C integers. Errors as theirs."""

from __future__ import annotations

from typing import Any

from storcert.simulators.rbd.rbd_errors import InvalidArgument


def cstr(value: Any, name: str, *, optional: bool = False) -> str:
    """A name for the rbd module, given as text or as bytes; ``optional`` lets ``None`` through as ``""``."""
    if isinstance(value, bytes):
        # Names are compared as bytes; latin-1 keeps what is not UTF-8 apart.
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if optional and value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidArgument(f"{name} must be a string")
    value.encode("utf-8")
    return value


def only_str(value: Any, name: str) -> str:
    """An argument the binding declares as ``unicode``."""
    if value is None:
        raise TypeError(f"{name} must be a string")
    if not isinstance(value, str):
        raise TypeError(f"Argument '{name}' has incorrect type (expected str, got {type(value).__name__})")
    value.encode("utf-8")
    return value


def only_bytes(value: Any, name: str) -> bytes:
    """An argument the binding declares as ``bytes``."""
    if value is None:
        raise TypeError(f"{name} must be a bytes")
    if not isinstance(value, bytes):
        raise TypeError(f"Argument '{name}' has incorrect type (expected bytes, got {type(value).__name__})")
    return value


def unsigned(value: Any, bits: int = 64) -> int:
    """A C unsigned integer."""
    number = _whole(value)
    if number < 0:
        raise OverflowError("can't convert negative value to uint64_t" if bits == 64 else "can't convert negative value")
    if number >> bits:
        raise OverflowError("Python int too large to convert to C unsigned long")
    return number


def signed(value: Any, bits: int = 32) -> int:
    """A C signed integer."""
    number = _whole(value)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise OverflowError("value too large to convert to int")
    return number


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__index__"):
        raise TypeError("an integer is required")
    return int(value.__index__())


def buffer(data: Any) -> bytes:
    """What is to be written."""
    if not isinstance(data, bytes):
        raise TypeError("data must be a byte string")
    return data
