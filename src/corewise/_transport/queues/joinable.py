"""`corewise.JoinableQueue`, in the place of `multiprocessing.JoinableQueue`.

Who takes an item answers for it until `task_done`: beside the log stands how many items each process has. `join` waits
for the last `task_done` and for the death of whoever still has items; what those had is lost, and `join` says so. A
process is known by its id and by when it was started, so that another one of the same id does not stand for it.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

from corewise._transport.queues.bells import wait
from corewise._transport.queues.core import EMPTY, Core
from corewise._transport.queues.exchange import Item
from corewise._transport.queues.queue import Queue
from corewise._transport.queues.words import (
    DONE,
    DONE_RUNG,
    HEAD,
    HOLDER_COUNT,
    HOLDER_WORDS,
    HOLDERS,
    HOLDERS_USED,
    JOINERS_ASLEEP,
    LOST,
    TAIL,
)
from corewise.errors import ItemsLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._types.queue_statistics import QueueStatistics

_LOOK_AGAIN_S = 0.5  # guess: how soon a death is seen where the system has no descriptors for processes
_SIGN = 1 << 64  # a process may be told to have finished more than it has taken: words are numbers without a sign


class JoinableCore(Core):
    """A queue that knows which process has how many items."""

    BELLS = 3

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._all_done = self.bells[2]
        self._pid = 0
        self._own = 0  # the word with the number of items of this process; 0 when there is none

    # Under the lock of getting.

    def pop(self, _: object = None) -> Any:
        """Take a message, and note that this process has it."""
        first = self.words[HEAD]
        if first == self.words[TAIL]:
            return EMPTY
        self._note(1)
        try:
            return super().pop()
        finally:
            if self.words[HEAD] == first:
                self._note(-1)

    def pop_many(self, limit: int) -> list[Any]:
        """Take messages, and note that this process has them."""
        first = self.words[HEAD]
        self._note(limit)
        try:
            return super().pop_many(limit)
        finally:
            self._note(self.words[HEAD] - first - limit)

    def _note(self, more: int) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._own = self._claimed()
        if self._own:
            words = self.words
            words[self._own] = (words[self._own] + more) % _SIGN

    def _claimed(self) -> int:
        """Return the word for the number of items of this process; 0 when there are too many processes."""
        words = self.words
        started = _started(self._pid)
        used, free = words[HOLDERS_USED], 0
        for at in self._holders():
            if words[at] == self._pid and words[at + 1] == started:
                return at + 2
            if not words[at + 2] and not free and not _is_alive(words[at], words[at + 1]):
                free = at
        if not free and used < HOLDER_COUNT:
            free = HOLDERS + used * HOLDER_WORDS
        if free:
            words[free], words[free + 1] = self._pid, started
            words[HOLDERS_USED] = max(used, (free - HOLDERS) // HOLDER_WORDS + 1)
            if words[JOINERS_ASLEEP]:  # they watch the processes that they know of
                self._ring_done()
            return free + 2
        return 0

    def _holders(self) -> range:
        """Return where the processes stand that have ever taken an item: one behind the other, without gaps."""
        return range(HOLDERS, HOLDERS + self.words[HOLDERS_USED] * HOLDER_WORDS, HOLDER_WORDS)

    def task_done(self, _: object = None) -> None:
        """Note that an item is done.

        Raises:
            ValueError: when all that were put are.
        """
        words = self.words
        done = words[DONE] + 1
        if done > words[TAIL]:
            raise ValueError("task_done() called too many times")
        self._count_done(done)
        self._note(-1)

    def _count_done(self, done: int) -> None:
        words = self.words
        if words[JOINERS_ASLEEP] and done >= words[TAIL]:
            self._ring_done()
        words[DONE] = done

    def _ring_done(self) -> None:
        words = self.words
        words[DONE_RUNG] = 1
        self._all_done.ring()
        words[JOINERS_ASLEEP] = 0

    def joiner_sleeps(self, _: object = None) -> bool:
        """Return whether to sleep until all is done."""
        words = self.words
        if words[DONE] >= words[TAIL]:
            return False
        if words[DONE_RUNG]:
            self._all_done.silence()
            words[DONE_RUNG] = 0
        words[JOINERS_ASLEEP] = 1
        return True

    def write_off(self, _: object = None) -> dict[int, int]:
        """Take what dead processes have for done; return how many items each had."""
        words = self.words
        holds = {at: words[at + 2] for at in self._holders() if words[at + 2]}
        # Somebody who was killed between two of the words may count for one that he had not taken, or had finished.
        surplus = sum(_signed(count) for count in holds.values()) - (words[HEAD] - words[DONE])
        lost: dict[int, int] = {}
        for at, count in holds.items():
            if _is_alive(words[at], words[at + 1]):
                continue
            too_many = max(0, min(surplus, _signed(count)))
            surplus -= too_many
            had = min(_signed(count) - too_many, words[TAIL] - words[DONE])
            if had > 0:
                lost[words[at]] = had
                words[LOST] = words[LOST] + had
                self._count_done(words[DONE] + had)
            words[at + 2] = 0
        return lost

    def wait_for_all(self) -> None:
        """Sleep until all may be done, or a process that takes items has died, or a new one has begun to."""
        fds: list[int] = []
        try:
            blind = False
            for at in self._holders():
                pid, started, count = self.words[at : at + HOLDER_WORDS].tolist()
                if not pid or pid == os.getpid():
                    continue
                fd = _death_notice(pid)  # before it is looked at, lest it dies in between
                fds += [] if fd is None else [fd]
                if _is_alive(pid, started):
                    blind = blind or fd is None
                elif count:
                    return
                elif fd is not None:
                    os.close(fds.pop())
            wait(self._all_done, monotonic() + _LOOK_AGAIN_S if blind else None, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def statistics(self, _: object = None) -> QueueStatistics:
        """Return what is in the queue, and what has gone through it."""
        words = self.words
        figures = super().statistics().as_dict()
        return _statistics({**figures, "unfinished": words[TAIL] - words[DONE], "lost": words[LOST]})


def _statistics(figures: dict[str, Any]) -> QueueStatistics:
    from corewise._types.queue_statistics import QueueStatistics

    return QueueStatistics(**figures)


def _signed(count: int) -> int:
    return count - _SIGN if count >= _SIGN // 2 else count


def _started(pid: int) -> int:
    """Return when a process was started, in whatever unit; 0 where that cannot be told, or it is gone."""
    if sys.platform != "linux":
        return 0
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in b"ZX" else int(fields[19])


def _is_alive(pid: int, started: int) -> bool:
    if sys.platform == "linux" and started:
        return _started(pid) == started
    if sys.platform == "win32":  # where this would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _death_notice(pid: int) -> int | None:
    """Return a descriptor that is readable when a process is gone; None where there is none to be had."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


class JoinableQueue(Queue[Item]):
    """A `Queue` that can wait until all that was put is done: `multiprocessing.JoinableQueue`'s interface.

    Whoever takes an item calls `task_done` when it has been dealt with. A process that ends before that, by whatever
    cause, does not make `join` wait for ever: its items are lost, which `join` raises as an error, once.

    Args:
        maxsize, max_bytes: as for `Queue`.

    Example:
        >>> queue = JoinableQueue()
        >>> queue.put("an item")
        >>> item = queue.get()
        >>> queue.task_done()
        >>> queue.join()
    """

    KIND = JoinableCore
    _core: JoinableCore

    def task_done(self) -> None:
        """Say that an item which this process has taken is done.

        Raises:
            ValueError: when all that were put are.
        """
        self._core.getting.run(self._core.task_done, None)

    def join(self) -> None:
        """Wait until all items that were put are done.

        Raises:
            ItemsLost: when processes have ended that had taken items and not told them to be done. From then on they
                count as done. What is still in the queue is waited for first.
        """
        core = self._core
        lost: dict[int, int] = {}
        while core.getting.run(core.joiner_sleeps, None):
            for pid, count in core.getting.run(core.write_off, None).items():
                lost[pid] = lost.get(pid, 0) + count
            if core.getting.run(core.joiner_sleeps, None):
                core.wait_for_all()
        if lost:
            raise ItemsLost(lost)
