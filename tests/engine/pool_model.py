"""A pool as the scheduler sees it, without processes: each worker with a wire, and a ledger in any possible state."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from corewise._engine.schedule import Schedule
from corewise._transport.ledger import Reached
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._engine.schedule import Loss, Send

RECORD = (False, b"")


class Worker:
    """A worker process: the chunks on its wire, in the order of their sending, and what its ledger still says."""

    def __init__(self) -> None:
        self.wire: deque[Chunk] = deque()
        self.stale = [Reached(None, 0, [])]  # what the ledger may say of work that the parent has taken in already


class Pool:
    """Does with a schedule what the real pool does, and keeps the account of every item.

    Args:
        workers: the schedule's limit.

    Attributes:
        out: how often each item came out, and how.
        travels: says of each item whether it can be sent.
    """

    def __init__(self, workers: int, travels: Callable[[int], bool]) -> None:
        self.schedule = Schedule(workers)
        self.workers: dict[int, Worker] = {}
        self.started = 0
        self.submitted = 0
        self.out: Counter[int] = Counter()
        self.how: dict[int, str] = {}
        self._travels = travels

    def submit(self, size: int) -> None:
        """Submit the next items as one chunk."""
        chunk = Chunk(self.submitted, list(range(self.submitted, self.submitted + size)), star=False)
        self.submitted += size
        self.carry_out(self.schedule.submit(chunk))

    def join(self) -> None:
        """Start a worker."""
        self.started += 1
        self.workers[self.started] = Worker()
        self.carry_out(self.schedule.joined(self.started))

    def carry_out(self, sends: list[Send]) -> None:
        """Send chunk by chunk; one that holds an item that cannot travel is refused and given again without it."""
        waiting = deque(sends)
        while waiting:
            send = waiting.popleft()
            assert send.chunk.items == list(range(send.chunk.start, send.chunk.stop)), "an item got a wrong index"
            bad = next((index for index in send.chunk.items if not self._travels(index)), None)
            if bad is None:
                self.workers[send.worker].wire.append(send.chunk)
            else:
                self.comes_out(bad, "refused")
                waiting += self.schedule.refused(send, bad)

    def finish(self, number: int, count: int, seconds: float, *, dropped: bool) -> None:
        """A worker hands over the first `count` outcomes of the chunk it is at."""
        worker = self.workers[number]
        chunk = worker.wire.popleft()
        for index in range(chunk.start, chunk.start + count):
            self.comes_out(index, "done")
        if dropped:
            for index in range(chunk.start + count, chunk.stop):
                self.comes_out(index, "dropped")
        elif count < len(chunk.items):
            worker.wire.appendleft(chunk.part(chunk.start + count, chunk.stop))
        last = chunk.start + count - 1
        # The worker may die after the message has left and before its ledger is cleared: with its last outcome
        # written down, or without because it did not fit; or half-way through clearing.
        worker.stale = [
            Reached(last, chunk.start, [RECORD] * count),
            Reached(last, chunk.start, [RECORD] * (count - 1)),
            Reached(None, chunk.start, [RECORD] * count),
            Reached(None, chunk.start + count, []),
        ]
        self.carry_out(self.schedule.done(number, count, seconds, dropped=dropped))

    def states(self, number: int) -> list[tuple[Reached, Loss]]:
        """All that the ledger of a worker may say now, with what it must be taken to mean."""
        worker = self.workers[number]
        nothing = _loss(0, worker.wire[0].start if worker.wire else 0, None)
        found = [(stale, nothing) for stale in worker.stale]
        if not worker.wire:
            return found
        chunk = worker.wire[0]
        found.append((Reached(None, chunk.start, []), nothing))
        for index in range(chunk.start, chunk.stop):
            before = index - chunk.start
            found += [
                # item by item: at `index`, or behind it with its outcome written down
                (Reached(index, chunk.start, [RECORD] * before), _loss(before, chunk.start, index)),
                (Reached(index, chunk.start, [RECORD] * (before + 1)), _loss(before + 1, chunk.start, None)),
                # many short items: only the one that runs is written down
                (Reached(index, chunk.start, []), _loss(0, chunk.start, index)),
            ]
        return found

    def die(self, number: int, reached: Reached, expected: Loss) -> None:
        """A worker dies with its ledger in some state."""
        worker = self.workers.pop(number)
        loss = self.schedule.died(number, reached)
        assert (loss.recovered, loss.item) == (expected.recovered, expected.item)
        if loss.recovered:
            assert loss.base == expected.base
        for index in range(loss.base, loss.base + loss.recovered):
            self.comes_out(index, "recovered")
        if loss.item is not None:
            self.comes_out(loss.item, "lost")
        assert worker.wire or loss.item is None
        self.carry_out(self.schedule.hand_out())

    def comes_out(self, index: int, how: str) -> None:
        """Note that an item is through."""
        self.out[index] += 1
        self.how[index] = how
        assert self.out[index] == 1, f"item {index} came out twice"


def _loss(recovered: int, base: int, item: int | None) -> Loss:
    from corewise._engine.schedule import Loss

    return Loss(recovered=recovered, base=base, item=item)
