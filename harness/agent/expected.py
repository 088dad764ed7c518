"""What is known of a file before it is read, and the check that what arrives is that file. No network here.

Without a size or a digest the end of a body is as good as the transport's word for it, and an HTML page instead of a
disk image is told by its looks alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from storcert.harness.contract import CapacityExceeded, DataCorrupted, InvalidRequest

SIZE_MAX_BYTES = 16 << 40
_LOOKED_AT_BYTES = 512
_DIGEST = re.compile(r"(sha256|sha384|sha512|sha1|md5):([0-9a-f]+)$")
_HTML = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title)\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expected:
    """``size_bytes``: exactly so many; ``digest``: ``"sha256:<hex>"`` (also sha384, sha512, sha1, md5); ``magic``: it
    begins with one of these; ``size_max_bytes``: more is too much, whatever the server says. Raises
    ``InvalidRequest`` for a digest of no known form."""

    size_bytes: int | None = None
    digest: str | None = None
    magic: tuple[bytes, ...] = ()
    size_max_bytes: int = SIZE_MAX_BYTES

    def __post_init__(self) -> None:
        if self.digest is not None:
            found = _DIGEST.match(self.digest)
            if found is None or len(found[2]) != 2 * hashlib.new(found[1]).digest_size:
                raise InvalidRequest(f"no digest: {self.digest!r}; sha256:<hex> and the like are")

    @property
    def tells_the_end(self) -> bool:
        """Whether a file that ends too early would be noticed by what is known of it."""
        return self.size_bytes is not None or self.digest is not None


class Inspection:
    """Looks at the bytes of one file as they pass. ``seen_bytes``: how many have passed."""

    def __init__(self, expected: Expected, name: str, uri: object) -> None:
        self._expected = expected
        self._name = name
        self._uri = uri
        self._hash = None if expected.digest is None else hashlib.new(expected.digest.partition(":")[0])
        self._own = hashlib.sha256()
        self._beginning = b""
        self.seen_bytes = 0

    def announce(self, size_bytes: int) -> None:
        """The server says how many there will be."""
        expected = self._expected
        if expected.size_bytes is not None and size_bytes != expected.size_bytes:
            raise self._wrong(f"the server announces {size_bytes} bytes, {expected.size_bytes} are expected")
        if size_bytes > expected.size_max_bytes:
            raise CapacityExceeded(f"{self._name}: {size_bytes} bytes, over {expected.size_max_bytes}", self._uri)

    def take(self, piece: bytes) -> None:
        """The next bytes."""
        expected = self._expected
        self.seen_bytes += len(piece)
        if expected.size_bytes is not None and self.seen_bytes > expected.size_bytes:
            raise self._wrong(f"more than the {expected.size_bytes} bytes expected")
        if self.seen_bytes > expected.size_max_bytes:
            raise CapacityExceeded(f"{self._name}: more than {expected.size_max_bytes} bytes", self._uri)
        if self._hash is not None:
            self._hash.update(piece)
        self._own.update(piece)
        if len(self._beginning) < _LOOKED_AT_BYTES:
            self._beginning += piece[: _LOOKED_AT_BYTES - len(self._beginning)]
            if len(self._beginning) == _LOOKED_AT_BYTES:
                self._look()

    def finish(self) -> None:
        """That was all."""
        expected = self._expected
        if expected.size_bytes is not None and self.seen_bytes != expected.size_bytes:
            raise self._wrong(f"{self.seen_bytes} bytes, {expected.size_bytes} are expected")
        if len(self._beginning) < _LOOKED_AT_BYTES:
            self._look()
        if self._hash is not None and f"{self._hash.name}:{self._hash.hexdigest()}" != expected.digest:
            raise self._wrong(f"the digest is {self._hash.name}:{self._hash.hexdigest()}, {expected.digest} is expected")

    def is_beginning(self, digest: bytes) -> bool:
        """Whether SHA-256 of the same number of bytes from elsewhere says that they are the ones seen so far."""
        return digest == self._own.digest()

    def _look(self) -> None:
        expected = self._expected
        if expected.magic and not self._beginning.startswith(expected.magic):
            raise self._wrong(f"it begins with {self._beginning[:8]!r}, which is not what was asked for")
        if expected.digest is None and not expected.magic and _HTML.match(self._beginning):
            raise self._wrong("the server sent a page of HTML instead of a file, and called it a success")

    def _wrong(self, what: str) -> DataCorrupted:
        return DataCorrupted(f"{self._name}: {what}", self._uri)
