"""``rados.Ioctx``: advisory locks on plain objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storcert.simulators.rbd import osd
from storcert.simulators.rbd.arguments import only_str
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.model import Locker, Pool

LOCK_RENEW = 1
NS_PER_S = 1_000_000_000


class IoctxLocks:
    """Mixed into the context of a pool."""

    client: Client
    pool: Pool
    name: str

    def call(
        self, operation: str, key: str, effect: Callable[[], Any], message: str, *, sent_bytes: int = 0, write: bool = False,
    ) -> Any:
        """One request."""
        raise NotImplementedError

    def lock_exclusive(
        self, key: str, name: str, cookie: str, desc: str = "", duration: int | None = None, flags: int = 0,
    ) -> None:
        """Nobody else; until unlocked, or for ``duration`` seconds."""
        self._lock(key, name, Locker(self.client.instance, only_str(cookie, "cookie"), "", True), duration, flags)

    def lock_shared(
        self, key: str, name: str, cookie: str, tag: str, desc: str = "", duration: int | None = None, flags: int = 0,
    ) -> None:
        """Others with the same tag may, too."""
        locker = Locker(self.client.instance, only_str(cookie, "cookie"), only_str(tag, "tag"), False)
        self._lock(key, name, locker, duration, flags)

    def _lock(self, key: str, name: str, locker: Locker, duration: int | None, flags: int) -> None:
        pool, kernel = self.pool, self.client.kernel
        oid, lock_name = only_str(key, "key"), only_str(name, "name")

        def effect() -> None:
            now_ns = kernel.now_ns
            until_ns = None if not duration else now_ns + duration * NS_PER_S
            osd.lock(pool, oid, lock_name, locker, until_ns, now_ns, renew=bool(flags & LOCK_RENEW))

        self.call("object_lock", oid, effect, f"Ioctx.rados_lock({self.name}): failed to set lock {lock_name} on {oid}")

    def unlock(self, key: str, name: str, cookie: str) -> None:
        """Let go."""
        pool, kernel, instance = self.pool, self.client.kernel, self.client.instance
        oid, lock_name, mine = only_str(key, "key"), only_str(name, "name"), only_str(cookie, "cookie")
        self.call(
            "object_unlock", oid, lambda: osd.unlock(pool, oid, lock_name, instance, mine, kernel.now_ns),
            f"Ioctx.rados_lock_exclusive({self.name}): failed to unlock {lock_name} on {oid}",
        )
