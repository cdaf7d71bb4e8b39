"""A thread that looks every millisecond or so whether the GIL is held.

It must never be in anybody's way. It runs only while items run and ends by itself when they do not; it takes no
signals; it is no `threading.Thread`, so nobody meets it in `threading.enumerate`; and it is ended before any fork of
this process, by whomever: a child may find a lock held for ever that another thread held, and Python 3.12 warns of it.
"""

from __future__ import annotations

import _thread
import sys
from time import sleep

from corewise._measure.clocks import thread_cpu_s
from corewise._transport import forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._measure.held import HeldTime

if sys.platform != "win32":
    if TYPE_CHECKING:
        from signal import SIG_BLOCK, valid_signals
        from signal import pthread_sigmask as set_mask
    else:  # as in `corewise._engine.start`
        from _signal import SIG_BLOCK, valid_signals
        from _signal import pthread_sigmask as set_mask
getrusage: Callable[[int], Any] | None = None
if sys.platform == "linux":
    try:
        from resource import RUSAGE_THREAD, getrusage  # here, as to import it later would let go of the GIL many times
    except ImportError:
        pass
_sentinel: Any = getattr(_thread, "_set_sentinel", None)  # a lock that is let go when the thread is forgotten

TICK_S = 0.001  # benchmarks/probe.py: half of it costs work that often lets go of the GIL twice as much, 5 to 10 %
_AFTER_WAIT_S = 0.005  # to be made to give way costs the holder some 0.1 ms, until both cores are awake again
_PART_OF_ALL = 10  # a tick is at least this part of what was watched: what lasts long need not be watched so closely
_LONGEST_TICK_S = 0.02  # guess: nobody notices a decision that comes so much later
_TO_THE_END = 0.8  # of the switch interval: who waited that long got the GIL because its holder was made to give way
WORTH_A_LOOK_S = 0.001  # below this nothing is worth moving to workers, whatever its nature
_IDLE_TICKS = (
    10  # guess: between two chunks there are fewer; while somebody makes use of results there may be any number
)


class Ticker:
    """The thread; each `start` that finds none starts one.

    Args:
        clock: gives the seconds for which items have run, the CPU seconds that they took, and whether one runs now.
        held: is told what is met; None where there is no GIL.
        often: called after each tick, in the thread.

    Attributes:
        cpu_s: CPU seconds that it has cost.
    """

    cpu_s = 0.0

    def __init__(
        self,
        clock: Callable[[], tuple[float, float, bool]],
        held: HeldTime | None,
        often: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._held = held
        self._often = often
        self._thread: _Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs. Where no more threads are to be had, nothing is watched."""
        if self._thread is not None:
            if not self._thread.over:
                return
            self.stop()
        before, cpu_before, _ = self._clock()
        forks.around_forks(self._before_fork, self._in_child)
        try:
            self._thread = _Thread(lambda thread: self._tick(thread, before, cpu_before))
        except RuntimeError:
            forks.no_longer(self._before_fork, self._in_child)

    def stop(self) -> None:
        """End the thread if it runs, and wait until it has ended."""
        thread, self._thread = self._thread, None
        if thread is not None:
            forks.no_longer(self._before_fork, self._in_child)
            thread.end()

    def _before_fork(self) -> None:
        if self._thread is not None and self._thread.ident != _thread.get_ident():
            self.stop()

    def _in_child(self) -> None:
        self._thread = None

    def _tick(self, thread: _Thread, before: float, cpu_before: float) -> None:
        if thread.told and before < WORTH_A_LOOK_S and self._clock()[0] < WORTH_A_LOOK_S:
            return
        if sys.platform != "win32":
            _without_signals()
        own_s, pause_s, idle = 0.0, 0.0, 0
        blocked, waited = 0, False  # how often it left the core by itself; whether it had to wait for the GIL
        while idle < _IDLE_TICKS:
            # Until the pause nothing here lets go of the GIL, as whatever reads a file would: to get it back could take
            # as long as what is measured.
            now, cpu, runs = self._clock()
            idle = 0 if runs else idle + 1
            if self._held is not None:
                late_s, switch_s = max(0.0, now - before - pause_s), sys.getswitchinterval()
                blocked_before, blocked = blocked, _times_blocked()
                waited = late_s > switch_s / 2 if blocked < 0 else blocked - blocked_before > (pause_s > 0)
                # For so long, at most, the watched thread ran while this one waited.
                beside_s = max(0.0, late_s - (now - before - (cpu - cpu_before)))
                self._held.slept(
                    cpu - cpu_before, beside_s if waited else None, made_way=late_s > _TO_THE_END * switch_s
                )
            self._often()
            pause_s = min(_LONGEST_TICK_S, max(_AFTER_WAIT_S if waited else TICK_S, now / _PART_OF_ALL))
            before, cpu_before = now, cpu
            own_before, own_s = own_s, thread_cpu_s()
            self.cpu_s += own_s - own_before
            if thread.pause(pause_s):
                return


class _Thread:
    """A thread that pauses, and can be ended.

    Args:
        body: what it runs; given the thread.

    Attributes:
        ident: its number; 0 until it runs.
        over: whether it has nothing more to do.
        told: whether it was told to end.

    Raises:
        RuntimeError: when no thread can be started.
    """

    ident = 0
    over = False
    told = False

    def __init__(self, body: Callable[[_Thread], object]) -> None:
        self._body = body
        self._ending = _thread.allocate_lock()  # held until it is to end
        self._ending.acquire()
        self._join: Callable[[], object]
        if sys.version_info >= (3, 13):
            self._join = _thread.start_joinable_thread(self._work, daemon=True).join
        else:
            self._left = _thread.allocate_lock()  # held until it has nothing more to do
            self._left.acquire()
            self._state: Any = None  # held until the interpreter has forgotten it
            _thread.start_new_thread(self._work, ())

    def pause(self, seconds: float) -> bool:
        """Sleep, and return whether it is to end. To be called by the thread."""
        if sys.platform == "win32":  # where a lock is waited for by a coarser clock
            sleep(seconds)
            return self.told
        return self._ending.acquire(timeout=seconds)

    def end(self) -> None:
        """Have it end, and wait until it has."""
        self.told = True
        self._ending.release()
        if sys.version_info >= (3, 13):
            self._join()
        else:
            self._left.acquire()
            self._state.acquire()

    def _work(self) -> None:
        self.ident = _thread.get_ident()
        if sys.version_info < (3, 13):
            self._state = _sentinel()
            self._state.acquire()
        try:
            self._body(self)
        finally:
            self.over = True
            if sys.version_info < (3, 13):
                self._left.release()


def _times_blocked() -> int:
    """Return how often the calling thread left its core by itself, as it had to wait; -1 where nobody tells.

    A thread that stands in line for a core, or is made to leave one, does not count as waiting.
    """
    if sys.platform == "linux" and getrusage is not None:
        return int(getrusage(RUSAGE_THREAD).ru_nvcsw)
    return -1


def _without_signals() -> None:
    """Leave signals to the other threads: one that this thread took would not wake a call that sleeps."""
    if sys.platform != "win32":
        set_mask(SIG_BLOCK, valid_signals())
