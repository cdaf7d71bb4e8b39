"""How many threads for work that waits: hill climbing on what the calls themselves tell. Pure: no clock, no thread.

What a number of threads achieves follows from how long the calls take: with k of them at once, each of which takes R
seconds, k / R are finished in a second (Little's law). So nothing but the seconds of calls is looked at. They say it
sooner and steadier than counting calls over time, since calls that began together end together.
"""

from __future__ import annotations

MOST_THREADS = 512  # documented cap, unless the user asks for more
_FEWEST = 32  # calls that a judgement rests on; for large steps also at least one of each thread
_FEWEST_FINE = 128  # for small steps, whose gain is within the noise of fewer
_RUSH, _HASTE, _STEP, _FINE = 8.0, 4.0, 2.0, 1.25
_UNHINDERED = 0.9  # of the speed of a call that is alone: as long as calls keep that, more of them get in nobody's way
_OVERLOADED = 0.6  # of it: from here on calls are waiting for each other
_WORTH = 0.5  # of the threads added have to show in the throughput, or a large step was too large
_BETTER = 1.03
_AS_GOOD = 0.97
_LEAST_LEFT, _MOST_LEFT = 0.25, 0.6  # what the brake leaves
# Where nobody knows what a call takes alone: if the quickest of the first ones took less than this part of what they
# took on average, they were waiting in line. Calls whose length varies by half keep above it; with others it is tried
# once whether fewer of them are quicker.
_IN_LINE = 0.4
_UNRELIEVED = 0.8  # of the seconds of a call before the brake: if it still takes that, the load was not the reason
_DRIFT = 1.5  # calls that take so much longer than when the number was settled: something has changed
_FORGET = 1.02  # by which the shortest known time of a call grows with each judgement, as a server may change for good
_REST = 4  # judgements that a settled number rests for, before it is questioned; doubled each time that it was right
_LONGEST_REST = 64


class ThreadClimb:
    """Adapts how many calls may be under way at once, from what they took.

    It grows fast while calls take as long as one alone, slows down when they take longer, steps back when more of them
    achieve no more, and prefers the smaller of two numbers that achieve the same.

    Args:
        start: threads to begin with.
        alone_s: seconds that a call takes while no other is under way; 0 if unknown.
        most: more than these are never allowed.

    Attributes:
        limit: how many calls may be under way now.

    Example:
        >>> climb = ThreadClimb(4, alone_s=0.02)
        >>> climb.observe(items=4, seconds=4 * 0.02)  # as fast as one alone: many more
        32
    """

    def __init__(self, start: int, *, alone_s: float, most: int = MOST_THREADS) -> None:
        self._most = max(1, most)
        self.limit = max(1, min(start, self._most))
        self._shortest_s = alone_s
        self._sure = alone_s > 0
        self._is_known = self._sure  # what a call takes alone, at least about
        # Where it comes from: the limit before, and what that achieved in a second.
        self._from = 1
        self._from_rate = 1.0 / alone_s if alone_s > 0 else 0.0
        self._from_call_s = alone_s
        self._fine = False
        self._holds = 0  # judgements for which the limit is still to rest
        self._rest = _REST
        self._settled_s = 0.0
        self._items = 0
        self._seconds = 0.0
        self._briefest_s = float("inf")  # of these
        self._down_next = False

    def observe(self, items: int, seconds: float) -> int:
        """Learn from calls that have ended, and that began since the limit was last changed: others tell of that one.

        Args:
            items: their number.
            seconds: what they took, all together.

        Returns:
            The limit from now on.
        """
        if items <= 0:
            return self.limit
        self._items += items
        self._seconds += seconds
        self._briefest_s = min(self._briefest_s, max(1e-9, seconds / items))
        if self._items < _FEWEST and self._items < self.limit:
            return self.limit
        call_s = max(1e-9, self._seconds / self._items)
        if self._items >= self._needed(call_s):
            whole, briefest_s = self._items >= self.limit, self._briefest_s
            self._start_anew()
            self._judge(call_s, briefest_s, whole=whole)
        return self.limit

    def bound(self, most: int) -> int:
        """Allow no more than so many from now on; return the limit.

        One that has stood at the bound before follows it up, and one above it is judged as after a brake.
        """
        at_the_bound = self.limit >= self._most
        self._most = max(1, most)
        if self.limit > self._most:
            self._change(self._most, 0.0, float("inf"))
            self._start_anew()
            self._holds = 0
            self._fine = False
        elif at_the_bound:
            self.limit = self._most
        return self.limit

    def _start_anew(self) -> None:
        self._items, self._seconds, self._briefest_s = 0, 0.0, float("inf")

    def _needed(self, call_s: float) -> int:
        """Return how many calls have to have ended before they are judged."""
        if self._fine or self._holds:
            return max(_FEWEST_FINE, 2 * self.limit)
        ease = self._shortest_s / call_s
        if self._is_known and self.limit > self._from:
            # Those that end first are the fastest. Where even they were held up, the brake need not wait for the
            # others; and where a third of them were not held up a bit, the next step need not. Unless the call that was
            # alone was an odd one, which may have connected or loaded something: then nobody knows what holds them up.
            if ease < _OVERLOADED:
                return min(_FEWEST, self.limit)
            if ease >= _UNHINDERED and self._briefest_s >= _OVERLOADED * self._shortest_s:
                return min(max(_FEWEST, self.limit // 3), self.limit)
        return max(_FEWEST, self.limit)

    def _judge(self, call_s: float, briefest_s: float, *, whole: bool) -> None:
        rate = self.limit / call_s
        if not self._is_known:
            self._begin(call_s, rate, briefest_s)
            return
        shorter = call_s < _UNHINDERED * self._shortest_s
        if whole:  # of others, those that end first are the fastest, by chance or not
            self._shortest_s = min(self._shortest_s * _FORGET, call_s)
        ease = self._shortest_s / call_s
        if self._holds:
            self._stay(call_s, rate, ease)
        elif self.limit > self._from:
            self._has_grown(call_s, rate, ease, whole=whole)
        else:
            # Where fewer of them take no less than any before, those were in nobody's way.
            self._sure = self._sure or not shorter
            self._has_shrunk(call_s, rate, ease)

    def _begin(self, call_s: float, rate: float, quickest_s: float) -> None:
        """Judge the first calls, of which nobody knows what one of them takes alone."""
        self._is_known = True
        if quickest_s < _IN_LINE * call_s:
            self._shortest_s = quickest_s
            self._brake(call_s, quickest_s / call_s)
        else:
            self._shortest_s = call_s
            self._move(self.limit * _STEP, rate, call_s)

    def _has_grown(self, call_s: float, rate: float, ease: float, *, whole: bool) -> None:
        growth = self.limit / self._from
        if ease < _OVERLOADED and not self._fine:
            self._brake(float("inf"), ease)
        elif rate >= self._from_rate * (1 + _WORTH * (growth - 1)):
            # The first of many to end were begun beside few others: they say less of what a flood would do.
            rush = _STEP if ease < _UNHINDERED else _RUSH if whole else _HASTE
            self._move(self.limit * (_FINE if self._fine else rush), rate, call_s)
        elif rate >= _BETTER * self._from_rate and not self._fine:
            self._fine = True
            self._move(self.limit * _FINE, rate, call_s)
        elif rate >= _BETTER * self._from_rate:
            self._settle(call_s, right=False)
        else:
            fewer = rate < _AS_GOOD * self._from_rate and self._sure
            self._go_back(call_s)
            if fewer:
                # More of them achieve less: those before were in each other's way, too, as quick as they may have been.
                self._sure, self._holds = False, 1

    def _has_shrunk(self, call_s: float, rate: float, ease: float) -> None:
        if not self._fine:
            self._has_braked(call_s, rate, ease)
        elif rate < _AS_GOOD * self._from_rate:
            self._go_back(call_s)
        elif ease < _UNHINDERED or rate >= _BETTER * self._from_rate:
            much = rate >= self._from_rate * (1 + _WORTH * (self._from / self.limit - 1))
            self._move(self.limit / (_STEP if much else _FINE), rate, call_s)
        else:
            self._settle(call_s, right=False)

    def _has_braked(self, call_s: float, rate: float, ease: float) -> None:
        if call_s > _UNRELIEVED * self._from_call_s:
            # Fewer of them, and yet they take as long: it is not the load. The first call was a quick one.
            self._shortest_s = call_s
            self._change(self._from, rate, call_s)
        elif ease < _OVERLOADED:
            self._brake(call_s, ease)
        else:
            self._fine = True
            # Where nobody has seen a call alone, it is not known how well they get on now: perhaps fewer do still more.
            self._move(self.limit * _FINE if self._sure else self.limit / _FINE, rate, call_s)

    def _stay(self, call_s: float, rate: float, ease: float) -> None:
        self._holds -= 1
        drifted = call_s > _DRIFT * self._settled_s
        if drifted:
            self._rest = _REST
        elif self._holds:
            self._settled_s += 0.25 * (call_s - self._settled_s)
            return
        self._fine = True
        self._down_next = drifted or (not self._down_next and (ease < _UNHINDERED or not self._sure))
        self._move(self.limit / _FINE if self._down_next else self.limit * _FINE, rate, call_s)

    def _brake(self, call_s: float, ease: float) -> None:
        """Calls wait for each other: if a server serves so many at once and lets the others wait, it is these."""
        self._change(self.limit * max(_LEAST_LEFT, min(_MOST_LEFT, 1.1 * ease)), self.limit / call_s, call_s)

    def _move(self, to: float, rate: float, call_s: float) -> None:
        """Try another number, at least one away; rest where there is none."""
        before = self.limit
        self._change(max(to, before + 1) if to > before else min(to, before - 1), rate, call_s)
        if self.limit == before:
            self._settle(call_s, right=True)

    def _go_back(self, call_s: float) -> None:
        """The number before was as good or better: rest there."""
        seconds = self._from / self._from_rate if self._from_rate > 0 else call_s
        self._change(self._from, self._from_rate, seconds)
        self._settle(seconds, right=True)

    def _change(self, to: float, rate: float, call_s: float) -> None:
        self._from, self._from_rate, self._from_call_s = self.limit, rate, call_s
        self.limit = max(1, min(self._most, round(to)))

    def _settle(self, call_s: float, *, right: bool) -> None:
        self._rest = min(_LONGEST_REST, 2 * self._rest) if right else _REST
        self._holds, self._settled_s = self._rest, call_s
        self._fine = True
