"""Putting messages into a queue: what is done under the lock of putting."""

from __future__ import annotations

import os
from array import array

from corewise._transport.queues.log import SMALL_BYTES, resize
from corewise._transport.queues.messages import BATCH, BATCH_HEAD
from corewise._transport.queues.ordering import REORDERS, fence
from corewise._transport.queues.state import State
from corewise._transport.queues.words import (
    CLOSED,
    GETTERS_ASLEEP,
    HEAD,
    ITEMS_RUNG,
    LAYOUT,
    ROOM_RUNG,
    SPARE_PUTS,
    TAIL,
)
from corewise.errors import OptionError, QueueClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._transport.queues.messages import Message

_SPARE_PUTS = 1000  # guess: after so many in a row that needed a small part of a large ring it is made smaller
_SPARE_SHARE = 16
# A ring that is too small becomes so many times as large as need be, but by no more than these bytes. A few large items
# then grow it once, not three times, each time with new memory; twice as quick in benchmarks/queues.py, "8 MB arrays".
_AHEAD = 3
_AHEAD_BYTES = 1 << 25


class Putting(State):
    """The side of those who put, and of those who close."""

    def push(self, message: Message) -> bool:
        """Put one message; return whether there was room."""
        # Parts of `Side` are written out here and in `pop`, as each call costs a twentieth of a message.
        words, to = self.words, self._to
        size = len(message)
        if words[LAYOUT] != to.version:
            to.follow()
        # No name here for the views: one in the traceback of an error would keep the memory from being unmapped.
        slots = to.slots
        tail, head = words[TAIL], words[HEAD]
        place = to.index[(tail - 1) % slots]
        waiting = tail - head
        used = place + size - to.index[(head - 1) % slots]
        if waiting >= self.maxsize or used > self.max_bytes or words[CLOSED]:
            return self._refuse(size)
        if used > to.size or waiting >= slots - 1 or to.size > SMALL_BYTES:
            self._fit(waiting + 1, used)
        begin = place % to.size
        if type(message) is not bytes:
            self._write_parts(place, message.parts)  # type: ignore[union-attr]
        elif begin + size <= to.size:
            to.ring[begin : begin + size] = message
        else:
            to.write(place, message)
        to.index[tail % to.slots] = place + size
        if words[GETTERS_ASLEEP]:
            self._wake_getters()
        if REORDERS:
            fence()
        words[TAIL] = tail + 1
        return True

    def outgrows(self, size: int) -> bool:
        """Return whether a message needs a larger ring although items are being taken: they leave room behind.

        Where none has been taken since the ring last grew, nobody may be there to take any.
        """
        words, to = self.words, self._to
        to.follow()
        head = words[HEAD]
        if head in (words[TAIL], self._grown_at) or words[CLOSED] or size > to.size:
            return False
        used: int = to.index[(words[TAIL] - 1) % to.slots] + size - to.index[(head - 1) % to.slots]
        return used > to.size

    def push_run(self, messages: list[Message]) -> int:
        """Put messages as far as there is room; return how many."""
        count = 0
        for message in messages:
            if not self.push(message):
                break
            count += 1
        return count

    def push_batch(self, batch: tuple[int, bytes]) -> int:
        """Put so many items that are one pickle, all or none; return for how many there is room, at most so many."""
        count, body = batch
        words, to = self.words, self._to
        size = BATCH_HEAD.size + len(body)
        to.follow()
        tail = words[TAIL]
        place = to.index[(tail - 1) % to.slots]
        waiting = tail - words[HEAD]
        used = place + size - to.index[(words[HEAD] - 1) % to.slots]
        if words[CLOSED]:
            self._refuse(0)
        if waiting + count > self.maxsize or used > self.max_bytes:
            room = min(count - 1, self.maxsize - waiting)
            return room if used <= self.max_bytes else min(room, count // 2)
        self._fit(waiting + count, used)
        to.write(to.write(place, BATCH_HEAD.pack(BATCH, tail, len(body))), body)
        ends = array("Q", [place]) * count
        ends[-1] = place + size
        to.write_ends(tail, ends)
        if words[GETTERS_ASLEEP]:
            self._wake_getters()
        if REORDERS:
            fence()
        words[TAIL] = tail + count
        return count

    def _refuse(self, size: int) -> bool:
        if self.words[CLOSED]:
            raise QueueClosed(f"the queue is closed: process {self.words[CLOSED]} has closed it")
        if size > self.max_bytes:
            raise OptionError(
                f"the item takes {size:,} bytes; max_bytes={self.max_bytes:,} leaves no room for it, ever"
            )
        return False

    def _fit(self, items: int, used: int) -> None:
        """Make the log larger if it has to be, or smaller if it has been too large for long."""
        words, to = self.words, self._to
        spare = to.size > SMALL_BYTES and used < to.size // _SPARE_SHARE
        if spare or words[SPARE_PUTS]:
            words[SPARE_PUTS] = words[SPARE_PUTS] + 1 if spare else 0
        if used > to.size or items >= to.slots:
            size = to.size
            if used > size:
                size = max(used + min(used * _AHEAD, _AHEAD_BYTES), size + size // 2)
            self.getting.run(self._resize, (items, size))
        elif words[SPARE_PUTS] > _SPARE_PUTS:
            words[SPARE_PUTS] = 0
            self.getting.run(self._resize, (items, used * 2))

    def _resize(self, least: tuple[int, int]) -> None:
        self._grown_at = self.words[HEAD]
        resize(self.pages, self._to, *least)
        self._to.follow()

    def _write_parts(self, place: int, parts: list[Any]) -> None:
        for part in parts:
            place = self._to.write(place, part)

    def _wake_getters(self) -> None:
        words = self.words
        words[ITEMS_RUNG] = 1
        self.items_bell.ring()
        words[GETTERS_ASLEEP] = 0

    def getter_sleeps(self, _: object = None) -> bool:
        """Return whether to sleep until the bell of the items rings."""
        words = self.words
        if words[HEAD] != words[TAIL]:
            return False
        self.raise_if_over()
        if words[ITEMS_RUNG]:
            self.items_bell.silence()
            words[ITEMS_RUNG] = 0
        words[GETTERS_ASLEEP] = 1
        return True

    def close(self, _: object = None) -> None:
        """Let nobody put any more, and wake all who sleep."""
        if not self.words[CLOSED]:
            self.getting.run(self._end, None)

    def _end(self, _: object) -> None:
        words = self.words
        words[ITEMS_RUNG] = words[ROOM_RUNG] = 1
        self.items_bell.ring()
        self.room_bell.ring()
        words[CLOSED] = os.getpid()
