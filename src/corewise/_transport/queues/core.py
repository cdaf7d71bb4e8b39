"""The queue as one process has it: memory, two locks, two bells.

Putting and getting have a lock each, so that they do not wait for each other. Each commits by one store (`words`), so a
holder that dies leaves nothing half done. Whoever finds the queue empty, and is going to sleep, takes the *other* lock
to look once more, silence the bell and leave a note: nobody can put while he does so. Whoever puts and finds the note
rings *before* he commits: killed in between, he has woken somebody in vain, and nobody sleeps beside an item.
"""

from __future__ import annotations

import os
from array import array
from time import monotonic

from corewise._transport import recycled
from corewise._transport.patience import AWAKE_S, Patience
from corewise._transport.queues.log import SMALL_BYTES, Side, resize
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
from corewise._transport.queues.words import (
    CLOSED,
    GETTERS_ASLEEP,
    HEAD,
    ITEMS_RUNG,
    LAYOUT,
    PUTTERS_ASLEEP,
    ROOM_RUNG,
    SPARE_PUTS,
    TAIL,
)
from corewise._types.queue_statistics import QueueStatistics
from corewise.errors import OptionError, QueueClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from corewise._transport.queues.asynchronous import Sleepers
    from corewise._transport.queues.bells import Bell
    from corewise._transport.queues.messages import Message
    from corewise._transport.queues.pages import Pages, View


NO_LIMIT = 1 << 62
EMPTY: Any = object()
_SPARE_PUTS = 1000  # guess: after so many in a row that needed a small part of a large ring it is made smaller
_SPARE_SHARE = 16


class Core:
    """A queue of messages.

    Args:
        pages: its memory.
        control: the mapping of its first `CONTROL_BYTES`.
        bells: one rings when there are items, another when there is room; what more there are is of a derived class.
        limits: how many items there may be, and how many bytes their messages may have; `NO_LIMIT` for any number.

    Attributes:
        key: by which a process knows a queue again.
    """

    BELLS = 2
    key = b""
    _is_open = False

    def __init__(
        self,
        pages: Pages,
        control: View,
        bells: Sequence[Bell],
        limits: tuple[int, int],
    ) -> None:
        self.pages, self._control = pages, control
        self.words = control.view().cast("Q")
        self.putting, self.getting = pages.locks(control)
        self.bells = bells
        self.items_bell, self.room_bell = bells[:2]
        self.maxsize, self.max_bytes = limits
        self._to, self._from = Side(pages, self.words), Side(pages, self.words)
        self._batch: tuple[int, list[Any]] = (0, [])  # the last that was read: number of its first item, and all of it
        self._patience = Patience()
        self._sleepers: dict[int, Sleepers] = {}
        recycled.opened()
        self._is_open = True

    # Under the lock of putting.

    def push(self, message: Message) -> bool:
        """Put one message; return whether there was room."""
        # Parts of `Side` are written out here and in `pop`, as each call costs a twentieth of a message.
        words, to = self.words, self._to
        size = len(message)
        if words[LAYOUT] != to.version:
            to.follow()
        index, slots = to.index, to.slots
        tail, head = words[TAIL], words[HEAD]
        place = index[(tail - 1) % slots]
        waiting = tail - head
        used = place + size - index[(head - 1) % slots]
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
        to.write(to.write(place, BATCH_HEAD.pack(BATCH, tail)), body)
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
            # The ring grows by what is needed, and at least by half.
            size = max(used, to.size + to.size // 2) if used > to.size else to.size
            self.getting.run(self._resize, (items, size))
        elif words[SPARE_PUTS] > _SPARE_PUTS:
            words[SPARE_PUTS] = 0
            self.getting.run(self._resize, (items, used * 2))

    def _resize(self, least: tuple[int, int]) -> None:
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

    # Under the lock of getting.

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
        index, slots = side.index, side.slots
        begin = index[(head - 1) % slots]
        size = index[head % slots] - begin
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
                number, items = self._open_batch(head, begin, size)
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
        number, items = self._open_batch(head, begin, size)
        return Ready(items[head - number])

    def _open_batch(self, head: int, begin: int, size: int) -> tuple[int, list[Any]]:
        """Return the number of the first item of a batch, and all its items."""
        first, items = self._batch
        if not first <= head < first + len(items):
            _, first = BATCH_HEAD.unpack(self._from.read(begin, BATCH_HEAD.size))
            end, last = begin + size, head
            while end == begin:  # the end stands with the last of them
                last += 1
                end = self._from.index[last % self._from.slots]
            begin += BATCH_HEAD.size
            items = decode_batch(self._from.read(begin, end - begin))
            self._batch = first, items
        return self._batch

    def putter_sleeps(self, needed: int) -> bool:
        """Return whether to sleep until there may be room for a message of so many bytes."""
        words = self.words
        if words[CLOSED] or (
            words[TAIL] - words[HEAD] < self.maxsize and self.bytes_waiting() + needed <= self.max_bytes
        ):
            return False
        if words[ROOM_RUNG]:
            self.room_bell.silence()
            words[ROOM_RUNG] = 0
        words[PUTTERS_ASLEEP] = 1
        return True

    def bytes_waiting(self, _: object = None) -> int:
        """Return how many bytes the messages in the queue have."""
        side = self._from
        side.follow()
        end: int = side.index[(self.words[TAIL] - 1) % side.slots]
        return end - side.index[(self.words[HEAD] - 1) % side.slots]

    def _end(self, _: object) -> None:
        words = self.words
        words[ITEMS_RUNG] = words[ROOM_RUNG] = 1
        self.items_bell.ring()
        self.room_bell.ring()
        words[CLOSED] = os.getpid()

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

    # Under either lock, or none.

    @property
    def closed_by(self) -> int:
        """The process that has closed the queue; 0 while it is open."""
        return int(self.words[CLOSED])

    def raise_if_over(self) -> None:
        """Raise `QueueClosed` if no item will ever come."""
        words = self.words
        closed_by = words[CLOSED]  # looked at first: nobody puts after it
        if closed_by and words[HEAD] == words[TAIL]:
            raise QueueClosed(f"the queue is closed: process {closed_by} has closed it, and all items are taken")

    def comes_soon(self) -> bool:
        """Stay awake for a moment, if that has paid so far; return whether there is an item."""
        if not self._patience.stays_awake():
            return False
        words = self.words
        until_s = monotonic() + AWAKE_S
        while words[HEAD] == words[TAIL]:
            if words[CLOSED] or monotonic() > until_s:
                self._patience.ended(in_time=False)
                return False
        self._patience.ended(in_time=True)
        return True

    async def ringing(self, bell: Bell) -> None:
        """Wait for a bell in an event loop."""
        from corewise._transport.queues.asynchronous import Sleepers

        sleepers = self._sleepers.get(bell.fileno())
        if sleepers is None:
            sleepers = self._sleepers.setdefault(bell.fileno(), Sleepers(bell))
        await sleepers.wait()

    def items_waiting(self) -> int:
        """Return how many items are in the queue."""
        words = self.words
        while True:
            head = words[HEAD]
            count: int = words[TAIL] - head
            if words[HEAD] == head:
                return count

    def close_here(self) -> None:
        """Let go of what this process has of the queue. Twice is no error."""
        if not self._is_open:
            return
        self._is_open = False
        self._to.close()
        self._from.close()
        self.words.release()
        self._control.close()
        self.pages.close()
        for bell in self.bells:
            bell.close()
        recycled.closed()

    def __del__(self) -> None:
        self.close_here()
