"""A pool without processes: the real schedule, patrol and ledgers, and workers that can be stopped at any line.

A worker here is a generator that does what `_engine.worker` does, in the same order, and gives way after every step
that its parent could see. So whoever drives it decides how the two interleave, and when it dies.
"""

from __future__ import annotations

from collections import Counter, deque
from time import monotonic
from typing import TYPE_CHECKING, Any

from corewise._engine.patrol import STUCK_S, Patrol
from corewise._engine.schedule import Schedule
from corewise._transport.ledger import Ledger
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corewise._engine.schedule import Held, Send

STOP = None
FINE = False  # of an item that has not failed


class Nature:
    """What items do.

    Attributes:
        bad: those that cannot be sent.
        failing: those that fail, and end their chunk.
        large: those whose results fit in no ledger.
        slow: those after which results are old enough to be sent.
    """

    def __init__(
        self,
        bad: frozenset[int] = frozenset(),
        failing: frozenset[int] = frozenset(),
        large: frozenset[int] = frozenset(),
        slow: frozenset[int] = frozenset(),
    ) -> None:
        self.bad, self.failing, self.large, self.slow = bad, failing, large, slow


class Worker:
    """A worker process.

    Attributes:
        number: what the schedule knows it by.
        retired: whether it was told to end.
        ledger: its real ledger; this process is both sides of it.
        inbox: what it was sent and has not read.
        outbox: what it has sent and nobody has read.
        at: index of the item that would be at fault if it died now.
        in_whole: whether it runs a chunk without looking up.
        is_stopped: whether its process is stopped, as the real one's handle tells.
    """

    def __init__(self, number: int, nature: Nature, ran: Callable[[int], None]) -> None:
        self.number = number
        self.retired = False
        self.ledger = Ledger()
        self.inbox: deque[Any] = deque()
        self.outbox: deque[tuple[Any, ...]] = deque()
        self.at: int | None = None
        self.in_whole = False
        self.is_stopped = False
        self.ended = False
        self._busy = False
        self._nature = nature
        self._ran = ran
        self._life = self._live()

    def run_until(self, reached: Callable[[], bool]) -> None:
        """Let it go on until something is so."""
        while not reached():
            assert self.can_go_on, "it has nothing more to do"
            self.step()

    @property
    def can_go_on(self) -> bool:
        """Whether it is in the middle of a chunk, or has another one."""
        return not self.ended and (bool(self.inbox) or self._busy)

    def step(self) -> None:
        """Let it do the next thing that its parent could see."""
        if next(self._life, STOP) is STOP:
            self.ended = True

    def _live(self) -> Iterator[bool]:
        while True:
            while not self.inbox:
                yield True
            message = self.inbox.popleft()
            if message is STOP:
                return
            self._busy = True
            position, start, count, whole = message
            self.ledger.begin(position)
            yield True
            yield from (self._whole if whole else self._one_by_one)(position, start, position + count)
            self._busy = False
            yield True

    def _one_by_one(self, position: int, start: int, end: int) -> Iterator[bool]:
        shift, batch = start - position, position
        for place in range(position, end):
            index = place + shift
            if not self.ledger.running(place):
                yield True
                self._send(batch, place, shift)
                yield True
                self.outbox.append(("skipped", place, end))
                yield True
                self.ledger.begin(end)
                return
            self.at = index
            yield True
            self._ran(index)
            if index in self._nature.failing:
                self._send(batch, place + 1, shift, dropped=True)
                yield True
                self.ledger.begin(end)
                return
            fits = index not in self._nature.large and self.ledger.record(FINE, b"%d" % index)
            if fits:
                self.at = None
            yield True
            if not fits or (place + 1 < end and index in self._nature.slow):
                self._send(batch, place + 1, shift)
                yield True
                self.ledger.begin(place + 1)
                batch = place + 1
                yield True
        self._send(batch, end, shift)
        yield True
        self.ledger.begin(end)

    def _whole(self, position: int, start: int, end: int) -> Iterator[bool]:
        if not self.ledger.running(position):
            yield True
            self.outbox.append(("skipped", position, end))
        else:
            self.in_whole = True
            note = self.ledger.follow()
            for note[0], index in enumerate(range(start, start + end - position), position + 1):
                self.at = index
                yield True
                self._ran(index)
            self._send(position, end, start - position)
            self.in_whole = False
        yield True
        self.ledger.begin(end)

    def _send(self, begin: int, end: int, shift: int, *, dropped: bool = False) -> None:
        self.at = None
        self.ledger.finished()
        if begin < end:
            self.outbox.append(("done", begin, end, begin + shift, dropped))


class Pool:
    """Does with a schedule and a patrol what the real pool does, and keeps the account of every item.

    Args:
        workers: the schedule's limit.
        nature: what the items do.
        quota: as for the schedule.
        timeout_s: as for the patrol.

    Attributes:
        now_s: the clock; it is the real one until it is replaced.
        out: how each item came out.
        ran: how often each item was run.
        quick: whether chunks that are sent now are run without looking up.
        seconds: how long chunks are said to have taken.
    """

    def __init__(
        self, workers: int, nature: Nature, quota: int | None = None, *, timeout_s: float | None = None
    ) -> None:
        self.schedule = Schedule(workers, quota=quota)
        self.now_s: Callable[[], float] = monotonic
        self.patrol = Patrol(self.schedule, timeout_s, self._clock)
        self.members: dict[int, Any] = {}  # workers, for the patrol as good as real ones
        self.started = 0
        self.submitted = 0
        self.out: dict[int, str] = {}
        self.ran: Counter[int] = Counter()
        self.may_run_again: set[int] = set()
        self.quick = False
        self.seconds = 0.001
        self._nature = nature
        self._deaths_before: Counter[int] = Counter()

    # -- what comes from outside ---------------------------------------------------------------------------------------

    def submit(self, size: int) -> None:
        """Submit the next items as one chunk."""
        chunk = Chunk(self.submitted, list(range(self.submitted, self.submitted + size)), star=False)
        self.submitted += size
        self._carry_out(self.schedule.submit(chunk))

    def join(self) -> None:
        """Start a worker."""
        self.started += 1
        self.members[self.started] = Worker(self.started, self._nature, self._has_run)
        self._carry_out(self.schedule.joined(self.started))

    def die(self, number: int) -> None:
        """A worker dies where it stands."""
        worker = self.members[number]
        self.read(number)
        del self.members[number]
        reached = worker.ledger.read()
        worker.ledger.close()
        if worker.retired:
            return
        held = [*self.schedule.held_by(number)]
        if worker.in_whole:
            self.may_run_again.update(held[0].chunk.items)
        loss = self.schedule.died(number, reached)
        for index, (_, data) in enumerate(reached.records[loss.skip : loss.skip + loss.recovered], loss.base):
            assert data == b"%d" % index, "a result was taken for that of another item"
            self._comes_out(index, "recovered")
        if worker.at is not None:
            assert loss.item == worker.at, "the wrong item is blamed"
        elif loss.item is not None:
            assert self._deaths_before[loss.item] >= 2, "an item is blamed that was not begun"
            self.may_run_again.add(loss.item)
        elif held and not loss.recovered:
            self._deaths_before[held[0].chunk.start] += 1
        if loss.item is not None:
            self._comes_out(loss.item, "lost")
        self._carry_out(self.schedule.hand_out())

    # -- what the pool does of itself ----------------------------------------------------------------------------------

    def read(self, number: int) -> None:
        """Take in what a worker has sent."""
        worker = self.members[number]
        while worker.outbox:
            kind, *details = worker.outbox.popleft()
            if kind == "skipped":
                self._carry_out(self.schedule.taken_back(number, *details))
            else:
                self._take_outcomes(worker, *details)

    def take_back(self) -> None:
        """Take back what busy workers have not begun, if any is idle."""
        for worker, begin, end in self.patrol.to_take_back(self.members):
            self._carry_out(self.schedule.taken_back(worker.number, begin, end))

    def fetch(self) -> None:
        """Fetch results from ledgers, however short the item that they wait for has been."""
        now_s, self.now_s = self.now_s, lambda: monotonic() + STUCK_S
        stuck, self.now_s = self.patrol.stuck(self.members), now_s
        for found, held, reached in stuck:
            fresh = reached.records[held.position - reached.base :][: len(held.chunk.items)]
            for index, (_, data) in enumerate(fresh, held.chunk.start):
                assert data == b"%d" % index, "a result was taken for that of another item"
                self._comes_out(index, "fetched")
            self._came(self.members[found.number], len(fresh), dropped=False)

    def close(self) -> None:
        """Give back the ledgers."""
        for worker in self.members.values():
            worker.ledger.close()

    def _take_outcomes(self, worker: Worker, begin: int, end: int, start: int, dropped: bool) -> None:  # noqa: FBT001 - from a message
        held = self.schedule.held_by(worker.number)
        if not held:
            assert all(index in self.out for index in range(start, start + end - begin)), "an outcome got lost"
            return
        first = held[0]
        known = first.position - begin
        assert known >= 0, "an outcome comes before its turn"
        count = end - begin - known
        if count <= 0:
            return
        assert first.chunk.start == start + known, "position and index do not fit"
        assert count <= len(first.chunk.items), "a worker has run what was taken back"
        for index in range(first.chunk.start, first.chunk.start + count):
            self._comes_out(index, "done")
        if dropped:
            for index in range(first.chunk.start + count, first.chunk.stop):
                self._comes_out(index, "dropped")
        self._came(worker, count, dropped=dropped)

    def _came(self, worker: Worker, count: int, *, dropped: bool) -> None:
        sends = self.schedule.done(worker.number, count, self.seconds, dropped=dropped)
        if self.schedule.used_up(worker.number):
            self.schedule.left(worker.number)
            worker.retired = True
            worker.inbox.append(STOP)
        self._carry_out(sends)

    def _carry_out(self, sends: list[Send]) -> None:
        """Send chunk by chunk; one that holds an item that cannot travel is refused and given again without it."""
        waiting = deque(sends)
        while waiting:
            send = waiting.popleft()
            chunk = send.held.chunk
            assert chunk.items == list(range(chunk.start, chunk.stop)), "an item got a wrong index"
            bad = next((index for index in chunk.items if index in self._nature.bad), None)
            if bad is None:
                send.held.whole = self.quick and not self._nature.failing
                self.members[send.worker].inbox.append(_message(send.held))
            else:
                self._comes_out(bad, "refused")
                waiting += self.schedule.refused(send, bad)

    def _clock(self) -> float:
        return self.now_s()

    def _comes_out(self, index: int, how: str) -> None:
        assert index not in self.out, f"item {index} came out twice: {self.out[index]} and {how}"
        self.out[index] = how

    def _has_run(self, index: int) -> None:
        self.ran[index] += 1
        assert self.ran[index] == 1 or index in self.may_run_again, f"item {index} was run twice"


def _message(held: Held) -> tuple[int, int, int, bool]:
    return held.position, held.chunk.start, len(held.chunk.items), held.whole
