"""What is in a queue, and what has gone through it."""

from __future__ import annotations

from corewise._types.record import Record


class QueueStatistics(Record):
    """One moment of a queue, as its `statistics()` returns it.

    Attributes:
        waiting: items that are in it.
        waiting_bytes: bytes of their messages; a batch of `put_many` counts until its last item is taken.
        put: items that were ever put, by whatever process.
        taken: items that were ever taken.
        unfinished: items of a `JoinableQueue` of which `task_done` was not told; None for other queues.
        lost: items of a `JoinableQueue` that were taken by processes which have ended before `task_done`, as far as
            `join` has noticed; None for other queues.
        memory_bytes: the shared memory that holds what waits; it grows as needed.
        closed_by: id of the process that has closed the queue; None while it is open.
    """

    waiting: int
    waiting_bytes: int
    put: int
    taken: int
    unfinished: int | None = None
    lost: int | None = None
    memory_bytes: int
    closed_by: int | None = None
