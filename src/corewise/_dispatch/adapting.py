"""Has an approach run as many calls at once as suits them: told of outcomes, it sets a limit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._choose.at_once import AtOnce
    from corewise._dispatch.ranges import Outstanding
    from corewise._work.chunk import Done

_SLIGHTLY = 0.1  # of the limit: calls under way while it changes by no more tell of the new one as well (guess)
_WORTH_IT = 2  # times as many workers: what is left takes a quarter less then, their start included
_ANY = 1 << 30


class Adapting:
    """What decides how many calls there are at once, and what it takes to have more of them.

    Calls that were under way when the limit was changed tell of the one before, and may come late, those that took
    longest last of all: they are left out, one by one.

    Args:
        calls: decides.
        worker_s: gives the seconds that one more worker costs among many; None where it costs nothing.
        computes: says whether the calls keep cores busy rather than wait, so that their time tells nothing of a server;
            None where that is known.
    """

    def __init__(
        self,
        calls: AtOnce,
        *,
        worker_s: Callable[[], float] | None = None,
        computes: Callable[[], bool] | None = None,
    ) -> None:
        self._calls = calls
        self._worker_s = worker_s
        self._computes = computes
        self._before: set[int] = set()  # calls that were handed out before the last change

    def ignore(self, outstanding: Outstanding) -> None:
        """Learn nothing from what is under way: it began beside other numbers of calls."""
        self._before = _indexes(outstanding)

    def learn(
        self, approach: Any, done: Done, outstanding: Outstanding, *, refused: bool, remaining: int | None
    ) -> None:
        """Take in what has come of a chunk.

        Args:
            approach: whose limit it is.
            done: calls that have succeeded, or of which one was refused.
            outstanding: what is under way, this chunk included.
            refused: whether one was refused.
            remaining: items left to hand out; None while unknown.
        """
        if done.start in self._before:
            self._before.difference_update(range(done.start, done.stop))
            return
        before = limit = approach.limit
        if refused:
            limit = min(before, self._calls.refused())
        elif done.values and not (self._computes is not None and self._computes()):
            limit = self._calls.observe(len(done.values), done.wall_s)
            if limit > before:
                limit = min(limit, self._repaid(done, before, remaining, max(0, len(outstanding) - before)))
        if limit == before:
            return
        approach.limit = limit
        if abs(limit - before) > _SLIGHTLY * before:
            self._before = _indexes(outstanding) - set(range(done.start, done.stop))

    def _repaid(self, done: Done, before: int, remaining: int | None, queued: int) -> int:
        """Return how many workers what is left would repay the start of.

        By n of them it takes ``left * call_s / n + n * worker_s``, which is least with the root of ``left * call_s /
        worker_s``, and hardly less than now unless there would be twice as many.
        """
        if self._worker_s is None or remaining is None:
            return _ANY
        repaid = int(((remaining + queued) * done.wall_s / len(done.values) / self._worker_s()) ** 0.5)
        return repaid if repaid >= _WORTH_IT * before else before


def _indexes(outstanding: Outstanding) -> set[int]:
    return {index for chunk in outstanding for index in range(chunk.start, chunk.stop)}
