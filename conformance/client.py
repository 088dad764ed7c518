"""The driver as a check uses it: the contract's calls, made at a location, timed, noted as steps, judged for form.

Every call here enforces what holds for every call: it ends in bounded time (C-BUDGET) and fails only with a typed error
(C-ERRORS). Streams are driven to their end inside one call, because that is how the data plane uses them; checks that need
a stream step by step hold a :class:`Reader` or :class:`Writer`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from storcert.conformance.handle import Handle, opened, overwrite, peek
from storcert.conformance.violation import Violation, require
from storcert.harness.contract import DataObjectDescription, DataObjectUri, Outcome, StorageError

if TYPE_CHECKING:
    from storcert.conformance.bench import Bench

READ_BYTES = 1 << 20
# Far beyond anything a check stores: a stream without an end must not eat the machine's memory first.
DRAINED_BYTES_MAX = 1 << 30


class Client:
    """A driver instance at a location. With ``deferred`` its calls only begin; :meth:`Bench.join` ends them."""

    def __init__(self, bench: Bench, location: str, driver: Any, *, deferred: bool = False) -> None:
        self.bench = bench
        self.location = location
        self.driver = driver
        self._deferred = deferred

    @property
    def later(self) -> Client:
        """The same instance, whose calls begin now and end at :meth:`Bench.join`."""
        return Client(self.bench, self.location, self.driver, deferred=True)

    def do(self, label: str, body: Callable[[], Any]) -> Any:
        """Run ``body`` at the location: its value, its typed error raised, or (deferred) an :class:`Attempt`."""
        attempt = self.bench.begin(self.location, label, body)
        if self._deferred:
            return attempt
        self.bench.join(attempt)
        return attempt.value_or_raise()

    # The contract's calls

    def create(self, uri: DataObjectUri, size: int) -> Any:
        """``create``."""
        return self.do(f"create {uri} size={size}", lambda: self.driver.create(uri, size))

    def delete(self, uri: DataObjectUri) -> Any:
        """``delete``."""
        return self.do(f"delete {uri}", lambda: self.driver.delete(uri))

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> Any:
        """``copy``."""
        return self.do(f"copy {source} to {destination}", lambda: self.driver.copy(source, destination))

    def describe(self, uri: DataObjectUri) -> Any:
        """``describe``, its answer checked for form."""
        return self.do(f"describe {uri}", lambda: _description(self.driver.describe(uri), uri))

    def list(self) -> Any:
        """Everything ``list_objects`` yields, as a list."""
        return self.do("list", lambda: _names(self.driver.list_objects()))

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        """``open_input``, whole objects asked for without arguments; gives a :class:`Reader`."""
        label = f"open_input {uri}" + (f" offset={offset} length={length}" if (offset, length) != (0, None) else "")
        return self.do(label, lambda: Reader(self, uri, _open(self.driver, uri, offset, length)))

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> Any:
        """``open_output``; gives a :class:`Writer`."""
        label = f"open_output {uri}" + ("" if size is None else f" size={size}")
        return self.do(label, lambda: Writer(self, uri, _open_output(self.driver, uri, size)))

    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri) -> Any:
        """``take_snapshot``."""
        return self.do(f"take_snapshot {volume} as {snapshot}", lambda: self.driver.take_snapshot(volume, snapshot))

    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> Any:
        """``revert``."""
        return self.do(f"revert {volume} to {snapshot}", lambda: self.driver.revert(volume, snapshot))

    def clone(self, snapshot: DataObjectUri, volume: DataObjectUri) -> Any:
        """``clone``."""
        return self.do(f"clone {snapshot} to {volume}", lambda: self.driver.clone(snapshot, volume))

    def open_volume(self, uri: DataObjectUri) -> Any:
        """``open_volume``; gives a :class:`Handle`."""
        at_once = Client(self.bench, self.location, self.driver)
        self.bench.handles = self.bench.facts.mode != "simulated"
        return self.do(f"open_volume {uri}", lambda: Handle(at_once, uri, opened(self.driver, uri)))

    # Whole transfers in one call

    def overwrite(self, uri: DataObjectUri, *pieces: tuple[int, bytes], flush: bool = True) -> Any:
        """Open the volume, ``pwrite`` each piece at its offset, ``flush`` unless told not to, close."""
        places = ", ".join(f"{len(data)} bytes at {offset}" for offset, data in pieces[:4])
        label = f"pwrite {places} of {uri}" + (", flush, close" if flush else ", close")
        return self.do(label, lambda: overwrite(self.driver, uri, pieces, flush))

    def pread(self, uri: DataObjectUri, offset: int, length: int) -> Any:
        """Open the volume, ``pread`` one range, close."""
        return self.do(f"pread {length} bytes at {offset} of {uri}", lambda: peek(self.driver, uri, offset, length))

    def read(
        self, uri: DataObjectUri, offset: int = 0, length: int | None = None, sizes: Sequence[int] = (READ_BYTES,)
    ) -> Any:
        """All bytes of the range, asked for with the read sizes in turn."""
        label = f"read {uri}" + (f" offset={offset} length={length}" if (offset, length) != (0, None) else "")

        def body() -> bytes:
            stream = _open(self.driver, uri, offset, length)
            try:
                return drain(stream, sizes)
            finally:
                stream.close()

        return self.do(label, body)

    def write(
        self,
        uri: DataObjectUri,
        data: bytes,
        chunks: Iterable[int] = (),
        size: int | None = None,
        end: str = "commit",
        progress: Callable[[str], None] | None = None,
    ) -> Any:
        """Open, write ``data`` in pieces of the ``chunks`` sizes in turn, and end with ``commit``, ``abort``, ``close``,
        ``with`` (leave a ``with`` block), ``raise`` (leave it by an exception) or ``drop``.

        ``progress`` is told ``commit`` just before the call that publishes. Gives the description, or ``None``.
        """
        announced = "" if size is None else f" size={size}"
        label = f"write {uri} {len(data)} bytes{announced}" + ("" if end == "commit" else f", {end}")
        pieces = tuple(chunks)

        def body() -> DataObjectDescription | None:
            return transfer(self.driver, uri, data, pieces, size, end, progress or (lambda _: None))

        return self.do(label, body)


class Reader:
    """An open input stream, step by step."""

    def __init__(self, client: Client, uri: DataObjectUri, stream: Any) -> None:
        self.client, self.uri, self.stream = client, uri, stream

    def read(self, n: int = -1) -> Any:
        """One ``read``, its answer checked for form."""
        return self.client.do(f"read({n}) from {self.uri}", lambda: read_once(self.stream, n))

    def rest(self, n: int = READ_BYTES) -> Any:
        """All bytes to the end."""
        return self.client.do(f"read {self.uri} to the end", lambda: drain(self.stream, (n,)))

    def close(self) -> Any:
        """``close``."""
        return self.client.do(f"close input {self.uri}", self.stream.close)


class Writer:
    """An open output stream, step by step."""

    def __init__(self, client: Client, uri: DataObjectUri, stream: Any) -> None:
        self.client, self.uri, self.stream = client, uri, stream

    def write(self, data: Any) -> Any:
        """All of ``data``, in as many ``write`` calls as the stream wants."""
        count = memoryview(data).nbytes
        return self.client.do(f"write {count} bytes to {self.uri}", lambda: write_all(self.stream, data))

    def write_once(self, data: Any) -> Any:
        """One ``write``; gives the count it answered."""
        return self.client.do(f"write to {self.uri}", lambda: write_count(self.stream, data))

    def commit(self) -> Any:
        """``commit``."""
        return self.client.do(f"commit {self.uri}", lambda: _description(self.stream.commit(), self.uri))

    def abort(self) -> Any:
        """``abort``."""
        return self.client.do(f"abort {self.uri}", self.stream.abort)

    def close(self) -> Any:
        """``close``."""
        return self.client.do(f"close output {self.uri}", self.stream.close)


# What a driver answers, checked for form


def _description(answer: Any, uri: DataObjectUri) -> DataObjectDescription:
    require(
        isinstance(answer, DataObjectDescription),
        f"a DataObjectDescription was due for {uri}, the answer is {type(answer).__name__}",
    )
    require(answer.uri == uri, f"the description is of {answer.uri}, asked was {uri}")
    size = answer.size_bytes
    require(isinstance(size, int) and not isinstance(size, bool), f"size_bytes of {uri} is {size!r}, not a whole number")
    found: DataObjectDescription = answer
    return found


def _names(answer: Any) -> list[DataObjectUri]:
    require(hasattr(answer, "__next__"), f"list_objects returned {type(answer).__name__}, not an iterator")
    names = list(answer)
    strange = next((name for name in names if not isinstance(name, DataObjectUri)), None)
    require(strange is None, f"list_objects yielded {strange!r}, which is no DataObjectUri")
    return names


def _open(driver: Any, uri: DataObjectUri, offset: int, length: int | None) -> Any:
    stream = driver.open_input(uri) if (offset, length) == (0, None) else driver.open_input(uri, offset, length)
    require(stream is not None, f"open_input {uri} returned None", "C-ERRORS")
    return stream


def _open_output(driver: Any, uri: DataObjectUri, size: int | None) -> Any:
    stream = driver.open_output(uri) if size is None else driver.open_output(uri, size)
    require(stream is not None, f"open_output {uri} returned None", "C-ERRORS")
    return stream


def read_once(stream: Any, n: int) -> bytes:
    """One ``read(n)``: bytes, and never more than asked for."""
    data = stream.read(n)
    require(isinstance(data, bytes), f"read({n}) returned {type(data).__name__}, not bytes", "C-READ")
    require(n < 0 or len(data) <= n, f"read({n}) returned {len(data)} bytes", "C-READ")
    answer: bytes = data
    return answer


def drain(stream: Any, sizes: Sequence[int]) -> bytes:
    """Every byte to the end, with the read sizes in turn; a read of 0 among them must be empty and say nothing."""
    pieces: list[bytes] = []
    turn, total = 0, 0
    while True:
        n = sizes[turn % len(sizes)]
        turn += 1
        data = read_once(stream, n)
        if data:
            pieces.append(data)
            total += len(data)
            require(total <= DRAINED_BYTES_MAX, f"no end after {DRAINED_BYTES_MAX} bytes were read", "C-READ")
        elif n != 0:
            break
    require(read_once(stream, READ_BYTES) == b"", "a stream that was at its end gave more bytes", "C-READ")
    return b"".join(pieces)


def write_count(stream: Any, data: Any) -> int:
    """One ``write``: a whole number from 1 to the length (0 for nothing)."""
    total = memoryview(data).nbytes
    count = stream.write(data)
    sound = isinstance(count, int) and not isinstance(count, bool) and min(1, total) <= count <= total
    require(sound, f"write of {total} bytes returned {count!r}", "C-WRITE")
    answer: int = count
    return answer


def write_all(stream: Any, data: Any) -> None:
    """Every byte of ``data``, however few a call takes."""
    if memoryview(data).nbytes == 0:
        write_count(stream, data)
        return
    taken = write_count(stream, data)
    if taken == memoryview(data).nbytes:
        return
    view = memoryview(data).cast("B")[taken:]
    while view:
        view = view[write_count(stream, view) :]


class _LeftByException(Exception):
    """What a check raises inside ``with`` to see that nothing is published."""


def transfer(
    driver: Any,
    uri: DataObjectUri,
    data: bytes,
    chunks: Sequence[int],
    size: int | None,
    end: str,
    progress: Callable[[str], None],
) -> DataObjectDescription | None:
    """One whole output stream; see :meth:`Client.write`."""
    stream = _open_output(driver, uri, size)
    if end in ("with", "raise"):
        return _with_block(stream, data, chunks, end, progress)
    try:
        write_pieces(stream, data, chunks)
    except StorageError as failed:
        last = _give_up(stream, progress)
        if failed.outcome is Outcome.NOT_DONE and last.outcome is not Outcome.NOT_DONE:
            # A write may leave it to commit to take back what was sent: what the two say together is said of the transfer.
            message = f"{failed.message}; and commit then: {last.message}"
            raise type(failed)(message, failed.uri, last.outcome, failed.retryable) from failed
        raise
    if end == "commit":
        progress("commit")
        return _description(stream.commit(), uri)
    if end in ("abort", "close"):
        getattr(stream, end)()
    if end == "drop":
        del stream
        gc.collect()  # at the location, because what a stream does when it goes is the driver's doing
    return None


def _with_block(
    stream: Any, data: bytes, chunks: Sequence[int], end: str, progress: Callable[[str], None]
) -> DataObjectDescription | None:
    try:
        with stream as entered:
            write_pieces(entered, data, chunks)
            if end == "raise":
                raise _LeftByException
            progress("commit")
    except _LeftByException:
        return None
    require(end != "raise", "an exception inside the with block was swallowed", "C-ABORT")
    return None


def _give_up(stream: Any, progress: Callable[[str], None]) -> StorageError:
    """After a failed write: commit must raise and publish nothing, then close. What commit said."""
    try:
        stream.commit()
    except StorageError as error:
        said = error
    else:
        raise Violation("commit succeeded although a write before it had failed", "C-COMMIT")
    stream.close()
    return said


def write_pieces(stream: Any, data: bytes, chunks: Sequence[int]) -> None:
    """``data`` in pieces of the given sizes in turn; all at once without sizes."""
    if not chunks:
        if data:
            write_all(stream, data)
        return
    view, turn = memoryview(data), 0
    while view:
        piece = chunks[turn % len(chunks)]
        turn += 1
        write_all(stream, view[:piece])
        view = view[piece:]
