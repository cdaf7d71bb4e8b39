"""What goes to the workers of an executor or a `Pool`: calls of any functions, and batches of jobs."""

from __future__ import annotations

from corewise._engine.calls import KEPT, Calls, pack_calls
from corewise._engine.jobs import Batch, pack_batch
from corewise._engine.outbox import QUICK_ITEM_S, Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.handle import Worker
    from corewise._engine.schedule import Held


class OutboxOfCalls(Outbox):
    """Sends calls and batches, and to each worker each function once."""

    def timed(self, chunk: Any, item_s: float) -> None:
        """An item of this chunk has taken so long."""
        self.item_s = item_s
        if isinstance(chunk, Batch):
            chunk.job.item_s = item_s

    def _send(self, worker: Worker, held: Held, chunk: Any) -> int:
        if isinstance(chunk, Batch):
            laid_bytes = self.post(worker, self._message_of_batch(worker, held, chunk), chunk.once)
            chunk.job.item_bytes = laid_bytes / chunk.count
            return laid_bytes
        calls: Calls = chunk
        plain, packed = pack_calls(calls, main_by_value=self._main_by_value)
        functions = _functions(worker, calls)
        message = ("calls", held.position, calls.start, functions, calls.context, plain, packed)
        return self.post(worker, message, calls.once)

    def _unsent(self, worker: Worker, chunk: Any) -> None:
        for function in chunk.functions:  # it has not been sent what it was about to learn with them
            worker.known.pop(function.key, None)

    def _message_of_batch(self, worker: Worker, held: Held, batch: Batch) -> tuple[Any, ...]:
        data = pack_batch(batch, main_by_value=self._main_by_value)
        job = batch.job
        quick = job.item_s is not None and job.item_s < QUICK_ITEM_S and isinstance(data, bytes)
        held.whole = quick = quick and job.timeout_s is None and job.context is None
        functions = _functions(worker, batch)
        of = (job.function.key, job.context, job.star, quick)
        return ("batch", held.position, batch.first, batch.count, functions, of, data)


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
