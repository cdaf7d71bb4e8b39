"""Who gets which chunk: events in, instructions out. No process, no socket, no clock.

```
            submit(chunk)                    done(worker, ...)
 dispatch ───────────────► queue ──Send──► held by a worker ───────────────► outcome
                             ▲                    │ died(worker, reached)
                             │                    ├──► the item it was at: lost
                             └── not begun ───────┤
                                                  │ taken_back(worker, ...), for one that is idle
```

What is sent to a worker is counted by position: item after item, from 0 on for each worker. The worker speaks of
positions too, so that both always mean the same item, whatever was taken back in between.

Where a worker process runs several items at once, each of its lanes is a worker here. They begin together, and end
together.
"""

from __future__ import annotations

from corewise._transport.ledger import LANE_POSITIONS
from corewise._types.light import deque
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._transport.ledger import Reached
    from corewise._work.chunk import Chunk

# Seconds that chunks of items are made to last. To hand one over costs 20 to 60 µs where a core is idle, and some 180
# where workers keep all busy, half of it the caller's. Of a second of items that become longer and shorter each worker
# lost 42 and 45 ms by chunks of 20 ms, 40 and 41 by these, 40 and 40 by those of 40 ms, the start included; of a heavy
# tail 39, 39 and 38 (benchmarks/peers.py, "sorted_up" and the rows around it). Results wait as long, and longer ones
# leave more to be given to others at the end.
CHUNK_S = 0.03
# Chunks shorter than this are sent ahead, so that a worker finds its next one waiting. Guess: where workers keep all
# cores busy that saves 0.1 ms a chunk, 1 % of those of 10 ms and a fifth of that here.
ONE_AHEAD_BELOW_S = 0.050
# Of those shorter than this, more than one.
AHEAD_BELOW_S = 0.010
# Chunks that a worker holds then, the running one included. Where workers keep all cores busy, the parent may wait two
# of their time slices (some 4 ms each) for a core; with one chunk waiting, workers stood idle a third of the time
# (benchmarks/results/peers.json, "map of 300,000 tiny calls").
AHEAD = 4
ONE_AHEAD = 2
# Held by each lane of a process, however long its chunks take: to take in a chunk, the process has to come by the GIL,
# which its lanes hold for 5 ms each. With one waiting, lanes stood idle for 50 ms after each item of 5 ms computing;
# 300 such that also wait 20 ms took 1.33 s, with two waiting 1.22 (benchmarks/both.py).
OF_A_LANE = 3
# But none is sent ahead where it fills so much shared memory: it would wait in a block of its own, and to fill a fresh
# one takes eight times as long as one that has come back (benchmarks/results/peers.json, "64 MB NumPy arrays"). The
# size is a guess: copying this much takes 1 to 2 ms, beside which a round trip is little.
LARGE_BYTES = 1 << 24

_DEATHS_BEFORE_AN_ITEM = 3  # guess: one worker may be killed by chance as an item comes; three are the item's doing


class Held:
    """A chunk, or what is left of it, that a worker has been sent.

    Attributes:
        position: where its first item stands among all that the worker was sent.
        chunk: the items whose outcomes have not come yet.
        whole: whether the worker runs it without looking up, once it has begun.
    """

    __slots__ = ("chunk", "position", "whole")

    def __init__(self, position: int, chunk: Chunk, *, whole: bool = False) -> None:
        self.position = position
        self.chunk = chunk
        self.whole = whole

    @property
    def stop(self) -> int:
        """Position behind its last item."""
        return self.position + self.chunk.count


class Send:
    """Instruction: send a chunk to `worker`, as its items from `held.position` on."""

    __slots__ = ("held", "worker")

    def __init__(self, worker: int, held: Held) -> None:
        self.worker = worker
        self.held = held


class Loss(Record):
    """What the death of a worker means.

    Attributes:
        recovered: number of outcomes that its ledger still holds and that have not been taken in.
        skip: number of outcomes before these in its ledger, which had been taken in already.
        base: index of the first of these.
        item: index of the item that it was at; None when it was at none.
    """

    recovered: int
    skip: int
    base: int
    item: int | None


class _Desk:
    """What the schedule knows of one worker."""

    __slots__ = ("held", "quota", "sent")

    def __init__(self, quota: int | None, first: int) -> None:
        self.held: deque[Held] = deque()
        self.sent = first  # the position of the next item that it is sent
        self.quota = quota  # items that it may still get; None without a limit


class Schedule:
    """The state of a pool: chunks that wait, and what each worker holds.

    Workers are known by numbers. Every method that changes the state is an event and returns what is to be sent now.

    Args:
        workers: most workers at a time; kept as `limit`, which may be lowered later.
        quota: items that a worker may run before it is replaced; None without a limit.
        ahead: whether a worker is always sent one chunk more than it runs; a lane is sent two.
        lanes: workers that are the lanes of one process; `workers` is a multiple of it.
    """

    def __init__(self, workers: int, *, quota: int | None = None, ahead: bool = False, lanes: int = 1) -> None:
        self.limit = workers
        self._lanes = lanes
        self._least_depth = OF_A_LANE if lanes > 1 else ONE_AHEAD if ahead else 1
        self._quota = quota
        self._queue: deque[Chunk] = deque()
        self._desks: dict[int, _Desk] = {}
        self._chunk_s: float | None = None  # how long chunks last, as far as one knows
        self._item_s = 0.0
        self._large = False
        self._died_before: dict[int, int] = {}  # by index of an item: workers that died before they began it

    @property
    def room(self) -> int:
        """How many more chunks it makes sense to submit now."""
        held = 0
        for desk in self._desks.values():
            held += len(desk.held)
        return max(0, self.limit * self._depth - len(self._queue) - held)

    @property
    def idle(self) -> int:
        """How many workers hold nothing, and could."""
        idle = 0
        for desk in self._desks.values():
            idle += not desk.held and desk.quota != 0
        return idle

    @property
    def wanted(self) -> int:
        """How many more processes the waiting chunks would keep busy."""
        if not self._queue:
            return 0
        if self._lanes > 1:  # all that there may be: what they wait for together, none of them should compute alone
            return max(0, self.limit - len(self._desks)) // self._lanes
        return max(0, min(self.limit - len(self._desks), len(self._queue) - self.idle))

    @property
    def vacant(self) -> bool:
        """Whether another process may be started."""
        return len(self._desks) + self._lanes <= self.limit

    @property
    def unfinished(self) -> bool:
        """Whether any chunk waits or is held."""
        if self._queue:
            return True
        for desk in self._desks.values():  # noqa: SIM110 - asked with each message: `any` would take three calls
            if desk.held:
                return True
        return False

    def attention(self) -> tuple[bool, bool]:
        """Return whether some could be given to an idle or a new worker, and whether results may be stuck."""
        idle = tail = stuck = False
        for desk in self._desks.values():
            held = desk.held
            if not held:
                idle = idle or desk.quota != 0
                continue
            first = held[0]
            several = first.chunk.count > 1 and not first.whole
            stuck = stuck or several
            tail = tail or several or len(held) > 1
        return tail and (idle or self.vacant), stuck

    def held_by(self, worker: int) -> deque[Held]:
        """Return what a worker holds, in the order in which it will run it."""
        desk = self._desks.get(worker)
        return desk.held if desk is not None else deque()

    def used_up(self, worker: int) -> bool:
        """Return whether a worker has run as many items as it may, and holds none."""
        desk = self._desks[worker]
        return desk.quota == 0 and not desk.held

    def submit(self, chunk: Chunk) -> list[Send]:
        """A chunk has come."""
        self._queue.append(chunk)
        return self.hand_out()

    def sent(self, laid_bytes: int) -> None:
        """A chunk has been sent, and so many bytes of it were laid into shared memory."""
        self._large = laid_bytes >= LARGE_BYTES

    def joined(self, *workers: int) -> list[Send]:
        """A process has been started: a worker, or several that share its quota; it reads when it is ready."""
        lanes = self._lanes
        for lane, worker in enumerate(workers):
            quota = None if self._quota is None else (self._quota + lane) // lanes
            self._desks[worker] = _Desk(quota, lane * LANE_POSITIONS)
        if lanes > 1:
            # The first lanes of all processes come first, so that few chunks are shared by all processes.
            self._desks = dict(sorted(self._desks.items(), key=lambda one: (one[0] % lanes, one[0])))
        return self.hand_out()

    def done(self, worker: int, count: int, seconds: float, *, dropped: bool) -> list[Send]:
        """A worker has handed over the outcomes of the next `count` items it holds.

        With `dropped`, the rest of that chunk will not be run.
        """
        held = self._desks[worker].held
        first = held[0]
        if count < first.chunk.count and not dropped:
            first.position += count
            first.chunk = first.chunk.part(first.chunk.start + count, first.chunk.stop)
        else:
            held.popleft()
            if seconds:  # not known of what was read from a ledger
                self._chunk_s, self._item_s = seconds, seconds / count
        return self.hand_out()

    def to_take_back(self, worker: int) -> tuple[int, int] | None:
        """Return the stretch of positions that could be taken from a worker for the sake of idle ones.

        From behind the first item that it holds to the last that it was sent; None when there is nothing.
        """
        desk = self._desks[worker]
        if not desk.held:
            return None
        first = desk.held[0]
        begin = first.stop if first.whole else first.position + 1
        return (begin, desk.sent) if begin < desk.held[-1].stop else None

    def behind(self, worker: int, position: int) -> int:
        """Return the first position that a worker has not begun when it is at `position`."""
        for held in self.held_by(worker):
            stop: int = held.stop
            if held.whole and held.position <= position < stop:
                return stop
        return position + 1

    def taken_back(self, worker: int, begin: int, end: int) -> list[Send]:
        """A worker will not begin what stands from position `begin` to before `end`: that waits again, in halves."""
        desk = self._desks.get(worker)
        if desk is None:  # it was told to end
            return []
        back: list[Chunk] = []
        kept: deque[Held] = deque()
        for held in desk.held:
            if held.stop <= begin or held.position >= end:
                kept.append(held)
                continue
            chunk, cut = held.chunk, held.chunk.start + max(0, begin - held.position)
            if held.position < begin:
                kept.append(Held(held.position, chunk.part(chunk.start, cut)))
            middle = (cut + chunk.stop + 1) // 2
            back += [chunk.part(cut, middle), chunk.part(middle, chunk.stop)]
            if desk.quota is not None:
                desk.quota += chunk.stop - cut
        desk.held = kept
        self._put_back(back)
        return self.hand_out()

    def lasts(self, seconds: float) -> None:
        """A chunk that is under way has lasted so long already: none is sent ahead to wait behind such."""
        self._chunk_s = max(self._chunk_s or 0.0, seconds)

    def left(self, worker: int) -> None:
        """A worker that holds nothing has been told to end."""
        del self._desks[worker]

    def died(self, worker: int, reached: Reached, *, was_ready: bool = True) -> Loss:
        """A worker has ended, and all that it had sent has been taken in.

        What it had not begun goes back to the queue. An item before which workers die again and again, while they
        receive it for all we can tell, is given up like one that they die of.
        """
        desk = self._desks.pop(worker, None)
        if desk is None or not desk.held:
            return Loss(recovered=0, skip=0, base=0, item=None)
        first = desk.held[0]
        chunk = first.chunk
        # Some of what its ledger holds may have been fetched while it lived.
        skip = max(0, first.position - reached.base)
        recovered = max(0, min(first.stop, reached.base + len(reached.records)) - first.position)
        rest = chunk.start + recovered
        item = None
        if reached.running is not None and first.position + recovered <= reached.running < first.stop:
            item = chunk.start + reached.running - first.position
        elif was_ready and not recovered:
            died_before = self._died_before.pop(chunk.start, 0) + 1
            if died_before >= _DEATHS_BEFORE_AN_ITEM:
                item = chunk.start
            else:
                self._died_before[chunk.start] = died_before
        back = [held.chunk for held in desk.held][1:]
        if item is not None:
            back[:0] = [chunk.part(rest, item), chunk.part(item + 1, chunk.stop)]
        else:
            back[:0] = [chunk.part(rest, chunk.stop)]
        self._put_back(back)
        return Loss(recovered=recovered, skip=skip, base=chunk.start, item=item)

    def refused(self, send: Send, index: int) -> list[Send]:
        """A chunk could not be sent: item `index` cannot travel, the others can.

        What is returned is to be sent after the rest of the instructions that `send` came with: a worker gets its
        chunks in the order in which they are noted here.
        """
        chunk = send.held.chunk
        desk = self._desks[send.worker]
        desk.held.remove(send.held)
        if desk.quota is not None:
            desk.quota += chunk.count
        self._put_back([chunk.part(chunk.start, index), chunk.part(index + 1, chunk.stop)])
        return self.hand_out()

    @property
    def _depth(self) -> int:
        if self._chunk_s is None or self._chunk_s >= ONE_AHEAD_BELOW_S or self._large:
            return self._least_depth
        return AHEAD if self._chunk_s < AHEAD_BELOW_S else max(ONE_AHEAD, self._least_depth)

    def _put_back(self, parts: list[Chunk]) -> None:
        """Queue parts of chunks again, where they stand in the order of the input."""
        self._queue = deque(
            sorted([*(part for part in parts if part.items), *self._queue], key=lambda chunk: chunk.start)
        )

    def hand_out(self) -> list[Send]:
        """Return what can be sent now: to the worker that holds least first."""
        sends: list[Send] = []
        if not self._queue:
            return sends
        depth = self._depth
        if depth == self._least_depth and len(self._desks) < self.limit:
            depth = 1  # behind a chunk that may be long it would wait, where another worker can be started for it
        for full in range(depth):
            for worker, desk in self._desks.items():
                if not self._queue:
                    return sends
                if len(desk.held) <= full and desk.quota != 0:
                    sends.append(self._give(worker, desk))
        return sends

    def _give(self, worker: int, desk: _Desk) -> Send:
        chunk = self._queue.popleft()
        if desk.quota is not None:
            if chunk.count > desk.quota:
                self._queue.appendleft(chunk.part(chunk.start + desk.quota, chunk.stop))
                chunk = chunk.part(chunk.start, chunk.start + desk.quota)
            desk.quota -= chunk.count
        if self._chunk_s is not None:  # chunks grow, and a few large ones must not wait where small ones would
            self._chunk_s = max(self._chunk_s, self._item_s * chunk.count)
        held = Held(desk.sent, chunk)
        desk.held.append(held)
        desk.sent += chunk.count
        return Send(worker, held)
