"""Has an approach run as many calls at once as suits them: told of outcomes, it sets a limit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._choose.at_once import AtOnce


class Adapting:
    """What decides how many calls there are at once, and what it takes to have more of them.

    Args:
        calls: decides.
        worker_s: gives the seconds that one more worker costs; None where it costs nothing.
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

    def refused(self, approach: Any, items: int) -> None:
        """So many calls were refused."""
        approach.limit = min(approach.limit, self._calls.refused(items))

    def succeeded(self, approach: Any, items: int, seconds: float, remaining: int | None) -> None:
        """So many calls have succeeded.

        Args:
            approach: whose limit it is.
            items: their number.
            seconds: what they took, all together.
            remaining: items left; None while unknown.
        """
        if not items or (self._computes is not None and self._computes()):
            return
        limit = self._calls.observe(items, seconds)
        if limit > approach.limit and self._worker_s is not None and remaining is not None:
            # As many as what remains would repay the start of.
            repaid = int((remaining * seconds / items / self._worker_s()) ** 0.5)
            limit = max(approach.limit, min(limit, repaid))
        approach.limit = limit
