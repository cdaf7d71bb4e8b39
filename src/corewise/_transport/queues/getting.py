"""Taking messages out of a queue: what is done under the lock of getting."""

from __future__ import annotations

from corewise._transport.queues.messages import (
    BATCH,
    BATCH_HEAD,
    LARGE_BYTES,
    PICKLES_FROM,
    Ready,
    decode_batch,
    read_large,
)
from corewise._transport.queues.ordering import REORDERS, fence
from corewise._transport.queues.state import State
from corewise._transport.queues.words import CLOSED, HEAD, LAYOUT, PUTTERS_ASLEEP, ROOM_RUNG, TAIL
from corewise._types.queue_statistics import QueueStatistics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EMPTY: Any = object()


class Getting(State):
    """The side of those who get."""

    # The last batch that was read: the number of its first item, and all its items.
    _batch: tuple[int, list[Any]] = (0, [])

    def pop(self, _: object = None) -> bytes | Ready | Any:
        """Take a message; return `EMPTY` when there is none."""
        words, side = self.words, self._from
        if words[LAYOUT] != side.version:
            side.follow()
        head = words[HEAD]
        if head == words[TAIL]:
            return EMPTY
        if REORDERS:
            fence()
        begin = side.index[(head - 1) % side.slots]
        size = side.index[head % side.slots] - begin
        at = begin % side.size
        message: Any
        if 0 < size < LARGE_BYTES and at + size <= side.size:
            message = bytes(side.ring[at : at + size])
            if message[0] < PICKLES_FROM:
                message = self._special(head, begin, size)
        else:
            message = self._special(head, begin, size)
        if REORDERS or words[PUTTERS_ASLEEP]:
            self._commit(head + 1)
        else:
            words[HEAD] = head + 1
        return message

    def pop_many(self, limit: int) -> list[Any]:
        """Take so many messages at most: bytes and objects as `pop` returns them, and lists of items of a batch."""
        words, side = self.words, self._from
        side.follow()
        head = first = words[HEAD]
        last = min(words[TAIL], first + limit)
        if REORDERS:
            fence()
        taken: list[Any] = []
        while head < last:
            begin = side.index[(head - 1) % side.slots]
            size = side.index[head % side.slots] - begin
            if side.read(begin, 1)[0] == BATCH:
                number, items = self._open_batch(head, begin)
                part = items[head - number : last - number]
                taken.append(part)
                head += len(part)
            else:
                taken.append(self._special(head, begin, size))
                head += 1
        if head > first:
            self._commit(head)
        return taken

    def _commit(self, head: int) -> None:
        words = self.words
        if words[PUTTERS_ASLEEP]:
            words[ROOM_RUNG] = 1
            self.room_bell.ring()
            words[PUTTERS_ASLEEP] = 0
        if REORDERS:
            fence()
        words[HEAD] = head

    def _special(self, head: int, begin: int, size: int) -> Any:
        """Read what is no short pickle in one piece."""
        kind = self._from.read(begin, 1)[0]
        if size and kind != BATCH:
            return self._from.read(begin, size) if kind >= PICKLES_FROM else read_large(self._from, begin)
        number, items = self._open_batch(head, begin)
        return Ready(items[head - number])

    def _open_batch(self, head: int, begin: int) -> tuple[int, list[Any]]:
        """Return the number of the first item of a batch, and all its items."""
        first, items = self._batch
        if not first <= head < first + len(items):
            _, first, size = BATCH_HEAD.unpack(self._from.read(begin, BATCH_HEAD.size))
            items = decode_batch(self._from.read(begin + BATCH_HEAD.size, size))
            self._batch = first, items
        return self._batch

    def putter_sleeps(self, needed: int) -> bool:
        """Return whether to sleep until there may be room for a message of so many bytes."""
        words = self.words
        if words[CLOSED] or (
            words[TAIL] - words[HEAD] < self.maxsize and self.bytes_waiting() + needed <= self.max_bytes
        ):
            return False
        self._announce_sleep()
        return True

    def grower_sleeps(self, needed: int) -> bool:
        """Return whether to sleep until the ring may have room for so many bytes without becoming larger."""
        words = self.words
        if words[CLOSED] or words[HEAD] == words[TAIL] or self.bytes_waiting() + needed <= self._from.size:
            return False
        self._announce_sleep()
        return True

    def _announce_sleep(self) -> None:
        words = self.words
        if words[ROOM_RUNG]:
            self.room_bell.silence()
            words[ROOM_RUNG] = 0
        words[PUTTERS_ASLEEP] = 1

    def bytes_waiting(self, _: object = None) -> int:
        """Return how many bytes the messages in the queue have."""
        side = self._from
        side.follow()
        end: int = side.index[(self.words[TAIL] - 1) % side.slots]
        return end - side.index[(self.words[HEAD] - 1) % side.slots]

    def statistics(self, _: object = None) -> QueueStatistics:
        """Return what is in the queue, and what has gone through it."""
        words = self.words
        waiting_bytes = self.bytes_waiting()
        return QueueStatistics(
            waiting=words[TAIL] - words[HEAD],
            waiting_bytes=waiting_bytes,
            put=words[TAIL],
            taken=words[HEAD],
            memory_bytes=self._from.size + self._from.slots * 8,
            closed_by=words[CLOSED] or None,
        )
