"""Looks every millisecond or so, from a thread beside the program, whether the GIL is held. It runs while items run."""

from __future__ import annotations

import sys
from sys import getswitchinterval
from time import perf_counter

from corewise._measure import aside
from corewise._measure.clocks import thread_cpu_s
from corewise._measure.turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._measure.aside import Aside
    from corewise._measure.held import HeldTime

TICK_S = 0.001  # benchmarks/probe.py: half of it costs work that often lets go of the GIL twice as much, 5 to 10 %
_TURN_S = 0.000197  # benchmarks/probe.py: to be made to give way on a free machine costs an item some 0.05 ms
_AFTER_WAIT_S = 0.002  # guess: both that ask for the GIL at a time cost each other a little
_AFTER_FORCE_S = 0.005  # benchmarks/probe.py: to be made to give way costs the holder some 0.3 ms, until both are awake
_PART_OF_ALL = 0.15  # a tick is at least this part of what was watched: what lasts long need not be watched so closely
_LONGEST_TICK_S = 0.02  # guess: nobody notices a decision that comes so much later
_AFTER_IDLE_S = 0.005  # guess: nobody is held up by a look that finds nothing computed, and nothing is learnt by it
_PROMPT_S = 0.0003  # guess: who has the GIL that soon after a sleep did not wait for it
_TO_THE_END = 0.8  # of the switch interval: who waited that long got the GIL because its holder was made to give way
_COMPUTES_ALL = 0.75  # guess: with a smaller share of computing, a look may well find that nothing is computed
_IN_A_CALL_S = 2e-5  # guess: to begin a wait takes a few microseconds; who holds the GIL meanwhile holds up nobody long
_GOLDEN = (5**0.5 - 1) / 2
_RUNS = 0.5  # share of a moment for which the watched thread has to have computed to be running (guess)
OFTEN_FROM_S = 0.01  # guess: a chunk that has run for so long may run for long
WAITS = 0.5  # share of computing below which the watched thread does not miss the GIL, so that it may be had any time
WORTH_A_LOOK_S = 0.001  # below this nothing is worth moving to workers, whatever its nature
# guess: between two chunks there are fewer; while somebody makes use of results there may be any number
_IDLE_TICKS = 10

_loaded = False
_usage: Callable[[], Any] | None = None


class Ticker:
    """The looks; each `start` that finds no thread takes one.

    Args:
        clock: gives the seconds for which items have run, the CPU seconds that they took, and for how many seconds the
            chunk under way has run; None where none is.
        held: is told what is met; None where there is no GIL.
        often: called after each tick once a chunk has run for `OFTEN_FROM_S`, or from the first one where items wait,
            in the thread, with the first two of `clock`; to return whether it has let go of the GIL.

    Attributes:
        cpu_s: CPU seconds that it has cost.
        looks: how many there were.
    """

    cpu_s = 0.0
    looks = 0

    def __init__(
        self,
        clock: Callable[[], tuple[float, float, float | None]],
        held: HeldTime | None,
        often: Callable[[float, float], bool],
    ) -> None:
        self._clock = clock
        self._held = held
        self._often = often
        self._thread: Aside | None = None
        self._turns: Turns | None = None  # of that thread
        self._from = (0.0, 0.0)

    def start(self) -> None:
        """Have a thread look, unless one does. Where no more threads are to be had, nothing is watched."""
        thread = self._thread
        if thread is None or thread.over:
            now, cpu, _ = self._clock()
            self._from = now, cpu
            self._turns = turns = Turns(_TURN_S)
            if not now and sys.platform == "linux":
                turns.begin()  # here already, as a thread that is started has to come by the GIL first
            try:
                self._thread = aside.begin(lambda thread: self._tick(thread, turns))
            except RuntimeError:
                turns.end()
                self._thread = None

    def rest(self) -> None:
        """A chunk has ended: nobody is to make way for a look any sooner than usual."""
        if self._turns is not None:
            self._turns.pause()

    def stop(self, *, now: bool = True) -> None:
        """Have it end; nobody waits for that.

        Args:
            now: whether to wake the thread for it. It takes longer than to leave it to itself.
        """
        thread, self._thread = self._thread, None
        if self._turns is not None:
            self._turns.end()
        if thread is not None:
            thread.dismiss() if now else thread.leave()

    def _tick(self, thread: Aside, turns: Turns) -> None:
        try:
            self._look(thread, turns)
        finally:
            turns.end()

    def _look(self, thread: Aside, turns: Turns) -> None:
        # While this runs, whoever held the GIL stands still: so it is kept short.
        (before, cpu_before), idle, clock, held = self._from, 0, self._clock, self._held
        # Whether it has asked for the GIL from `before` on; how often it had left its core by then.
        asked, blocked = thread.jobs == 1, 0 if thread.jobs == 1 else times_blocked()
        pause_s, own_s, woke, forced, turn_s = 0.0, thread_cpu_s(), 0.0, 0, getswitchinterval()
        while True:
            # Until the pause nothing here lets go of the GIL, as whatever reads a file would: to get it back could take
            # as long as what is measured.
            now, cpu, chunk_s = clock()
            slept, woke = woke, perf_counter()
            if now >= WORTH_A_LOOK_S and can_tell_waits() and _usage is not None:
                now, cpu, chunk_s = clock()  # of this look nobody could tell
                asked = False
            turn_s = min(turn_s, getswitchinterval())  # an item may have changed it
            blocked_before, blocked = blocked, times_blocked()
            waited = made_way = idles = False
            if now >= WORTH_A_LOOK_S:
                if held is not None and asked:
                    times = -1 if min(blocked, blocked_before) < 0 else blocked - blocked_before
                    idles = cpu < _COMPUTES_ALL * now and _idles(clock, now, cpu)
                    late_s, gap_s = now - before - pause_s, woke - slept - (now - before)
                    if not pause_s or not _fell_between(woke - slept - pause_s, late_s, gap_s, chunk_s, turn_s):
                        waited, made_way = _met(held, late_s, cpu - cpu_before, pause_s, times, turn_s, idles=idles)
                soon = (chunk_s or 0.0) < OFTEN_FROM_S and cpu >= WAITS * now
                asked = soon or not self._often(now, cpu)
            else:
                asked = True
            self.looks += 1
            idle = 0 if chunk_s is not None else idle + 1
            if idle == _IDLE_TICKS:
                return
            # Who is made to give way again and again holds it all the time, and need not be asked so often.
            forced = forced + 1 if waited and made_way else 0
            pause_s = forced * _AFTER_FORCE_S or (_AFTER_WAIT_S if waited else TICK_S)
            longest_s = _AFTER_IDLE_S if idles and not waited else _LONGEST_TICK_S
            pause_s = _uneven(min(longest_s, max(pause_s, now * _PART_OF_ALL)), self.looks)
            before, cpu_before = now, cpu
            own_before, own_s = own_s, thread_cpu_s()
            self.cpu_s += own_s - own_before
            # Only a first item, or what runs long, is to make way any sooner: of others there is more to be seen.
            if sys.platform != "linux" or chunk_s is None or OFTEN_FROM_S > chunk_s < now:
                turns.pause()
            else:
                turns.begin()
            turn_s = getswitchinterval()
            blocked = times_blocked()  # once more, as the watched thread may have made this one give way meanwhile
            if thread.pause(pause_s):
                return


def _idles(clock: Callable[[], tuple[float, float, float | None]], now: float, cpu_s: float) -> bool:
    """Return whether the watched thread computes nothing, or does not go on with it without the GIL.

    One that is about to wait runs for a moment without it too: in the system call that it will wait in.
    """
    later, cpu_later_s, _ = clock()
    if cpu_later_s - cpu_s < _RUNS * (later - now):
        return True
    _spin(_IN_A_CALL_S)
    now, cpu_s, _ = clock()
    _spin(_IN_A_CALL_S)
    later, cpu_later_s, _ = clock()
    return cpu_later_s - cpu_s < _RUNS * (later - now)


def _fell_between(due_s: float, late_s: float, gap_s: float, chunk_s: float | None, turn_s: float) -> bool:
    """Return whether a look met what lies between two chunks, and nothing of the items.

    Args:
        due_s: for how many seconds the ticker was to be awake; it asks for the GIL a moment after that.
        late_s: for how many of them items have run.
        gap_s: seconds since the look before for which no chunk was under way.
        chunk_s: for how many seconds the chunk under way has run; None where none is.
        turn_s: the switch interval.
    """
    began_s = chunk_s or 0.0
    return began_s <= due_s <= began_s + gap_s + _PROMPT_S and late_s <= _TO_THE_END * turn_s


def _spin(seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


def _uneven(pause_s: float, look: int) -> float:
    """Return a pause up to a quarter longer or shorter: items in time with it would be met at one and the same place.

    The fractional parts of the squares' multiples of an irrational number fall evenly between 0 and 1 (H. Weyl, "Über
    die Gleichverteilung von Zahlen mod. Eins", 1916), and unlike those of its multiples they do not make up for each
    other: a long pause behind each short one would keep time again.
    """
    return pause_s * (0.75 + 0.5 * (look * look * _GOLDEN % 1.0))


def _met(
    held: HeldTime, late_s: float, cpu_s: float, pause_s: float, blocked: int, turn_s: float, *, idles: bool
) -> tuple[bool, bool]:
    """Tell what a look has met.

    Args:
        held: is told.
        late_s: seconds since the ticker was to wake up.
        cpu_s: CPU seconds of the watched thread since the last look.
        pause_s: seconds for which the ticker slept; 0 where it was just started.
        blocked: how often the ticker left its core by itself since then; below 0 where nobody tells.
        turn_s: the switch interval.
        idles: whether the watched thread computed nothing just then.

    Returns:
        Whether it waited for the GIL, and whether until the holder was made to give way.
    """
    made_way, known = late_s > _TO_THE_END * turn_s, True
    if blocked < 0:
        waited = late_s > turn_s / 2
        # Who had it soon did not wait for it; else it may have been for a core. Unless it is soon to be told exactly.
        known = waited or (_loaded and late_s < _PROMPT_S)
    else:
        waited = blocked > (pause_s > 0)
    if known and pause_s:
        # For so long, at most, the watched thread ran while this one waited.
        beside_s = max(0.0, cpu_s - pause_s) if waited else None
        held.slept(cpu_s, beside_s, made_way=made_way, idles=idles and not waited)
    elif known and (made_way or not waited):
        held.started = waited
    return waited, made_way


def can_tell_waits() -> bool:
    """Load what tells a thread how often it had to wait, which takes 0.2 ms. Before that its delay has to do.

    Returns:
        Whether it was not loaded before.
    """
    global _loaded, _usage  # noqa: PLW0603 - loaded once
    if _loaded:
        return False
    _loaded = True
    if sys.platform == "linux":
        try:
            from resource import RUSAGE_THREAD, getrusage
        except ImportError:
            return True
        _usage = lambda: getrusage(RUSAGE_THREAD)  # noqa: E731 - a name would not say more
    return True


def times_blocked() -> int:
    """Return how often the calling thread left its core by itself, as it had to wait; -1 where nobody tells.

    A thread that stands in line for a core, or is made to leave one, does not count as waiting.
    """
    return times_switched()[0]


def times_switched() -> tuple[int, int]:
    """Return as `times_blocked`, and how often it left its core to another thread; -1 for both where nobody tells."""
    if _usage is None:
        return -1, -1
    usage = _usage()
    return int(usage.ru_nvcsw), int(usage.ru_nivcsw)


def has_gil() -> bool:
    """Return whether this interpreter runs with a global interpreter lock."""
    asked = getattr(sys, "_is_gil_enabled", None)  # Python 3.13 and later
    return asked is None or bool(asked())
