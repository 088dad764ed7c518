"""From a file in the making to a published object: exactly once, and nothing left of it.

The file is made under a name of its own in ``pending``, written, forced to the server, and then *linked* under its final
name. ``link`` fails where that name is taken (``rename`` would replace), and publishes the whole file at one moment. The
answer may be lost, and a repetition then finds the name taken by ourselves: what counts after any failure is which file
stands there. A link request that is still on its way needs the file: once the pending name is gone for certain, it fails.

No descriptor is kept between two calls. What a dead process leaves is one file whose name tells its URI.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    ObjectExists,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.nfs_errors import is_ambiguous, typed
from storcert.harness.drivers.nfs_mount import OBJECTS, PENDING, Identity, Mount, Patience
from storcert.harness.drivers.nfs_names import object_name, pending_name, pending_prefix

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_MORE = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE = 0o600


class Pending:
    """One file in the making. After an error it can only be discarded."""

    def __init__(self, mount: Mount, uri: DataObjectUri) -> None:
        self._mount = mount
        self._uri = uri
        self._name = pending_name(uri)
        self._begun = False
        self._in_doubt = False  # a link may have been there, seen and deleted
        self._identity: Identity | None = None

    def append(self, data: bytes | bytearray, offset: int) -> None:
        """Write ``data`` at ``offset`` and have the server keep it. Raises a :class:`StorageError`, not done."""
        self._change(lambda descriptor: _write_all(descriptor, data, offset))

    def stretch(self, size: int) -> None:
        """Make the file ``size`` bytes long; what was never written is zero and takes no room."""
        self._change(lambda descriptor: os.ftruncate(descriptor, size))

    def _change(self, change: Callable[[int], Any]) -> None:
        try:
            with self._mount.made_folder(PENDING) as pending:
                first, self._begun = not self._begun, True
                descriptor = os.open(self._name, _NEW if first else _MORE, _MODE, dir_fd=pending)
                try:
                    change(descriptor)
                    # Room and permission may be missing only now, and this is told once: never to be passed over.
                    os.fsync(descriptor)
                    self._identity = Identity.of(os.fstat(descriptor))
                except BaseException:
                    _close_quietly(descriptor)
                    raise
                os.close(descriptor)
                if first:
                    _sync_folder(pending)
        except OSError as error:
            raise self._removed(error) or typed(error, self._uri, "writing") from error

    def _removed(self, error: OSError) -> StorageError | None:
        """Whoever commits or deletes the URI removes what others make for it: then somebody may have published it."""
        if error.errno not in (errno.ENOENT, errno.ESTALE):
            return None
        try:
            taken = self._mount.identity(self._uri) is not None
        except OSError:
            return None
        return ObjectExists("the name is taken", self._uri) if taken else None

    def publish(self, patience: Patience) -> None:
        """Give the file its final name, once. Raises a :class:`StorageError` with the true outcome; then it is discarded."""
        while True:
            try:
                patience.check()
                self._link()
                break
            except OSError as error:
                failure = error
            try:
                if self._is_published():
                    break
            except OSError:
                if not patience.again():
                    self._settle(failure)
                    return
                continue
            if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS) or not patience.again():
                self._settle(failure)
                return
        self.discard(Patience(60.0))

    def _link(self) -> None:
        with self._mount.made_folder(PENDING) as pending, self._mount.made_folder(OBJECTS) as objects:
            self._give_name(pending, objects)
            try:
                _sync_folder(objects)
            except OSError as error:
                raise self.give_up(typed(error, self._uri, "publishing", Outcome.UNKNOWN)) from error

    def _give_name(self, pending: int, objects: int) -> None:
        try:
            os.link(self._name, object_name(self._uri), src_dir_fd=pending, dst_dir_fd=objects, follow_symlinks=False)
        except OSError as error:
            self._in_doubt = self._in_doubt or is_ambiguous(error)
            raise

    def _is_published(self) -> bool:
        """Whether the final name is ours now. Raises ``ObjectExists`` where it is another's, ``OSError`` where unknown."""
        found = self._mount.identity(self._uri)
        if found is None:
            return False
        if found != self._identity:
            self.discard(Patience(60.0))
            raise ObjectExists("the name is taken", self._uri, self._outcome(sure=True))
        return True

    def _outcome(self, *, sure: bool) -> Outcome:
        """Of a publication after which the name is not ours. ``sure``: and will not be."""
        return Outcome.NOT_DONE if sure and not self._in_doubt else Outcome.UNKNOWN

    def _settle(self, failure: OSError) -> None:
        """Publishing failed. Make sure that it stays so, or find that it is done, or say that nobody knows."""
        gone = self.discard(Patience(60.0))
        try:
            if self._is_published():
                return
        except OSError as error:
            raise typed(failure, self._uri, "publishing", Outcome.UNKNOWN) from error
        raise typed(failure, self._uri, "publishing", self._outcome(sure=gone)) from failure

    def discard(self, patience: Patience) -> bool:
        """Remove the pending name. Whether it is certainly gone."""
        while self._begun:
            try:
                with self._mount.folder(PENDING) as pending:
                    if pending is not None:
                        os.unlink(self._name, dir_fd=pending)
                self._begun = False
            except FileNotFoundError:
                self._begun = False
            except OSError:
                if not patience.again():
                    return False
        return True

    def give_up(self, error: StorageError) -> StorageError:
        """``error`` itself, after what was written has been removed as far as it can be."""
        self.discard(Patience(60.0))
        return error


def clear_pending(mount: Mount, uri: DataObjectUri) -> None:
    """Remove every file in the making for ``uri``: of dead processes, and of live ones, which then cannot publish.

    Raises ``OSError``.
    """
    prefix = pending_prefix(uri)
    with mount.folder(PENDING) as pending:
        if pending is None:
            return
        for name in sorted(name for name in os.listdir(pending) if name.startswith(prefix)):
            try:
                os.unlink(name, dir_fd=pending)
            except FileNotFoundError:
                pass


class Removal:
    """Takes the published name of one URI away, once: after an unlink whose end is not known, what has that name may be an
    object that somebody made since. NFS cannot remove on a condition, so that is looked at before each attempt."""

    def __init__(self, mount: Mount, uri: DataObjectUri) -> None:
        self._mount = mount
        self._name = object_name(uri)
        self._identity: Identity | None = None
        self._in_doubt = False

    def attempt(self) -> None:
        """Absent is fine. Raises ``OSError``."""
        with self._mount.folder(OBJECTS) as objects:
            if objects is None:
                return
            try:
                found = Identity.of(os.stat(self._name, dir_fd=objects, follow_symlinks=False))
                if self._is_to_go(found):
                    self._unlink(objects)
            except FileNotFoundError:
                return
            _sync_folder(objects)

    def _is_to_go(self, found: Identity) -> bool:
        if not self._in_doubt or found == self._identity:
            self._identity = found
            return True
        if self._identity is not None and found.inode == self._identity.inode:
            # Written to, or made anew with the number of the old one: nothing tells these apart.
            raise OSError(errno.EIO, "whether it is still the same file cannot be known")
        return False

    def _unlink(self, objects: int) -> None:
        try:
            os.unlink(self._name, dir_fd=objects)
        except OSError as error:
            self._in_doubt = self._in_doubt or is_ambiguous(error)
            raise


def _write_all(descriptor: int, data: bytes | bytearray, offset: int) -> None:
    view = memoryview(data)
    while view:
        taken = os.pwrite(descriptor, view, offset)
        view, offset = view[taken:], offset + taken


def _sync_folder(descriptor: int) -> None:
    """Names survive a power loss: at once on NFS, after this on a local or FUSE directory."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise


def _close_quietly(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        pass  # an earlier error of the same file is on its way
