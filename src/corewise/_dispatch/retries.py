"""Which items that failed are run again, and when. Pure: the time and the chance are given to it."""

from __future__ import annotations

from heapq import heappop, heappush
from math import isfinite

from corewise._dispatch import naps  # noqa: F401 - a Ctrl-C that lands in an import may be lost, see `_chance`
from corewise._work.raised import add_note
from corewise.errors import CannotTravel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from corewise._types.options import Options
    from corewise._work.chunk import Chunk

USUAL_BACKOFF_S = 0.5  # guess: half of what servers that count calls a second take to forget
LONGEST_BACKOFF_S = 60.0  # guess: servers that count calls a minute have forgotten by then
_DOUBLINGS = 64  # more of them would not fit into a float in the end


class Retries:
    """Decides whether and when an item is run again, and holds those that wait for that.

    The wait before a retry is drawn evenly from 0 to a bound that doubles with each attempt: exponential backoff with
    "full jitter". Calls that were refused together so come back one by one, and in all simulations of its source they
    were done soonest with the fewest calls: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
    4 March 2015.

    Args:
        options: `retries`, `retry_on` and `backoff`.
        chance: gives random numbers from 0.0 to 1.0; by default a generator of its own, as that of the program is the
            program's affair.

    Attributes:
        count: how often items were run again.
        attempts: how often items have failed that were run again, by index; an item that has ended is not in it.
    """

    def __init__(self, options: Options, chance: Callable[[], float] | None = None) -> None:
        self.count = 0
        self.attempts: dict[int, int] = {}
        self._most = options.retries
        self._on = options.retry_on
        usual_s = 0.0 if self._on is None else USUAL_BACKOFF_S
        self._backoff_s = usual_s if options.backoff is None else options.backoff
        self._chance = chance or _chance(needed=self._backoff_s > 0)
        self._waiting: list[tuple[float, int, Chunk]] = []

    # -- decisions -----------------------------------------------------------------------------------------------------

    def wanted_s(self, error: BaseException) -> float | None:
        """Return whether such a failure is one to run an item again for: not before so many seconds; None if not.

        Raises:
            Exception: whatever the user's `retry_on` raises, with a note that says so.
            TypeError: when that returns something else than it may.
        """
        # What asks to stop is obeyed, and what cannot travel would not travel the next time either.
        if not isinstance(error, Exception) or isinstance(error, CannotTravel):
            return None
        on = self._on
        if on is None:
            return 0.0
        if isinstance(on, tuple):
            return 0.0 if isinstance(error, on) else None
        return _asked(on, error)

    def wait_s(self, index: int, least_s: float) -> float | None:
        """Return in how many seconds to run an item again that has failed once more; None if that was the last time.

        Args:
            index: of the item.
            least_s: as `wanted_s` said.
        """
        failed = self.attempts.get(index, 0) + 1
        if failed > self._most:
            return None
        self.attempts[index] = failed
        self.count += 1
        longest_s = max(LONGEST_BACKOFF_S, self._backoff_s)
        bound_s = min(longest_s, self._backoff_s * 2.0 ** min(failed - 1, _DOUBLINGS))
        return max(least_s, bound_s * self._chance() if bound_s else 0.0)

    def ended(self, start: int, stop: int, again: Collection[int]) -> None:
        """Outcomes from `start` on to before `stop` have come, final but for those of items to be run again."""
        attempts = self.attempts
        if not attempts:
            return
        span = range(start, stop)
        for index in span if len(span) < len(attempts) else [one for one in attempts if one in span]:
            if index not in again:
                attempts.pop(index, None)

    # -- those that wait -----------------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    @property
    def due_s(self) -> float:
        """When the next one is to be run; to be asked only if one waits."""
        return self._waiting[0][0]

    def put(self, chunk: Chunk, due_s: float) -> None:
        """Have an item wait until then."""
        heappush(self._waiting, (due_s, chunk.start, chunk))

    def take(self, now_s: float) -> list[Chunk]:
        """Return what is due, the first in the order of the input first."""
        due: list[Chunk] = []
        while self._waiting and self._waiting[0][0] <= now_s:
            due.append(heappop(self._waiting)[2])
        return sorted(due, key=lambda chunk: chunk.start)

    def stop_before(self, index: int) -> None:
        """Nothing from this item on matters any more."""
        self._waiting = sorted(one for one in self._waiting if one[1] < index)


def _chance(*, needed: bool) -> Callable[[], float]:
    """Return what gives random numbers.

    Its module is loaded now and not by the first failure: a Ctrl-C that lands in an import may be lost, as Python calls
    what forgets the lock of a module meanwhile and drops what is raised there.
    """
    if not needed:
        return float
    from random import Random

    return Random().random  # noqa: S311 - it is about being apart, not about being secret


def _asked(on: Callable[[Exception], float | None], error: Exception) -> float | None:
    """Return what the user's own function says of a failure, in seconds."""
    try:
        said: Any = on(error)
    except Exception as raised:
        add_note(raised, "raised by retry_on")
        raise
    if said is None or said is False:
        return None
    if said is True:
        return 0.0
    if not isinstance(said, int | float) or not isfinite(said):
        raise TypeError(f"retry_on must return True, False, None or a number of seconds, not {said!r}")
    return max(0.0, float(said))
