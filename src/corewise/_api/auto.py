"""An automatic run: what the items tell, chunk by chunk, becomes moves from one approach to another.

It begins in the caller. What is short stays there, measured all the time; when what remains would repay it, the run
moves to threads or processes. Threads that wait become more as long as that helps. Processes that prove slower than the
plain loop are left again.
"""

from __future__ import annotations

import sys
from _operator import sub
from time import perf_counter

from corewise._api.probe import Probe
from corewise._choose.undecided import ASSUMED, GAIN_S, look_from_s, may_gain, nothing_left, to_choose_s
from corewise._machine.cpus import cpu_count
from corewise._measure import leftover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from corewise._api.decision import Decision
    from corewise._api.early import Early
    from corewise._api.first_item import FirstItem
    from corewise._api.turns import Turns
    from corewise._approaches.base import Approach, Terms
    from corewise._choose.adapt import BackToPlain, Drift, Plainly
    from corewise._dispatch.adapting import Adapting
    from corewise._dispatch.run import Run
    from corewise._types.choice import Choice
    from corewise._types.measurement import Measurement
    from corewise._work.chunk import Done

    class Decide(Protocol):
        """Makes what chooses; `beside` says whether an item runs in the caller meanwhile."""

        def __call__(self, *, beside: bool) -> Decision: ...


_PATIENCE_S = 0.004  # guess: after so long without a word on the GIL, it is held: whoever looks waits for it
_SEEN_SHARE = 0.1  # guess: of the computing of a chunk, for its share of the GIL to stand for all of it
_HARDLY = 0.05  # guess: of a core, beside one that computes
_STAYS_S = 0.01  # a chunk in the caller where that was chosen: each costs 80 µs, 2 % of the usual 4 ms
_UNSURE_S = 0.016  # guess: for so long the next items are asked as well, where those so far leave open what is quicker
_COMPUTES = 0.5  # share of computing from which it matters who holds the GIL


class Auto:
    """The state of an automatic run, for whoever drives the run.

    Args:
        run: the run.
        workers: workers asked for; None for as many as suit the work.
        limit: most calls at once; None for any number.
        decide: makes what chooses. That is loaded when there is something to choose, as the first call of a program
            would wait for it.
        open_early: opens what was chosen beside a long item.

    Attributes:
        choice: what runs the items now; None until that was decided. Without words.
        adapting: adapts how many threads there are, if these run the items now and wait.
        decided_s: when it was, or when what remained was last predicted, by `perf_counter`.
        initialized: whether the initializer has been called in the caller.
        by_itself: as in `Terms`; as far as was seen while items ran in the caller.
        plain_item_s: seconds of an item in the plain loop, as was known when the choice was made.
    """

    def __init__(
        self,
        run: Run,
        workers: int | None,
        limit: int | None,
        decide: Decide,
        open_early: Callable[[Choice], Approach],
    ) -> None:
        self.choice: Choice | None = None
        self.adapting: Adapting | None = None
        self.decided_s = self.plain_item_s = 0.0
        self.initialized = self.by_itself = False
        self._run = run
        self._workers = workers
        self._limit = limit
        self._decide = decide
        self._decided: Decision | None = None
        self._open_early = open_early
        self._probe: Probe | None = None
        self._early: Early | None = None
        self._first_item: FirstItem | None = None
        self._plainly: Plainly | None = None
        self._drift: Drift | None = None
        self._predicted_s = 0.0  # of what remained at `decided_s`; 0 where it is no matter
        self._told: tuple[float, ...] = ()  # what `_plainly` knows of, see `Probe.figures`
        self._next: Choice | None = None
        self._before: tuple[float, float, float] = (0, 0.0, 0.0)  # items, seconds and CPU seconds, a chunk ago
        self._back: BackToPlain | None = None
        self._turns: Turns | None = None
        self._compute, self._cores = False, 0  # whether threads that were to wait were seen to compute; not known yet
        self._done: Done | None = None  # the outcome that is being looked at

    # -- for whoever drives the run ------------------------------------------------------------------------------------

    def plainly(self, terms: Terms) -> Probe:
        """Return what runs items in the caller from now on."""
        leftover.is_doubtful()  # from now on it is
        self._early = self._watch_for_a_long_item()
        self._probe = probe = Probe(terms, self._early)
        self._plainly = None
        self.initialized = True
        return probe

    def elsewhere(self, choice: Choice, approach: Approach) -> None:
        """Items are run by this approach from now on."""
        self._probe = self.adapting = self._back = self._turns = None
        if choice.approach == "processes":
            from corewise._choose.adapt import BackToPlain

            self._back = BackToPlain(self.plain_item_s)
        elif self._may_be_more(choice):
            from corewise._api.at_once import adapted_threads

            threads: Any = approach  # of all of them, these have a limit that can be set
            threads.limit, most = choice.workers, self.most_threads(choice)
            self.adapting = adapted_threads(choice.workers, most, self.plain_item_s, lambda: self._decision.costs)
        if choice.approach == "threads":
            from corewise._api.turns import Turns

            self._turns = Turns(approach, choice, waits=self.adapting is not None)
            if self._compute and (self._turns.likely or not self._turns.waits):
                self._waits_and_computes(self._turns)

    def most_threads(self, choice: Choice) -> int:
        """Return how many workers there may be: more than at first if they are threads that wait, unless asked for."""
        if not self._may_be_more(choice):
            return choice.workers
        from corewise._choose.climb import MOST_THREADS

        return MOST_THREADS if self._limit is None else min(MOST_THREADS, self._limit)

    def enough(self, done: Done | None) -> bool:
        """Learn from an outcome, or from the clocks alone; return whether the run is to move, see `move`."""
        if self._next is not None:
            return True
        if done is None:
            return self._turns is not None and self._turns.waits and self._after_threads(self._turns, None)
        if self._probe is not None:
            self._done = done
            try:
                return self._after_plain(self._probe)
            finally:
                self._done = None  # results must not stay while the caller makes use of them
        if self._back is not None:
            return self._after_processes(self._back, done)
        return self._turns is not None and self._after_threads(self._turns, done)

    @property
    def look_s(self) -> float | None:
        """In how many seconds to ask `enough` at the latest, outcomes or not; None for as long as there are none."""
        return None if self._turns is None else self._turns.look_s

    def _after_threads(self, turns: Turns, done: Done | None) -> bool:
        items = 0 if done is None else max(1, len(done.values))
        if done is not None and not turns.waits:
            self._predict_anew(items, done.wall_s)
        if not turns.observe(items):
            return False
        if turns.waits or done is None:
            return self._waits_and_computes(turns)
        # They took turns: an item took its thread as many times as long as it computed.
        return self._try_without("threads", done.wall_s / items / turns.at_once, held=1.0)

    def _waits_and_computes(self, turns: Turns) -> bool:
        """Threads that overlap waits take turns at computing: move if processes do better. Others would wait longer."""
        self._turns = None
        measured, remaining = None if self.choice is None else self.choice.measurement, self._run.remaining
        if measured is None or remaining == 0:
            return False
        turns.hold()
        choice = self._decision.choose(measured.replace(held_s=measured.cpu_s, remaining=remaining))
        if choice.approach != "processes":
            turns.go_on()
            return False
        self._decision.never_again("threads")
        self._next = self._adopt(choice)
        return True

    def move(self) -> Choice | None:
        """Return what to move to, now that nothing is under way; None to stay."""
        choice, self._next = self._next, None
        self.alone()
        return choice

    def taken_over(self) -> tuple[Choice, Approach] | None:
        """Return what was opened beside a long item, and is the caller's now."""
        early = self._early
        approach = None if early is None else early.taken_over()
        if early is None or approach is None or early.choice is None:
            return None
        self._early, choice = None, early.choice
        if self._first_item is not None:
            waits = self._may_be_more(choice)
            least = approach.workers_started if waits else choice.workers
            others = max(0, self._run.source.taken - self._run.outstanding.items - 1)
            choice = self._first_item.ended(choice, least, self.most_threads(choice), others)
            self._compute = waits and (early.looks_busy() or not self._may_be_more(choice))
        self._adopt(choice, early.decided_s)
        return choice, approach

    def outcome(self) -> dict[str, float]:
        """Return what was predicted and what came of it, as fields of `Stats`."""
        if self.choice is None or not self.choice.estimates or not self._predicted_s:
            return {}
        return {"predicted_s": self._predicted_s, "chosen_s": perf_counter() - self.decided_s}

    def alone(self, *, wait: bool = True) -> None:
        """End what was started beside the run; `wait` says whether to wait for items that cannot be stopped."""
        if self._early is not None:
            self._early.cancel(wait=wait)
            self._early = None

    def learn(self, workers: int, startup_s: float) -> None:
        """Worker processes were started, in so many seconds."""
        if self.choice is not None and self.choice.approach == "processes":
            early = None if self._first_item is None else self._first_item.decision
            (self._decision if early is None else early).learn(workers, startup_s)

    def close(self) -> None:
        """The run is over. Where that was before there was a choice, there was no need for one."""
        self.alone()
        if self.choice is None and self._probe is not None and not self._run.unfinished:
            self._adopt(nothing_left(self._probe.gauge.measurement(0)))
        # These lead back to whoever holds this, and results would stay until the garbage collector finds them.
        self._probe = self._plainly = self.adapting = self._back = self._turns = None
        del self._run, self._open_early

    def _may_be_more(self, choice: Choice) -> bool:
        """Return whether it is threads that wait, whose number is not fixed."""
        measured = choice.measurement
        waits = measured is not None and measured.cpu_share < _COMPUTES
        return waits and choice.approach == "threads" and self._workers is None

    @property
    def _decision(self) -> Decision:
        self._decided = self._decided or self._decide(beside=False)
        return self._decided

    def _watch_for_a_long_item(self) -> Early | None:
        """Return what starts workers beside the first item if that runs long; None where there is nothing for them."""
        source = self._run.source
        if source.sequences is None or not source.remaining or source.remaining == 1:
            return None
        from corewise._api.early import Early

        open_early = self._open_early  # an item may still be opened when all else is over

        def opened(choice: Choice) -> Approach:
            return open_early(choice.replace(workers=self.most_threads(choice)))

        counted = self._limit is not None
        return Early(self._run, self._decide_early, lambda: self._probe, opened, counted=counted)

    def _decide_early(self) -> Choice | None:
        if self._first_item is None:
            from corewise._api.first_item import FirstItem

            self._first_item = FirstItem(self._run.source, lambda: self._probe, lambda: self._decide(beside=True))
        return self._first_item.choose()

    # -- decisions -----------------------------------------------------------------------------------------------------

    def _adopt(self, choice: Choice, decided_s: float | None = None) -> Choice:
        self.choice = choice
        self.decided_s = perf_counter() if decided_s is None else decided_s
        measured = choice.measurement
        self.plain_item_s = 0.0 if measured is None else measured.item_s
        self._drift = None
        if choice.estimates:
            self._predicted_s = choice.estimates[0].seconds
            if measured is not None and choice.per_worker == 1 and not self._may_be_more(choice):  # else items overlap
                from corewise._choose.adapt import Drift, item_s_there

                self._drift = Drift(item_s_there(choice), measured.remaining)
        return choice

    def _predict_anew(self, items: int, seconds: float) -> None:
        """Look whether items have become others; then what remains takes other than was predicted."""
        choice, remaining = self.choice, self._run.remaining
        times = None if self._drift is None else self._drift.observe(items, seconds, remaining)
        if times is None or choice is None or choice.measurement is None:
            return
        from corewise._choose import put_right

        # What is under way remains too, but for these items; and workers are half-way through as many each.
        under_way = max(0, self._run.outstanding.items - items - choice.workers * items // 2)
        measured = put_right.times(choice.measurement, times)
        measured = measured.replace(remaining=None if remaining is None else remaining + under_way)
        first, *_ = put_right.re_estimated(choice, measured, self._decision.costs).estimates
        seconds = first.seconds - first.start_s  # where it is over so soon, there is nothing to foretell
        self._predicted_s, self.decided_s = seconds if seconds > GAIN_S else 0.0, perf_counter()

    def _after_plain(self, probe: Probe) -> bool:
        remaining, plainly = self._run.remaining, self._plainly
        if remaining == 0:
            return False
        choice = self._first(probe, remaining) if plainly is None else self._again(plainly, probe, remaining)
        if choice is None:
            return False
        early = self._early
        if early is not None and early.is_opening:
            if choice.approach == "sync":
                early.cancel()
            return False  # what is being opened will take over
        self._adopt(choice)
        self._next = None if choice.approach == "sync" else choice
        self._run.sizes.target_s = _STAYS_S  # unless it moves, and begins with others
        return self._next is not None

    def _first(self, probe: Probe, remaining: int | None) -> Choice | None:
        """Decide for the first time, as soon as enough is known and it matters."""
        sums = items, wall_s, cpu_s = probe.told
        cores = self._cores = self._cores or cpu_count()
        if wall_s < look_from_s(probe.gauge.items, remaining, cores):
            return None
        holds = probe.holds
        assumed = ASSUMED - items if holds else 0  # else a move gains less, and may lose as much as there is
        left = max(items, assumed, 2 * cores) if remaining is None else remaining
        # Whatever is done, waits can all overlap at best, and computing be shared by all cores. And what remains may be
        # like the last chunk, not like what came before that.
        last, self._before = tuple(map(sub, sums, self._before)), sums
        least_s = GAIN_S + to_choose_s(sys.modules, holds=holds is not False)
        worth = max(left * (wall - cpu / cores) - number * least_s for number, wall, cpu in (sums, last)) > 0
        if not worth or not may_gain(wall_s, cpu_s, self._run.source.read_s, cores, known=remaining is not None):
            return None
        figures, measured = probe.figures(), probe.measured(remaining)
        if measured.held_s is None and wall_s < _PATIENCE_S and measured.cpu_share >= _COMPUTES:
            return None
        # How processes would be started depends on what threads there are.
        probe.gauge.rest()
        if self._early is not None and not self._early.is_opening:
            self._early.cancel()
        if (choice := self._choose(measured)).code == "unsure" and wall_s < _UNSURE_S:
            return None
        from corewise._choose.adapt import Plainly

        self._plainly = Plainly(choice.measurement or measured, self._decision.costs, self._choose)
        self._told = figures
        return choice

    def _again(self, plainly: Plainly, probe: Probe, remaining: int | None) -> Choice | None:
        """Decide anew, where a chunk tells something new."""
        now = probe.figures()
        items, wall_s, cpu_s, queued_s, native_s, seen_s, held_s = map(sub, now, self._told)
        self._told = now
        held = max(0.0, held_s / seen_s) * cpu_s if seen_s > _SEEN_SHARE * cpu_s else None
        native = 0.0 if leftover.is_doubtful() else max(0.0, native_s)
        self._predict_anew(int(items), wall_s)
        return plainly.observe(
            int(items), wall_s, cpu_s, remaining, queued_s=max(0.0, queued_s), held_s=held, native_cpu_s=native
        )

    def _choose(self, measured: Measurement) -> Choice:
        self.by_itself = measured.native_cores < _HARDLY
        measured = measured.replace(read_s=self._run.source.read_item_s)
        if leftover.is_doubtful():
            measured = measured.replace(native_cpu_s=0.0)
        done = self._done
        if done is None or done.failed:
            return self._decision.choose(measured)
        # The computing of one item that mostly waits may be nothing but the loading of modules.
        nearby = measured.items == 1 and measured.cpu_share < _COMPUTES
        return self._decision.choose(measured, lambda: (self._run.under_way(done).items, done.values), nearby=nearby)

    def _after_processes(self, back: BackToPlain, done: Done) -> bool:
        if done.wall_s:
            self._predict_anew(len(done.values), done.wall_s)
        passed = min((chunk.start for chunk in self._run.outstanding if chunk.start < done.start), default=None)
        slow = back.observe(perf_counter(), len(done.values), done.wall_s, self._run.remaining, passed=passed)
        return slow and self._try_without("processes", done.wall_s / len(done.values))

    def _try_without(self, approach: str, item_s: float, *, held: float | None = None) -> bool:
        """Choose anew among the others, as this one does not do what it was chosen for. Return whether to move.

        Args:
            approach: the one in use.
            item_s: what an item has taken lately, as far as it would take that in the plain loop too.
            held: share of the computing that holds the GIL, if that is what has been learnt.
        """
        measured, remaining = None if self.choice is None else self.choice.measurement, self._run.remaining
        if measured is None or remaining == 0:  # what is under way is the last, and nothing is left to be chosen
            return False
        from corewise._choose.put_right import times

        measured = times(measured, item_s / measured.item_s if measured.item_s > 0 else 1.0)
        if held is not None:
            measured = measured.replace(held_s=held * measured.cpu_s)
        self._decision.never_again(approach)
        self._next = self._adopt(self._decision.choose(measured.replace(remaining=remaining)))
        return True
