"""When to look after workers, and what for: items over their time, idle neighbours, stuck results, frozen processes.

It reads ledgers and a clock, and decides; the pool does what it says.
"""

from __future__ import annotations

from time import monotonic

from corewise._engine.schedule import CHUNK_S, ONE_AHEAD_BELOW_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from corewise._engine.handle import Lane
    from corewise._engine.schedule import Held, Schedule
    from corewise._transport.ledger import Reached

TAIL_S = 0.002  # guess: a worker that idles for less loses little more than a round of talk costs
STUCK_S = CHUNK_S  # guess: results wait for their neighbours as long as a chunk is meant to last, not longer
FROZEN_S = 1.0  # guess: two looks this far apart find a worker stopped, so no debugger just stepping through
_ASK_S = FROZEN_S / 4  # guess: to ask the system whether a process is stopped takes some 40 µs


class Patrol:
    """Looks after the workers of one pool.

    Args:
        schedule: what each of them holds.
        timeout_s: seconds that an item may take, unless its chunk says otherwise; None without a limit.
        clock: gives seconds of the same clock as the ledgers.
    """

    def __init__(self, schedule: Schedule, timeout_s: float | None, clock: Callable[[], float] = monotonic) -> None:
        self._schedule = schedule
        self._timeout_s = timeout_s
        self._clock = clock
        self._stopped: dict[int, float] = {}
        self._asked = clock() - _ASK_S  # when it last looked for stopped processes

    def due_s(self, members: Mapping[int, Lane], *, limited: bool) -> float:
        """Return how many seconds of silence to wait before looking again.

        Args:
            members: the workers by number.
            limited: whether any item may have a time limit.
        """
        tail, stuck = self._schedule.attention()
        due_s = STUCK_S if stuck else FROZEN_S
        if tail:
            due_s = TAIL_S if self._schedule.idle else min(due_s, ONE_AHEAD_BELOW_S)
        if limited:
            for worker, held in self._busy(members):
                due_s = min(due_s, self._left_s(worker, held))
        return max(0.0, due_s)

    def overdue(self, members: Mapping[int, Lane]) -> list[tuple[Lane, float]]:
        """Return the workers whose item takes longer than it may, and how long that is in seconds."""
        return [
            (worker, limit_s)
            for worker, held in self._busy(members)
            if (limit_s := self._limit_s(held)) is not None and self._left_s(worker, held) <= 0
        ]

    def is_overdue(self, worker: Lane) -> bool:
        """Return whether a worker that was stopped is still at an item over its time: not finished, not another."""
        held = self._schedule.held_by(worker.number)
        if not held or self._left_s(worker, held[0]) > 0:
            return False
        at, reached = worker.ledger.at(), worker.ledger.peek()
        return at is not None and (reached is None or reached.base + len(reached.records) <= at[0])

    def to_take_back(self, members: Mapping[int, Lane]) -> Iterator[tuple[Lane, int, int]]:
        """Take back what busy workers have not begun, as long as others are idle, or missing while an item takes long.

        Gives the worker and the stretch of positions that it will not begin.
        """
        for worker, _ in self._busy(members):
            stretch, at = self._schedule.to_take_back(worker.number), worker.ledger.at()
            if stretch is None:
                continue
            if not self._schedule.idle:
                lasted_s = 0.0 if at is None else self._clock() - at[1]
                if not self._schedule.vacant or lasted_s < ONE_AHEAD_BELOW_S:
                    continue
                self._schedule.lasts(lasted_s)  # so that a worker is started for it: of the dead, not all are replaced
            begin, end = stretch
            if at is not None:
                begin = max(begin, self._schedule.behind(worker.number, at[0]))
            begin, begun = worker.ledger.take_back(begin, end)
            # It may have been quicker; or it has skipped that item too, and says so.
            begin = max(begin, self._schedule.behind(worker.number, begun))
            if begin < end:
                yield worker, begin, end

    def stuck(self, members: Mapping[int, Lane]) -> list[tuple[Lane, Held, Reached]]:
        """Return the workers with finished results that wait, and what their ledgers hold.

        Those that wait for a short item come by themselves, and cheaper than one by one from a ledger.
        """
        found = []
        for worker, held in self._busy(members):
            at = worker.ledger.at() if held.chunk.count > 1 and not held.whole else None
            if at is not None and not 0 <= self._clock() - at[1] < STUCK_S:
                reached = worker.ledger.peek()
                if reached is not None and reached.base <= held.position < reached.base + len(reached.records):
                    found.append((worker, held, reached))
        return found

    def frozen(self, members: Mapping[int, Lane]) -> list[Lane]:
        """Return workers that have been stopped for a while, with something before them that they have not begun.

        One that was stopped in the middle of an item is left alone: somebody may be debugging it.
        """
        found: list[Lane] = []
        now = self._clock()
        if now - self._asked < _ASK_S:
            return found
        self._asked = now
        for worker, held in self._busy(members):
            at = worker.ledger.at()
            if (at is not None and at[0] >= held.position) or not worker.is_stopped:
                self._stopped.pop(worker.number, None)
            elif now - self._stopped.setdefault(worker.number, now) >= FROZEN_S:
                found.append(worker)
        return found

    def _busy(self, members: Mapping[int, Lane]) -> list[tuple[Lane, Held]]:
        return [
            (worker, held[0])
            for number, worker in members.items()
            if not worker.retired and (held := self._schedule.held_by(number))
        ]

    def _limit_s(self, held: Held) -> float | None:
        limit_s: float | None = getattr(held.chunk, "timeout_s", None)
        return self._timeout_s if limit_s is None else limit_s

    def _left_s(self, worker: Lane, held: Held) -> float:
        """Seconds that a worker's item has left; all of its time while none is running."""
        limit_s = self._limit_s(held)
        if limit_s is None:
            return FROZEN_S
        at = worker.ledger.at()
        if at is None or not held.position <= at[0] < held.stop:
            return limit_s
        return limit_s - (self._clock() - at[1])
