"""What goes to workers: chunks become messages, each in the cheapest form that is safe for it."""

from __future__ import annotations

from corewise._engine import parcels
from corewise._work.chunk import Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.crew import Crew
    from corewise._engine.handle import Worker
    from corewise._engine.schedule import Held, Schedule, Send
    from corewise._engine.workload import Workload
    from corewise._transport.blocks import Once
    from corewise._work.chunk import Chunk

# Items shorter than 5 µs are not written down one by one, which takes 1.5 to 4 µs: 40,000 items of 3.5 µs took a third
# longer with it (benchmarks/choice.py, "numpy_small"). This is what they seem to take, the least of that included.
# Longer ones may do something that must not be done twice, such as to add a line to a file, which takes 8 µs.
QUICK_ITEM_S = 6.5e-6


class Outbox:
    """Sends chunks of items of one function to the workers of one pool.

    Args:
        crew: the workers.
        schedule: told of items that cannot travel.
        how: what the workers do.
        main_by_value: as for `codec.dumps`.
        inherited: whether forked workers find the items in their own memory.

    Attributes:
        item_s: seconds an item took lately; None before the first.
        limited: whether any item has a time limit, so that each must be timed by itself.
        unlike: whether inherited items were found that are less plain than the first ones.
    """

    def __init__(self, crew: Crew, schedule: Schedule, how: Workload, *, main_by_value: bool, inherited: bool) -> None:
        self._crew = crew
        self._schedule = schedule
        self._main_by_value = main_by_value
        self._inherited = inherited
        # Whether something is to be done for each item, however short, so that none may be run in a row.
        self._one_by_one = how.seed is not None or how.per_worker > 1
        self._seen: dict[int, int] = {}
        # What stands in lists does not change during the call; what stands there twice need not be sent twice.
        self._lasts = how.inherit is not None
        self._once: Once | None = None
        self.item_s: float | None = None
        self.limited = how.timeout_s is not None and not how.awaits
        self.unlike = False

    def timed(self, chunk: Chunk, item_s: float) -> None:  # noqa: ARG002 - here all chunks are of one function
        """An item of this chunk has taken so long."""
        self.item_s = item_s

    def carry_out(self, sends: list[Send]) -> list[Done]:
        """Send chunks. Return the outcomes of items that cannot be sent."""
        refusals: list[Done] = []
        for send in sends:  # which may grow meanwhile
            worker = self._crew.lanes[send.worker].worker
            chunk = send.held.chunk
            try:
                self._schedule.sent(laid_bytes=self._send(worker, send.held, chunk))
            except (parcels.ItemRefused, MemoryError) as error:
                index, reason = (
                    (error.index, error.error) if isinstance(error, parcels.ItemRefused) else (chunk.start, error)
                )
                refusals.append(Done(index, [reason], [index], 0.0))
                self._unsent(worker, chunk)
                # Behind what waits: a worker must get its chunks in the order in which the schedule notes them.
                sends += self._schedule.refused(send, index)
        return refusals

    def post(self, worker: Worker, message: object, once: Once | None = None) -> int:
        """Send a message, or begin to. Return how many bytes of it lie in a block."""
        try:
            laid_bytes = worker.line.send(message, once)
        except OSError:
            return 0  # it is gone; its sentinel says so, and what it holds is given to others then
        self._crew.watch(worker)
        return laid_bytes

    def flush(self, worker: Worker) -> None:
        """Send on what the line did not take at once."""
        try:
            worker.line.flush()
        except OSError:
            return  # as above
        self._crew.watch(worker)

    def close(self) -> None:
        """Let go of what was sent once."""
        if self._once is not None:
            self._once.close()

    def _send(self, worker: Worker, held: Held, chunk: Chunk) -> int:
        """Send a chunk. Return how many bytes of it lie in a block."""
        quick = not (self.limited or self._one_by_one) and self.item_s is not None and self.item_s < QUICK_ITEM_S
        if quick and self._inherited and not (chunk.star or self._seen or self.unlike):
            # Whoever looks at an object writes to it, as references are counted, and what two processes share has to be
            # copied for that. The worker has to do so anyway (benchmarks/peers.py, "tiny_map").
            held.whole = True
            return self.post(worker, ("unseen", held.position, chunk.start, chunk.count))
        data: Any = None
        if not self._inherited or not parcels.may_be_inherited(chunk, self._seen):
            data = parcels.pack_items(chunk, main_by_value=self._main_by_value)
            quick = quick and isinstance(data, bytes)
        held.whole = quick
        message = ("chunk", held.position, chunk.start, chunk.count, chunk.star, quick, data)
        return self.post(worker, message, self._scope() if isinstance(data, list) and self._lasts else None)

    def _scope(self) -> Once:
        if self._once is None:
            from corewise._transport.blocks import Once  # most items are plain

            self._once = Once()
        return self._once

    def _unsent(self, worker: Worker, chunk: Chunk) -> None:
        """A chunk could not be sent to a worker."""
