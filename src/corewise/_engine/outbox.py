"""What goes to workers: chunks become messages, each in the cheapest form that is safe for it."""

from __future__ import annotations

from corewise._engine import parcels
from corewise._engine.calls import KEPT, Calls, pack_calls
from corewise._engine.jobs import Batch, pack_batch
from corewise._transport.blocks import Once
from corewise._work.chunk import Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.crew import Crew
    from corewise._engine.handle import Worker
    from corewise._engine.schedule import Held, Schedule, Send
    from corewise._engine.workload import Workload
    from corewise._work.chunk import Chunk

# Items shorter than 5 µs are not written down one by one, which takes 1.5 to 4 µs: 40,000 items of 3.5 µs took a third
# longer with it (benchmarks/choice.py, "numpy_small"). This is what they seem to take, the least of that included.
# Longer ones may do something that must not be done twice, such as to add a line to a file, which takes 8 µs.
QUICK_ITEM_S = 6.5e-6


class Outbox:
    """Sends chunks to the workers of one pool.

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
        self._once = Once() if how.inherit is not None else None
        self.item_s: float | None = None
        self.limited = how.timeout_s is not None and not how.awaits
        self.unlike = False

    def timed(self, chunk: Chunk, item_s: float) -> None:
        """An item of this chunk has taken so long."""
        self.item_s = item_s
        if isinstance(chunk, Batch):
            chunk.job.item_s = item_s

    def carry_out(self, sends: list[Send]) -> list[Done]:
        """Send chunks. Return the outcomes of items that cannot be sent."""
        refusals: list[Done] = []
        for send in sends:  # which may grow meanwhile
            worker = self._crew.lanes[send.worker].worker
            chunk = send.held.chunk
            try:
                message = self._message(worker, send.held)
                once = chunk.once if isinstance(chunk, Calls | Batch) else self._once
                laid_bytes = self.post(worker, message, once)
                self._schedule.sent(laid_bytes=laid_bytes)
                if isinstance(chunk, Batch):
                    chunk.job.item_bytes = laid_bytes / len(chunk.items)
            except (parcels.ItemRefused, MemoryError) as error:
                index, reason = (
                    (error.index, error.error) if isinstance(error, parcels.ItemRefused) else (chunk.start, error)
                )
                refusals.append(Done(index, [reason], [index], 0.0))
                if isinstance(chunk, Calls | Batch):  # the worker has not been sent what it was about to learn with it
                    for function in chunk.functions:
                        worker.known.pop(function.key, None)
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

    def _message(self, worker: Worker, held: Held) -> tuple[Any, ...]:
        chunk = held.chunk
        if isinstance(chunk, Calls):
            plain, calls = pack_calls(chunk, main_by_value=self._main_by_value)
            functions = _functions(worker, chunk)
            return ("calls", held.position, chunk.start, functions, chunk.context, plain, calls)
        if isinstance(chunk, Batch):
            return self._message_of_batch(worker, held, chunk)
        quick = not (self.limited or self._one_by_one) and self.item_s is not None and self.item_s < QUICK_ITEM_S
        if quick and self._inherited and not (chunk.star or self._seen or self.unlike):
            # Whoever looks at an object writes to it, as references are counted, and what two processes share has to be
            # copied for that. The worker has to do so anyway (benchmarks/peers.py, "tiny_map").
            held.whole = True
            return ("unseen", held.position, chunk.start, len(chunk.items))
        data: Any = None
        if not self._inherited or not parcels.may_be_inherited(chunk, self._seen):
            data = parcels.pack_items(chunk, main_by_value=self._main_by_value)
            quick = quick and isinstance(data, bytes)
        held.whole = quick
        return ("chunk", held.position, chunk.start, len(chunk.items), chunk.star, quick, data)

    def _message_of_batch(self, worker: Worker, held: Held, batch: Batch) -> tuple[Any, ...]:
        data = pack_batch(batch, main_by_value=self._main_by_value)
        job = batch.job
        quick = job.item_s is not None and job.item_s < QUICK_ITEM_S and isinstance(data, bytes)
        held.whole = quick = quick and job.timeout_s is None and job.context is None
        functions = _functions(worker, batch)
        of = (job.function.key, job.context, job.star, quick)
        return ("batch", held.position, batch.first, len(batch.items), functions, of, data)


def _functions(worker: Worker, calls: Calls | Batch) -> tuple[list[tuple[int, bytes]], list[int]] | None:
    """Return the functions that a worker needs for these calls and does not know, and those that it may forget.

    None stands for neither.
    """
    known = worker.known
    wanted = calls.functions
    if len(known) == 1 and len(wanted) == 1 and wanted[0].key in known:
        return None  # the most common case by far, and each microsecond is one of a round trip
    fresh: dict[int, bytes] = {}
    for function in wanted:
        if function.key in known:
            del known[function.key]  # to the end: it is not to be forgotten now
        elif function.key not in fresh:
            fresh[function.key] = function.data
        known[function.key] = None
    gone = list(known)[: max(0, len(known) - max(KEPT, len(wanted)))]
    for key in gone:
        del known[key]
    return list(fresh.items()), gone
