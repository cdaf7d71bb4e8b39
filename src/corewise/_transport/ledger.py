"""What a worker is at, written where its parent can read it after its death.

One block of shared memory per worker without a name, so nothing is left behind whatever dies. The worker writes
which item it is about to run, and each result that it has finished but not yet sent. When it dies, the parent reads
the block: the item at fault is named, and results that were finished are not lost (nor run again).

The order of writes is what makes it exact: a record's bytes first, the count that makes it valid after them, the
next item last.
"""

from __future__ import annotations

import mmap
import os
import sys
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from corewise._transport.codec import Packed

SIZE_BYTES = 1 << 16  # guess: holds the small results of one chunk; what does not fit is sent at once
_RUNNING, _BASE, _COUNT, _USED = range(4)  # words at the head of the block
_HEAD_BYTES = 4 * 8
_RECORD = Struct("=?I")


class Reached:
    """Where a worker had come to when it died.

    Attributes:
        running: index of the item it was at; None when it was between chunks.
        base: index of the first item whose result had not been sent.
        records: for each item from `base` on that was finished: whether it failed, and the result or exception as
            bytes.
    """

    __slots__ = ("base", "records", "running")

    def __init__(self, running: int | None, base: int, records: list[tuple[bool, bytes]]) -> None:
        self.running = running
        self.base = base
        self.records = records


class Ledger:
    """The block of shared memory of one worker.

    Raises:
        OSError: when there is no descriptor or memory left for it.
    """

    def __init__(self, handle: Any = None) -> None:
        self._fd, self._map, self._tag = _open(handle)
        self._bytes = memoryview(self._map)
        self._words = self._bytes[:_HEAD_BYTES].cast("Q")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        if sys.platform != "win32":
            from multiprocessing.reduction import DupFd

            return Ledger, (DupFd(self._fd),)
        return Ledger, (self._tag,)

    def begin(self, start: int) -> None:
        """Say that everything before item `start` has been sent, and nothing is running."""
        words = self._words
        words[_RUNNING] = 0
        words[_COUNT] = 0
        words[_USED] = 0
        words[_BASE] = start

    def running(self, index: int) -> None:
        """Say that item `index` is about to be run."""
        self._words[_RUNNING] = index + 1

    def tracked(self, items: Iterable[Any], start: int) -> Iterator[Any]:
        """Give the items, saying of each that it is about to be run."""
        words = self._words
        for number, item in enumerate(items, start + 1):
            words[_RUNNING] = number
            yield item

    def record(self, failed: bool, data: Packed) -> bool:  # noqa: FBT001 - called for every item
        """Keep the outcome of the item that was run last. Return False when there is no room for it."""
        if isinstance(data, tuple):  # large, and in pieces
            return False
        words = self._words
        at = _HEAD_BYTES + words[_USED]
        end = at + _RECORD.size + len(data)
        if end > SIZE_BYTES:
            return False
        _RECORD.pack_into(self._map, at, failed, len(data))
        self._bytes[at + _RECORD.size : end] = data
        words[_USED] = end - _HEAD_BYTES
        words[_COUNT] += 1
        return True

    def read(self) -> Reached:
        """Read where the worker had come to; only after it has ended."""
        words = self._words
        records: list[tuple[bool, bytes]] = []
        at = _HEAD_BYTES
        for _ in range(words[_COUNT]):
            failed, size = _RECORD.unpack_from(self._map, at)
            at += _RECORD.size
            records.append((failed, bytes(self._bytes[at : at + size])))
            at += size
        return Reached(words[_RUNNING] - 1 if words[_RUNNING] else None, words[_BASE], records)

    def close(self) -> None:
        """Let go of the memory; the kernel frees it when both sides have."""
        if self._fd >= 0:
            self._words.release()
            self._bytes.release()
            self._map.close()
            os.close(self._fd) if sys.platform != "win32" else None
            self._fd = -1


def _open(handle: Any) -> tuple[int, mmap.mmap, str]:
    """Make a block, or map the one that `handle` stands for: a descriptor that was sent along, or on Windows a tag."""
    if sys.platform == "win32":
        tag = handle or f"corewise-{os.getpid()}-{os.urandom(8).hex()}"
        return 0, mmap.mmap(-1, SIZE_BYTES, tagname=tag), tag
    fd = handle.detach() if handle is not None else _unnamed_file()
    return fd, mmap.mmap(fd, SIZE_BYTES), ""


def _unnamed_file() -> int:
    if sys.platform == "linux":
        fd = os.memfd_create("corewise-ledger", os.MFD_CLOEXEC)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, SIZE_BYTES)
    return fd
