"""What a worker is at, written where its parent can read it at any moment, and after its death.

One block of shared memory per worker without a name, so nothing is left behind whatever dies. Everything sent to a
worker has a position: items are counted as they are sent, from 0 on, for the life of the worker. The worker writes
which position it is about to run and since when, and each result that it has finished but not yet sent. So when it
dies the item at fault is named, and results that were finished are neither lost nor computed again; when an item is
over its time the parent knows; and when a later item takes long, results before it can be fetched from here.

The parent writes one thing: which positions it has taken back. The worker skips those.

The order of writes is what makes it exact: a record's bytes first, the count that makes it valid after them, the
next item last.
"""

from __future__ import annotations

import mmap
import os
import sys
from struct import Struct
from time import monotonic_ns

from corewise._transport import portable
from corewise._transport.pickling import make_buffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._transport.codec import Packed

SIZE_BYTES = 1 << 16  # guess: holds the small results of one chunk; what does not fit is sent at once
# Of a worker that runs one item at a time, where memory costs nothing before it is written to: holds some large results
# as well, which the parent takes in together (benchmarks/results/peers.json, "80 kB arrays in and out, per task").
LARGE_BYTES = 1 << 20
# Where a worker runs several calls at once each of its lanes counts positions from a multiple of this, so a position
# says which lane it is of. No worker lives for so many items.
LANE_POSITIONS = 1 << 40
_RUNNING, _SINCE, _BASE, _COUNT, _USED, _LIMIT, _UNTIL = range(7)  # words at the head of the block
_HEAD_BYTES = 8 * 8
_RECORD = Struct("=BI")  # how it stands there, and how many bytes, or pieces
_PIECE = Struct("=I")
_FINE, _FAILED, _IN_PIECES = range(3)
_NEVER_NS = (1 << 64) - 1


class Reached:
    """Where a worker has come to.

    Attributes:
        running: position of the item it is at; None when it is between chunks.
        base: position of the first item whose result had not been sent.
        records: for each item from `base` on that was finished: whether it failed, and the result or exception as
            it would have been sent.
    """

    __slots__ = ("base", "records", "running")

    def __init__(self, running: int | None, base: int, records: list[tuple[bool, Packed]]) -> None:
        self.running = running
        self.base = base
        self.records = records


class Page:
    """What stands in the ledger of one lane: of a worker that runs one item at a time, all of it.

    Args:
        memory: where it stands.
    """

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self._size = len(memory)
        self._words = memory[:_HEAD_BYTES].cast("Q")
        self._running = self._words[_RUNNING : _RUNNING + 1]

    # -- the worker's side ---------------------------------------------------------------------------------------------

    def begin(self, position: int) -> None:
        """Say that everything before `position` has been sent, and nothing is running."""
        words = self._words
        # The count goes first: a parent that reads meanwhile must not take old records for those of the new base.
        words[_COUNT] = 0
        words[_USED] = 0
        words[_BASE] = position
        # And this last: when nothing runs, the base says what was done, however little of that the parent has read.
        words[_RUNNING] = 0

    def running(self, position: int) -> bool:
        """Say that the item at `position` is about to be run. Return False if the parent has taken it back."""
        words = self._words
        words[_SINCE] = monotonic_ns()
        words[_RUNNING] = position + 1
        # Only now: the parent writes what it takes back first and looks at what is running afterwards, so one of the
        # two sees what the other has written.
        return not words[_LIMIT] <= position < words[_UNTIL]

    def finished(self) -> None:
        """Say that what runs now is no item: sending results takes as long as the parent lets it."""
        self._words[_SINCE] = _NEVER_NS

    def follow(self) -> memoryview:
        """Return a place for one number: whoever runs many short items writes there, before each, its position + 1.

        None of them may have been taken back, and what is seen as their time is that of all of them.
        """
        self._words[_SINCE] = monotonic_ns()
        return self._running

    def record(self, failed: bool, data: Packed) -> Packed | None:  # noqa: FBT001 - called for every item
        """Keep the outcome of the item that was run last.

        Returns:
            What to send instead: pieces lie here by now, and may be changed where they were. None when there is no room
            for it.
        """
        if isinstance(data, tuple):
            return None if failed else self._record_pieces(*data)
        words = self._words
        at = _HEAD_BYTES + words[_USED]
        end = at + _RECORD.size + len(data)
        if end > self._size:
            return None
        _RECORD.pack_into(self._bytes, at, failed, len(data))
        self._bytes[at + _RECORD.size : end] = data
        words[_USED] = end - _HEAD_BYTES
        words[_COUNT] += 1
        return data

    def _record_pieces(self, data: Any, beside: list[Any]) -> Packed | None:
        if self._size < LARGE_BYTES:  # hardly any would fit
            return None
        words, memory = self._words, self._bytes
        at = _HEAD_BYTES + words[_USED]
        pieces = [memoryview(data), *(buffer.raw() for buffer in beside)]
        if at + _RECORD.size + sum(_PIECE.size + piece.nbytes for piece in pieces) > self._size:
            return None
        _RECORD.pack_into(memory, at, _IN_PIECES, len(pieces))
        at += _RECORD.size
        kept = []
        for piece in pieces:
            end = at + _PIECE.size + piece.nbytes
            _PIECE.pack_into(memory, at, piece.nbytes)
            memory[at + _PIECE.size : end] = piece
            kept.append(memory[at + _PIECE.size : end])
            at = end
        words[_USED] = at - _HEAD_BYTES
        words[_COUNT] += 1
        return (data if isinstance(data, bytes) else make_buffer(kept[0])), [make_buffer(one) for one in kept[1:]]

    # -- the parent's side ---------------------------------------------------------------------------------------------

    def at(self) -> tuple[int, float] | None:
        """Return the position of the running item and when it began, in seconds of `monotonic`; None for no item."""
        words = self._words
        while True:
            running = words[_RUNNING]
            since_ns = words[_SINCE]
            if words[_RUNNING] == running:  # else the worker has gone on meanwhile, and the time is of another item
                return (running - 1, since_ns / 1e9) if running else None

    def take_back(self, limit: int, until: int) -> tuple[int, int]:
        """Take back positions from `limit` to before `until`, as far as the worker has not begun them.

        There is room for one stretch. As long as the worker has not passed the one that was taken back before, the new
        one begins where that began: between the two nothing is left to the worker.

        Returns:
            Where the stretch begins; and the last position that the worker has begun, seen after it could have known
            (-1 before the first).
        """
        words = self._words
        # At the last position of that one it may still have to look up.
        if (words[_RUNNING] or words[_BASE] + 1) <= words[_UNTIL]:
            limit = min(limit, words[_LIMIT])
        # A worker that reads between these two lines sees the new limit with the old end: less than was taken, never
        # anything else, as all before the old end was either taken back or begun.
        words[_LIMIT] = limit
        words[_UNTIL] = until
        # Another core may see a write some 0.1 µs late. A system call takes longer, so that either the worker has seen
        # the lines above, or the one below sees what it has begun.
        os.getppid()
        return limit, (words[_RUNNING] or words[_BASE]) - 1

    def read(self) -> Reached:
        """Read where the worker had come to; only after it has ended."""
        words = self._words
        records = self._records(words[_COUNT])
        return Reached(words[_RUNNING] - 1 if words[_RUNNING] else None, words[_BASE], records)

    def peek(self) -> Reached | None:
        """Read what is finished and not sent while the worker goes on; None when it was just being rewritten."""
        words = self._words
        base, count = words[_BASE], words[_COUNT]
        if not count:
            return None
        try:
            records = self._records(count)
        except ValueError:  # torn: rewritten under our eyes
            return None
        if words[_BASE] != base or words[_COUNT] < count:
            return None
        return Reached(words[_RUNNING] - 1 if words[_RUNNING] else None, base, records)

    def _records(self, count: int) -> list[tuple[bool, Packed]]:
        records: list[tuple[bool, Packed]] = []
        at = _HEAD_BYTES
        for _ in range(count):
            if at + _RECORD.size > self._size:
                raise ValueError("not a record")
            kind, size = _RECORD.unpack_from(self._bytes, at)
            at += _RECORD.size
            if kind != _IN_PIECES:
                records.append((kind == _FAILED, bytes(self._bytes[at : at + size])))
                at += size
                continue
            pieces = []
            for _piece in range(size):
                if at + _PIECE.size > self._size:
                    raise ValueError("not a piece")
                (length,) = _PIECE.unpack_from(self._bytes, at)
                at += _PIECE.size
                pieces.append(bytearray(self._bytes[at : at + length]))
                at += length
            records.append((False, (pieces[0], list(pieces[1:]))))
        return records

    def release(self) -> None:
        """Let go of the memory."""
        self._running.release()
        self._words.release()
        self._bytes.release()


class Ledger(Page):
    """The block of shared memory of one worker. It is the page of its first lane, too.

    Args:
        handle: what stands for a block that was made elsewhere; None makes one.
        lanes: how many items the worker runs at once.
        size_bytes: of each page; None for what suits them.

    Attributes:
        others: the pages of its other lanes.

    Raises:
        OSError: when there is no descriptor or memory left for it.
    """

    def __init__(self, handle: Any = None, lanes: int = 1, size_bytes: int | None = None) -> None:
        size = self._page_bytes = size_bytes or _page_bytes(lanes)
        self._fd, self._map, self._tag = _open(handle, size * lanes)
        whole = memoryview(self._map)
        super().__init__(whole[:size])
        self.others = [Page(whole[size * lane : size * (lane + 1)]) for lane in range(1, lanes)]
        whole.release()
        if handle is None:
            for lane, page in enumerate(self.others, 1):
                page.begin(lane * LANE_POSITIONS)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        size = 1 + len(self.others), self._page_bytes
        if sys.platform != "win32":
            from multiprocessing.reduction import DupFd

            return Ledger, (DupFd(self._fd), *size)
        return Ledger, (self._tag, *size)

    def close(self) -> None:
        """Let go of the memory; the kernel frees it when both sides have."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self.release()
            for page in self.others:
                page.release()
            self._map.close()
            if sys.platform != "win32":
                os.close(fd)


def _page_bytes(lanes: int) -> int:
    # Elsewhere, and where it is a file, its memory may be charged at once, or be missed only when it is written to.
    return LARGE_BYTES if lanes == 1 and sys.platform == "linux" and not portable.in_use() else SIZE_BYTES


def _open(handle: Any, size: int) -> tuple[int, mmap.mmap, str]:
    """Make a block, or map the one that `handle` stands for: a descriptor that was sent along, or on Windows a tag."""
    if sys.platform == "win32":
        tag = handle or f"corewise-{os.getpid()}-{os.urandom(8).hex()}"
        return 0, mmap.mmap(-1, size, tagname=tag), tag
    fd = handle.detach() if handle is not None else _unnamed_file(size)
    try:
        return fd, mmap.mmap(fd, size), ""
    except BaseException:
        os.close(fd)
        raise


def _unnamed_file(size: int) -> int:
    if sys.platform == "linux" and not portable.in_use():
        fd = os.memfd_create("corewise-ledger", os.MFD_CLOEXEC)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    try:
        os.ftruncate(fd, size)
    except BaseException:
        os.close(fd)
        raise
    return fd
