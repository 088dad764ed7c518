"""Sparse contents of a simulated object: what was written, and nothing for what was not. Shared by all devices.

A terabyte of zeros costs nothing, a repeated pattern costs one period, and a copy shares its bytes with the original.
"""

from __future__ import annotations

from bisect import bisect_right

_PERIODS = (1, 512, 4096)
_PATTERN_BYTES_MIN = 8192
_ZEROS = bytes(1 << 16)

_Piece = tuple[int, int, bytes]
"""First byte, first byte after, and the bytes, repeated as often as they must be. Pieces never overlap nor touch
twice."""


class Extents:
    """Bytes ``0 .. size_bytes``. What no piece covers is zero."""

    # What an ordinary small object holds, one piece from its beginning, is kept as bare bytes: a third of the memory.
    __slots__ = ("_kept", "size_bytes")
    _kept: bytes | tuple[_Piece, ...]

    def __init__(self, data: bytes = b"") -> None:
        self.size_bytes = len(data)
        # A tuple is replaced, never changed, so that a copy may share it.
        self._pieces = () if _is_zero(data) else ((0, len(data), period_of(data)),)

    @property
    def _pieces(self) -> tuple[_Piece, ...]:
        kept = self._kept
        return kept if isinstance(kept, tuple) else ((0, len(kept), kept),)

    @_pieces.setter
    def _pieces(self, pieces: tuple[_Piece, ...]) -> None:
        if len(pieces) == 1 and not pieces[0][0] and pieces[0][1] == len(pieces[0][2]):
            self._kept = pieces[0][2]
        else:
            self._kept = pieces

    @property
    def allocated_bytes(self) -> int:
        """How many bytes are covered by something that was written and is not zero."""
        return sum(end - start for start, end, _ in self._pieces)

    def copy(self) -> Extents:
        """The same contents, independent from now on."""
        made = Extents()
        made.size_bytes, made._kept = self.size_bytes, self._kept
        return made

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of the range as far as there are any: short or empty at the end."""
        end = min(offset + length, self.size_bytes)
        if offset >= end:
            return b""
        whole = self._kept
        if isinstance(whole, bytes) and len(whole) >= end:
            return whole if offset == 0 and end == len(whole) else whole[offset:end]
        pieces = self._pieces
        found: list[bytes] = []
        at = offset
        for index in range(max(0, bisect_right(pieces, at, key=_start) - 1), len(pieces)):
            start, stop, unit = pieces[index]
            if start >= end:
                break
            if stop <= at:
                continue
            if start > at:
                found.append(bytes(start - at))
                at = start
            upto = min(stop, end)
            found.append(_slice(unit, at - start, upto - start))
            at = upto
        if at < end:
            found.append(bytes(end - at))
        return b"".join(found)

    def write(self, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``; grows where it reaches past the end."""
        if not data:
            return
        end = offset + len(data)
        zero = _is_zero(data)
        if offset >= self.size_bytes or (self._pieces and offset >= self._pieces[-1][1]):
            if not zero:
                self._pieces = (*self._pieces, (offset, end, period_of(data)))
        elif self._pieces:
            self._replace(offset, end, None if zero else period_of(data))
        elif not zero:
            self._pieces = ((offset, end, period_of(data)),)
        self.size_bytes = max(self.size_bytes, end)

    def fill(self, offset: int, length: int, unit: bytes) -> None:
        """Put ``unit`` at ``offset``, again and again for ``length`` bytes, and keep it once; grows where it reaches
        past the end."""
        if length <= 0 or not unit:
            return
        self._replace(offset, offset + length, None if _is_zero(unit) else bytes(unit[:length]))
        self.size_bytes = max(self.size_bytes, offset + length)

    def zero(self, offset: int, length: int) -> None:
        """Make the range zeros and give its space back; does not grow."""
        end = min(offset + length, self.size_bytes)
        if offset < end:
            self._replace(offset, end, None)

    def truncate(self, size_bytes: int) -> None:
        """Cut, or grow with zeros."""
        if size_bytes < self.size_bytes:
            self._replace(size_bytes, self.size_bytes, None)
        self.size_bytes = size_bytes

    def _replace(self, offset: int, end: int, unit: bytes | None) -> None:
        pieces = self._pieces
        first = max(0, bisect_right(pieces, offset, key=_start) - 1)
        last = bisect_right(pieces, end - 1, key=_start)
        kept: list[_Piece] = []
        for start, stop, old in pieces[first:last]:
            if start < offset:
                kept.append((start, min(stop, offset), _first_bytes(old, min(stop, offset) - start)))
        if unit is not None:
            kept.append((offset, end, unit))
        for start, stop, old in pieces[first:last]:
            if stop > end:
                kept.append((end, stop, _rotated(old, end - start, stop - start)))
        self._pieces = (*pieces[:first], *kept, *pieces[last:])


def _start(piece: _Piece) -> int:
    return piece[0]


def _is_zero(data: bytes) -> bool:
    if data[:1] != b"\0" and data:
        return False
    if len(data) <= len(_ZEROS):
        return data == _ZEROS[: len(data)]
    return not data.strip(b"\0")


def period_of(data: bytes) -> bytes:
    """One period of ``data`` where it is a pattern, else ``data`` itself."""
    if len(data) >= _PATTERN_BYTES_MIN:
        for period in _PERIODS:
            if data[:period] == data[period : 2 * period] and data[period:] == data[:-period]:
                return data[:period]
    return bytes(data)


def _slice(unit: bytes, start: int, stop: int) -> bytes:
    """Bytes ``start .. stop`` of ``unit`` repeated for ever."""
    if stop <= len(unit):
        return unit if start == 0 and stop == len(unit) else unit[start:stop]
    begin = start % len(unit)
    length = stop - start
    return (unit * (-(-(begin + length) // len(unit))))[begin : begin + length]


def _first_bytes(unit: bytes, length: int) -> bytes:
    return unit if len(unit) <= length else unit[:length]


def _rotated(unit: bytes, start: int, stop: int) -> bytes:
    """What ``unit``, repeated, looks like from ``start`` on, as a unit of its own."""
    length = stop - start
    if length >= len(unit):
        begin = start % len(unit)
        return unit[begin:] + unit[:begin]
    return _slice(unit, start, stop)
