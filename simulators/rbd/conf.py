"""Configuration of a client: the options a driver may set that mean something here, with their defaults and checks."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd.refusal import Refusal

NS_PER_S = 1_000_000_000
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_TIME_UNITS = {
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minutes": 60.0, "h": 3600.0,
}


def _refused() -> Refusal:
    return Refusal(errno.EINVAL)


def _seconds(text: str) -> str:
    found = re.fullmatch(r"\s*(\d+)\s*([a-z]*)\s*", text)
    if found is None or found[2] not in _TIME_UNITS:
        raise _refused()
    return str(int(int(found[1]) * _TIME_UNITS[found[2]]))


def _boolean(text: str) -> str:
    lowered = text.strip().lower()
    if lowered in ("true", "yes", "on"):
        return "true"
    if lowered in ("false", "no", "off"):
        return "false"
    if re.fullmatch(r"-?\d+", lowered):
        return "false" if int(lowered) == 0 else "true"
    raise _refused()


def _number(text: str) -> str:
    if not re.fullmatch(r"\s*\d+\s*", text):
        raise _refused()
    return str(int(text))


def _size(text: str) -> str:
    found = re.fullmatch(r"\s*(\d+)\s*([A-Z]i?)?B?\s*", text)
    if found is None:
        raise _refused()
    return str(int(found[1]) * _UNITS[found[2] or ""])


def _text(text: str) -> str:
    return text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in allowed:
            raise _refused()
        return text

    return check


_OPTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "rados_osd_op_timeout": ("0", _seconds),
    "rados_mon_op_timeout": ("0", _seconds),
    "client_mount_timeout": ("300", _seconds),
    "rbd_cache": ("true", _boolean),
    "rbd_cache_policy": ("writearound", _one_of("writethrough", "writeback", "writearound")),
    "rbd_cache_writethrough_until_flush": ("true", _boolean),
    "rbd_cache_size": (str(32 << 20), _size),
    "rbd_cache_max_dirty": (str(24 << 20), _size),
    "rbd_default_order": ("22", _number),
    "rbd_default_features": ("", _text),
    "rbd_default_clone_format": ("auto", _one_of("auto", "1", "2")),
    "rbd_default_data_pool": ("", _text),
    "rbd_move_to_trash_on_remove": ("false", _boolean),
    "rbd_discard_granularity_bytes": ("65536", _size),
    "rbd_skip_partial_discard": ("true", _boolean),
    "rbd_concurrent_management_ops": ("10", _number),
    "rbd_validate_pool": ("true", _boolean),
    "rbd_non_blocking_aio": ("true", _boolean),
    "mon_host": ("", _text),
    "keyring": ("/etc/ceph/keyring", _text),
    "key": ("", _text),
    "keyfile": ("", _text),
    "auth_client_required": ("cephx, none", _text),
    "fsid": ("00000000-0000-0000-0000-000000000000", _text),
    "log_file": ("", _text),
    "log_to_stderr": ("false", _boolean),
    "admin_socket": ("", _text),
    "debug_rbd": ("0/5", _text),
    "debug_rados": ("0/5", _text),
    "debug_ms": ("0/0", _text),
}
# Not known to a real client either: what a typing error in a driver looks like must stay a refusal.
_READ_ONLY_AFTER_CONNECT = frozenset(("mon_host", "keyring", "fsid"))


class ClientConf:
    """Options of one ``rados.Rados``, as text, as ``conf_get`` gives them."""

    def __init__(self, cluster_defaults: dict[str, str]) -> None:
        self._values = dict(cluster_defaults)

    def get(self, option: str) -> str | None:
        """``None`` for an option there is none of."""
        name = option.replace(" ", "_").replace("-", "_")
        if name in self._values:
            return self._values[name]
        found = _OPTIONS.get(name)
        return None if found is None else found[0]

    def set(self, option: str, value: str) -> None:
        """Refused: EINVAL for a value, ENOENT for a name that cannot be one."""
        name = option.replace(" ", "_").replace("-", "_")
        found = _OPTIONS.get(name)
        if found is None:
            if not re.match(r"(rados|rbd|client|mon|osd|ms|auth|debug|log|objecter|cephx|rgw|mgr|mds)_", name):
                raise Refusal(errno.ENOENT)
            raise NotModelled(f"rados conf_set({option!r})")
        self._values[name] = found[1](value)

    def seconds_ns(self, option: str) -> int:
        """A time, in nanoseconds."""
        return int(self.get(option) or "0") * NS_PER_S

    def flag(self, option: str) -> bool:
        """A boolean."""
        return self.get(option) == "true"

    def number(self, option: str) -> int:
        """A whole number."""
        return int(self.get(option) or "0")
