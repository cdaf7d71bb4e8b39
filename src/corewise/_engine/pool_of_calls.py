"""A pool of processes for calls of any functions, as executors make them, and for batches of jobs."""

from __future__ import annotations

from corewise._engine.outbox_of_calls import OutboxOfCalls
from corewise._engine.pool import ProcessPool


class PoolOfCalls(ProcessPool):
    """Runs `Calls` and batches of jobs in worker processes; made with None for the one function."""

    OUTBOX = OutboxOfCalls
