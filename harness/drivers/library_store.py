"""What an adapter says of a library: how it reads, writes, removes and names, and which of its errors mean what.

An adapter of a library that nobody here wrote is a :class:`LibraryStore`; :mod:`storcert.harness.drivers.library_driver` makes
a driver of it. Names, sizes and the states of streams are there once; only what the library itself does is in a store. No
retries, locks or temporary names here or there: what the library does is what is judged.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    Unsupported,
)


class Source(Protocol):
    """A range of one object, opened by the library."""

    def read(self, n: int) -> bytes:
        """1..``n`` bytes; none at the end of what the library has."""
        ...

    def close(self) -> None:
        """Give back what the library holds."""
        ...


class Sink(Protocol):
    """One object being written by the library."""

    def write(self, data: bytes) -> int | None:
        """Hand ``data`` over; how many bytes were taken, or ``None`` for all."""
        ...

    def publish(self) -> None:
        """What the library has for "now it is there"."""
        ...

    def discard(self) -> None:
        """What the library has for "it shall never be there"."""
        ...


class LibraryStore(Protocol):
    """Paths are ``kind/account/object_id``, the names percent-encoded; below which root, the store knows."""

    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> AbstractContextManager[None]:
        """The library's errors as typed ones. ``outcome``: what a lost connection means at this point. ``ObjectInUse``:
        the device says that somebody else is at it. What is not known passes through, so that whoever certifies sees it."""
        ...

    def size_of(self, path: str) -> int | None:
        """Size in bytes, ``None`` where there is no such object."""
        ...

    def reader(self, path: str, offset: int, length: int | None) -> Source:
        """Open for reading; ``length`` ``None`` means to the end."""
        ...

    def writer(self, path: str, size: int | None) -> Sink:
        """Begin an object of ``size`` bytes, as far as that is known."""
        ...

    def remove(self, path: str) -> None:
        """Remove one object; an absent one is no error, or ``ObjectNotFound`` by way of :meth:`errors`."""
        ...

    def paths(self) -> Iterator[str]:
        """Everything below the root, as paths, in any order."""
        ...


class CopyingStore(LibraryStore, Protocol):
    """A store that copies on the device."""

    def copy(self, source: str, destination: str) -> None:
        """From path to path, without moving bytes through here."""
        ...


Errors = Callable[[DataObjectUri | None, Outcome], AbstractContextManager[None]]
""":meth:`LibraryStore.errors`, all that a stream needs of a store."""


def said(error: BaseException) -> str:
    """Class and text of an error, without the addresses that some put into it: they are others in every run."""
    text = re.sub(r" (object )?at 0x[0-9a-f]+", "", str(getattr(error, "value", None) or error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def first_line(error: BaseException) -> str:
    """The text of an error whose further lines are of the library's inside."""
    return str(error).partition("\n")[0]


@contextmanager
def os_errors(uri: DataObjectUri | None, outcome: Outcome = Outcome.NOT_DONE) -> Iterator[None]:
    """The errors of Python and of the operating system, which most libraries raise, as typed ones."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFound(str(error) or "not found", uri) from error
    except FileExistsError as error:
        raise ObjectExists(str(error) or "exists", uri) from error
    except PermissionError as error:
        raise PermissionDenied(str(error), uri) from error
    except NotImplementedError as error:
        raise Unsupported(str(error) or "not implemented by the library", uri) from error
    except (ConnectionError, TimeoutError) as error:
        raise DeviceUnavailable(f"{type(error).__name__}: {error}", uri, outcome) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise CapacityExceeded(str(error), uri) from error
        if error.errno == errno.EROFS:
            raise PermissionDenied(str(error), uri) from error
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidRequest(str(error), uri) from error
        if error.errno in (errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENOTCONN, errno.EBUSY):
            raise DeviceUnavailable(str(error), uri, outcome) from error
        raise
