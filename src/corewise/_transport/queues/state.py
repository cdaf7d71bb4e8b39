"""What one process has of a queue: its memory mapped, its locks and its bells."""

from __future__ import annotations

from time import monotonic

from corewise._transport import recycled
from corewise._transport.patience import AWAKE_S, Patience
from corewise._transport.queues.log import Side
from corewise._transport.queues.words import CLOSED, HEAD, TAIL
from corewise._types.interrupts import InterruptsHeld
from corewise.errors import QueueClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from corewise._transport.queues.asynchronous import Sleepers
    from corewise._transport.queues.bells import Bell
    from corewise._transport.queues.pages import Pages, View


class State:
    """What putting and getting share.

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
        self._grown_at = 0  # how many items had been taken when this process last made the ring larger
        self._patience = Patience()
        self._sleepers: dict[int, Sleepers] = {}
        recycled.opened()
        self._is_open = True

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
        with InterruptsHeld():
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
