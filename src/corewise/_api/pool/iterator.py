"""Results of `Pool.imap` and `Pool.imap_unordered`, one by one."""

from __future__ import annotations

from corewise._api.executors.job_results import JobResults
from corewise._api.pool.result import as_users_catch_it, time_is_up


class PoolIterator(JobResults):
    """Results, as they are asked for: an iterator that any number of threads may read.

    What the function raises for an item comes out of `next` in the place of its result, and does not end the
    iterator. Closed or dropped, it hands out no more items. ``next(timeout)`` raises the TimeoutError of
    `multiprocessing`, which is Python's too.
    """

    def _late(self, timeout_s: float | None) -> BaseException:
        return time_is_up(timeout_s)

    def _shown(self, error: BaseException) -> BaseException:
        return as_users_catch_it(error)
