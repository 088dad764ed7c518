"""``rbd.Image``: advisory locks, the exclusive lock asked for by name, and breaking either."""

from __future__ import annotations

import errno
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd.arguments import cstr
from storcert.simulators.rbd.image_base import ImageBase
from storcert.simulators.rbd.image_context import INTERNAL
from storcert.simulators.rbd.iterators import LockOwnerIterator
from storcert.simulators.rbd.model import Locker
from storcert.simulators.rbd.rbd_face import answered
from storcert.simulators.rbd.refusal import Refusal


class ImageLocks(ImageBase):
    """Both kinds stand on one lock of the header: an advisory lock keeps every writer out."""

    def list_lockers(self) -> Any:
        """Who holds the lock; an empty list where nobody does."""
        context = self._open()
        lockers = answered(
            lambda: context.request("list_lockers", lambda: context.header.lockers), "error listing images lockers")
        if not lockers:
            return []
        first: Locker = lockers[0]
        return {
            "tag": first.tag, "exclusive": first.exclusive,
            "lockers": [(one.instance.entity, one.cookie, one.instance.address) for one in lockers],
        }

    def lock_exclusive(self, cookie: str) -> None:
        """Advisory."""
        text = cstr(cookie, "cookie")
        self._lock(Locker(self._open().client.instance, text, "", True), "error acquiring exclusive lock on image")

    def lock_shared(self, cookie: str, tag: str) -> None:
        """Advisory, together with those of the same tag."""
        text, mark = cstr(cookie, "cookie"), cstr(tag, "tag")
        self._lock(Locker(self._open().client.instance, text, mark, False), "error acquiring shared lock on image")

    def _lock(self, locker: Locker, message: str) -> None:
        context = self._open()

        def effect() -> None:
            header = context.live_header()
            lockers = header.lockers
            same_kind = bool(lockers) and lockers[0].exclusive == locker.exclusive
            if same_kind and any(one.instance is locker.instance and one.cookie == locker.cookie for one in lockers):
                raise Refusal(errno.EEXIST)
            if lockers and (locker.exclusive or lockers[0].exclusive or lockers[0].tag != locker.tag):
                raise Refusal(errno.EBUSY)
            header.lockers = (*lockers, locker)

        answered(lambda: context.request("lock_image", effect), message)

    def unlock(self, cookie: str) -> None:
        """Give an advisory lock back."""
        context, text = self._open(), cstr(cookie, "cookie")
        entity = context.client.instance.entity

        answered(lambda: context.request("unlock_image", lambda: self._drop(entity, text)), "error unlocking image")

    def break_lock(self, client: str, cookie: str) -> None:
        """Take somebody's advisory lock away, and shut its holder out."""
        context, entity, text = self._open(), cstr(client, "client"), cstr(cookie, "cookie")

        def effect() -> None:
            for one in self._drop(entity, text):
                one.instance.blocklisted = True

        def call() -> None:
            if context.read_only:
                raise Refusal(errno.EROFS)
            if not entity.startswith("client."):
                raise Refusal(errno.EINVAL)
            context.request("break_lock", effect)

        answered(call, "error unlocking image")

    def _drop(self, entity: str, cookie: str) -> tuple[Locker, ...]:
        """Effect: that lock is gone; ENOENT where there is none."""
        header = self._context.live_header()
        gone = tuple(one for one in header.lockers if one.instance.entity == entity and one.cookie == cookie)
        if not gone:
            raise Refusal(errno.ENOENT)
        header.lockers = tuple(one for one in header.lockers if one not in gone)
        return gone

    # -- the exclusive lock

    def is_exclusive_lock_owner(self) -> bool:
        """Whether this handle has it."""
        return self._open().owns_lock

    def lock_acquire(self, lock_mode: int) -> None:
        """Have it and keep it: nobody is given it any more who asks."""
        context = self._open()
        if lock_mode != c.RBD_LOCK_MODE_EXCLUSIVE:
            raise NotModelled("rbd.Image.lock_acquire with RBD_LOCK_MODE_SHARED")

        def call() -> None:
            self._check_lockable()
            context.explicit = False
            context.lock()
            context.explicit = True

        answered(call, "error acquiring lock on image")

    def _check_lockable(self) -> None:
        context = self._context
        if context.read_only or context.snap_id is not None or not context.features & c.RBD_FEATURE_EXCLUSIVE_LOCK:
            raise Refusal(errno.EINVAL)

    def lock_release(self) -> None:
        """Give it back, once the cache is empty. Whoever has asked for the lock by name writes no more without it."""
        context = self._open()

        def effect() -> None:
            if context.owns_lock:
                context.header.lockers = ()

        def call() -> None:
            if not context.owns_lock:
                raise Refusal(errno.EINVAL)
            context.drain()
            context.request("lock_release", effect)

        answered(call, "error releasing lock on image")

    def lock_get_owners(self) -> LockOwnerIterator:
        """The holder of the exclusive lock."""
        context = self._open()

        def effect() -> list[dict[str, Any]]:
            return [
                {"mode": c.RBD_LOCK_MODE_EXCLUSIVE, "owner": f"{one.instance.address}/{one.cookie.split()[-1]}"}
                for one in context.live_header().lockers if one.tag == INTERNAL
            ]

        def call() -> list[dict[str, Any]]:
            self._check_lockable()
            found: list[dict[str, Any]] = context.request("list_lockers", effect)
            return found

        return LockOwnerIterator(answered(call, "error listing lock owners"))

    def lock_break(self, lock_mode: int, lock_owner: str) -> None:
        """Take the exclusive lock away from its holder, and shut it out."""
        context, owner = self._open(), cstr(lock_owner, "lock_owner")

        def effect() -> None:
            header = context.live_header()
            for one in header.lockers:
                if one.tag == INTERNAL and owner.split("/")[-1] == one.cookie.split()[-1]:
                    one.instance.blocklisted = True
                    header.lockers = ()
                    return
            raise Refusal(errno.EBUSY if header.lockers else errno.ENOENT)

        answered(lambda: context.request("break_lock", effect), "error breaking lock on image")
