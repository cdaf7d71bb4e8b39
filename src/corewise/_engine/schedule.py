"""Who gets which chunk: events in, instructions out. No process, no socket, no clock.

```
            submit(chunk)                    done(worker, ...)
 dispatch ───────────────► queue ──Send──► held by a worker ───────────────► outcome
                             ▲                    │ died(worker, reached)
                             └── not begun ───────┴──► the item it was at: lost
```
"""

from __future__ import annotations

from collections import deque

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._transport.ledger import Reached
    from corewise._work.chunk import Chunk

# Chunks shorter than this are sent ahead, so that a worker finds its next one waiting. A round trip costs about 0.1
# ms, so for longer ones it gains under 1 %, while a chunk that waits behind a long one cannot go to a worker that is
# idle.
AHEAD_BELOW_S = 0.010


class Send(Record):
    """Instruction: send `chunk` to `worker`."""

    worker: int
    chunk: Chunk


class Loss(Record):
    """What the death of a worker means.

    Attributes:
        recovered: number of outcomes, from index `base` on, that its ledger still holds.
        base: index of the first of these.
        item: index of the item that it was at; None when it was at none.
    """

    recovered: int
    base: int
    item: int | None


class Schedule:
    """The state of a pool: chunks that wait, and what each worker holds.

    Workers are known by numbers. Every method that changes the state is an event and returns what is to be sent now.

    Args:
        workers: most workers at a time; kept as `limit`, which may be lowered later.
    """

    def __init__(self, workers: int) -> None:
        self.limit = workers
        self._queue: deque[Chunk] = deque()
        self._held: dict[int, deque[Chunk]] = {}
        self._chunk_s: float | None = None

    @property
    def room(self) -> int:
        """How many more chunks it makes sense to submit now."""
        return max(0, self.limit * self._depth - len(self._queue) - sum(len(held) for held in self._held.values()))

    @property
    def wanted(self) -> int:
        """How many more workers the waiting chunks would keep busy."""
        idle = sum(not held for held in self._held.values())
        return max(0, min(self.limit - len(self._held), len(self._queue) - idle))

    @property
    def unfinished(self) -> bool:
        """Whether any chunk waits or is held."""
        return bool(self._queue) or any(self._held.values())

    def submit(self, chunk: Chunk) -> list[Send]:
        """A chunk has come."""
        self._queue.append(chunk)
        return self._hand_out()

    def joined(self, worker: int) -> list[Send]:
        """A worker has been started; it reads its first chunk when it is ready."""
        self._held[worker] = deque()
        return self._hand_out()

    def done(self, worker: int, count: int, seconds: float, *, dropped: bool) -> list[Send]:
        """A worker has handed over the outcomes of the next `count` items it holds.

        With `dropped`, the rest of that chunk will not be run.
        """
        held = self._held[worker]
        chunk = held.popleft()
        if count < len(chunk.items) and not dropped:
            held.appendleft(chunk.part(chunk.start + count, chunk.stop))
        else:
            self._chunk_s = seconds
        return self._hand_out()

    def died(self, worker: int, reached: Reached) -> Loss:
        """A worker has ended, and all that it had sent has been taken in.

        What it had not begun goes back to the queue.
        """
        held = self._held.pop(worker, deque())
        if not held:
            return Loss(recovered=0, base=0, item=None)
        chunk = held[0]
        begun = reached.running is not None and chunk.start <= reached.running < chunk.stop
        recovered = len(reached.records) if begun and reached.base == chunk.start else 0
        item = reached.running if begun and reached.running != chunk.start + recovered - 1 else None
        back = list(held)[1:]
        rest = chunk.start + recovered
        if item is not None:
            back[:0] = [chunk.part(rest, item), chunk.part(item + 1, chunk.stop)]
        else:
            back[:0] = [chunk.part(rest, chunk.stop)]
        self._put_back(back)
        return Loss(recovered=recovered, base=chunk.start, item=item)

    def refused(self, send: Send, index: int) -> list[Send]:
        """A chunk could not be sent: item `index` cannot travel, the others can.

        What is returned is to be sent after the rest of the instructions that `send` came with: a worker gets its
        chunks in the order in which they are noted here.
        """
        chunk = send.chunk
        self._held[send.worker].remove(chunk)
        self._put_back([chunk.part(chunk.start, index), chunk.part(index + 1, chunk.stop)])
        return self._hand_out()

    def hand_out(self) -> list[Send]:
        """Look again at what can be sent, after a death."""
        return self._hand_out()

    @property
    def _depth(self) -> int:
        return 2 if self._chunk_s is not None and self._chunk_s < AHEAD_BELOW_S else 1

    def _put_back(self, parts: list[Chunk]) -> None:
        """Queue parts of chunks again, where they stand in the order of the input."""
        self._queue = deque(
            sorted([*(part for part in parts if part.items), *self._queue], key=lambda chunk: chunk.start)
        )

    def _hand_out(self) -> list[Send]:
        sends: list[Send] = []
        for full in range(self._depth):
            for worker, held in self._held.items():
                if not self._queue:
                    return sends
                if len(held) <= full:
                    chunk = self._queue.popleft()
                    held.append(chunk)
                    sends.append(Send(worker=worker, chunk=chunk))
        return sends
