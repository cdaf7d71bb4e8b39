"""Starts workers while the caller is still at a long item: others would be done by the time that one has ended.

A thread decides, opens what was chosen, and hands out items, while the caller runs its own. It is there for that time
only: once the caller's item has ended, the caller takes over what was opened. Both use the run, so each does that in
its `turn`: the caller's is over while it is at an item.
"""

from __future__ import annotations

import _thread
import sys
from _contextvars import copy_context
from time import perf_counter, process_time, sleep

from corewise._approaches.base import PlainRunner
from corewise._measure.clocks import thread_cpu_s
from corewise._measure.turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from corewise._api.probe import Probe
    from corewise._approaches.base import Approach
    from corewise._dispatch.run import Run
    from corewise._types.choice import Choice
    from corewise._work.chunk import Chunk, Done

if sys.platform != "win32":
    if TYPE_CHECKING:
        from signal import SIG_BLOCK, SIG_SETMASK
        from signal import pthread_sigmask as set_mask
    else:  # as in `corewise._engine.start`
        from _signal import SIG_BLOCK, SIG_SETMASK
        from _signal import pthread_sigmask as set_mask

# Whoever loads modules gives up the GIL a dozen times for each, and waits for so long to have it back. Beside pure
# Python the engine took 152, 95, 60, 45 and 45 ms to load at 5, 0.5, 0.2, 0.1 and 0.05 ms, where it takes 11 ms alone;
# what ran beside it took 10 to 25 ms longer at each of them.
_SWITCH_S = 0.000103
# Beside a call that keeps the GIL for long it would wait as long as that takes after each such turn. It has turns up to
# half as long as its waits then: with longer ones it would wait for ever (see `corewise._measure.turns`).
_LONGEST_SWITCH_S = 0.005
_TRIES = 3  # to have it back, of which the one in the middle tells
_SHARES_S = 0.000197  # guess: soon enough to hand out items, and seldom enough not to hold up the caller's
_WORTH_IT_S = 0.008  # what decides takes so long to load; two items of 5 ms are not to wait for it (guess)
_FOR_EACH_S = 0.002  # guess: of waiting, for each thread beside it
_SOON_S = 0.01  # guess: so long, to start threads may be all that a core is busy with
_LONGER = 1.4  # guess: times as long has an item to have run before it is worth being asked about again
_BUSY = 0.5  # guess: of a core; threads that wait take much less, to be woken and to go on
_TURN_S = 0.001  # guess: for so long the caller may have to wait for the thread; nobody notices that beside a long item
_LONG_TURN_S = 0.003  # where the item has computed for as long as `_LONG_COMPUTING_S`, and is held up by each


class Early:
    """The thread, if there comes to be one.

    Args:
        run: what items are taken from.
        decide: chooses by what is known now; None, or ``"sync"``, for nothing yet.
        probe: gives what runs the caller's item; None once it is over.
        open_it: opens what was chosen.
        counted: whether the caller's item counts among those that may run at once, even if it only waits.

    Attributes:
        choice: what was opened, once it is.
        decided_s: when it was chosen, by `perf_counter`.
        cpu_s: CPU seconds that the thread has taken, as it last said.
        is_opening: whether something has been chosen, and is being opened.
    """

    def __init__(
        self,
        run: Run,
        decide: Callable[[], Choice | None],
        probe: Callable[[], Probe | None],
        open_it: Callable[[Choice], Approach],
        *,
        counted: bool = False,
    ) -> None:
        if sys.version_info < (3, 13):
            # Here, in the caller: the thread that loads it first is taken for the main thread by it. Takes 1 to 2 ms.
            import threading  # noqa: F401 - see above
        self.choice: Choice | None = None
        self.decided_s = 0.0
        self.cpu_s = 0.0
        self.is_opening = False
        self._run = run
        self._decide = decide
        self._probe = probe
        self._open_it = open_it
        self._counted = counted
        self._context = copy_context()
        if sys.platform != "win32":
            self._signals = set_mask(SIG_BLOCK, ())
        self._turn = _thread.allocate_lock()
        self._turn.acquire()
        self._is_back = True
        self._before = 0.0, 0.0  # seconds, and CPU seconds of the process, when items were first handed out
        self._beginning = _thread.allocate_lock()
        self._thread: threading.Thread | None = None
        self._over: threading.Event | None = None
        self._approach: Approach | None = None
        self._finished: list[Done] = []
        self._error: BaseException | None = None

    # -- for the caller ------------------------------------------------------------------------------------------------

    def away(self) -> None:
        """The caller is about to run an item: it leaves the run alone."""
        self._is_back = False
        self._turn.release()

    def back(self) -> list[Done]:
        """The caller's item has ended.

        Returns:
            What others have finished meanwhile. If there are others, see `taken_over`.

        Raises:
            BaseException: what went wrong in the thread.
        """
        self._is_back = True  # at once: among many threads that compute, it is long before the next lines are run
        self._turn.acquire()
        if self._approach is None:
            return []
        with self._beginning:  # the thread may be quicker than whoever has started it
            thread, over = self._thread, self._over
        if thread is None or over is None:
            return []
        over.set()
        self._turn.release()
        thread.join()
        self._turn.acquire()
        finished, self._finished = self._finished, []
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None
        return finished

    def taken_over(self) -> Approach | None:
        """Return what was opened, which is the caller's from now on; None where nothing was."""
        approach, self._approach = self._approach, None
        if approach is not None:
            self._thread = None
            self._let_go()
        return approach

    def cancel(self, *, wait: bool = True) -> None:
        """Nothing more is wanted of it. What is just being opened is closed as soon as it is there.

        Args:
            wait: whether to wait for items that cannot be stopped.
        """
        with self._beginning:
            thread, self._thread = self._thread, None
            if thread is None:
                self._let_go()
        if thread is not None and self._over is not None:
            self._over.set()
            self.is_opening = self.is_opening and self._approach is None
            if not self.is_opening:
                thread.join()
                approach, self._approach = self._approach, None
                if approach is not None:
                    approach.close(kill=True, wait=wait)
        self._let_go()

    def _let_go(self) -> None:
        """Forget what leads back to the call, whose results would stay until the garbage collector finds them."""
        self._run = self._decide = self._probe = self._open_it = None  # type: ignore[assignment]  # over

    # -- in threads ----------------------------------------------------------------------------------------------------

    def is_worth_it(self, waited_s: float) -> bool:
        """Return whether what remains may take long enough, where an item takes so long already."""
        run: Run | None = self._run  # which is gone when all is over
        return run is not None and (run.source.remaining or 0) * waited_s >= _WORTH_IT_S

    def begin(self) -> None:
        """The caller's item is a long one. Called by whoever has noticed, in any thread."""
        import threading

        with self._beginning, Turns(_SWITCH_S):
            if self._run is None:  # it is over
                return
            from corewise._types.interrupts import start_thread

            self._over = threading.Event()
            thread = threading.Thread(target=self._context.run, args=(self._work,), name="corewise-early", daemon=True)
            try:
                start_thread(thread)
            except RuntimeError:  # no more threads are to be had
                return
            self._thread = thread

    def _work(self) -> None:
        over = self._over
        if over is not None:
            with Turns(_SHARES_S):
                self._begin(over)

    def _begin(self, over: threading.Event) -> None:
        if sys.platform != "win32":
            # Whoever noticed may take no signals, and what is started from here would never hear of its children.
            set_mask(SIG_SETMASK, self._signals)
        with self._beginning:
            decide, open_it = self._decide, self._open_it  # which may be let go of while they are called
        try:
            choice = self._decided(decide, over)
            if choice is None:
                return
            self.is_opening, self.decided_s = True, perf_counter()
            with _nimble():
                approach = open_it(choice)
        except Exception:  # noqa: BLE001 - nothing was begun yet; the caller meets the same when it decides by itself
            self.is_opening = False
            return
        self.cpu_s = thread_cpu_s()
        if self._takes_turn(over):
            try:
                self._hand_out(choice, approach, over)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                self._error = error
        else:
            approach.close(kill=True)
            self.is_opening = False

    def _decided(self, decide: Callable[[], Choice | None], over: threading.Event) -> Choice | None:
        """Decide, and again when the item has run for longer; None when that has ended without a choice to open."""
        while not over.is_set():
            self.cpu_s, asked_s = thread_cpu_s(), self._running_s()
            with _nimble():
                choice = decide()
            self.cpu_s = thread_cpu_s()
            if choice is not None and choice.approach != "sync":
                return choice
            probe, again_s = self._probe(), max(0.0, _LONGER * asked_s - self._running_s())
            if probe is None or probe.gauge.items or over.wait(again_s):  # what behind it is none of this
                break
        return None

    def _takes_turn(self, over: threading.Event) -> bool:
        """Wait for the caller to be away; return whether anything is still wanted then, and keep the turn if so."""
        while not over.is_set():
            if self._turn.acquire(timeout=_TURN_S):
                if not over.is_set():
                    return True
                self._turn.release()
        return False

    def _hand_out(self, choice: Choice, approach: Approach, over: threading.Event) -> None:
        """Feed what was opened, and take in what it gives, until the caller is back. Begins with its turn taken."""
        measured = choice.measurement
        busy = self._counted or measured is None or measured.cpu_share >= 0.5  # noqa: PLR2004 - the caller's item computes, or waits
        each = choice.per_worker
        most = each * (choice.workers - 1 if busy else choice.workers)
        some = _AllButOne(approach, most)
        waits = choice.approach == "threads" and not busy
        self._before = perf_counter(), process_time()
        try:
            with _nimble():
                self._run.use(some, each * choice.workers)
                self.choice, self._approach = choice, approach
                some.most = self._worth(most) if waits else most
                self._run.feed(wait=False)
        finally:
            self._turn.release()
        while not (over.is_set() or self._returns()):
            self._finished += some.collect(_TURN_S if choice.approach == "threads" else _LONG_TURN_S)
            if not self._turn.acquire(timeout=_TURN_S):
                continue
            try:
                # Threads that were to wait, and compute, get no more: the caller would hardly come by the GIL.
                if not (self._returns() or (waits and self.looks_busy())):
                    some.most = self._worth(most) if waits else most
                    self._run.feed(wait=False)
            finally:
                self._turn.release()

    def _worth(self, most: int) -> int:
        """Return how many threads are worth having beside an item that has waited for so long.

        A flood of them would hold the GIL for long, should items compute behind their wait; and where the wait is a
        long one, a few milliseconds more are no loss. Unless others have been seen not to.
        """
        probe = self._probe()
        if probe is not None and probe.only_waits:
            return most
        return max(1, min(most, int(self._running_s() / _FOR_EACH_S)))

    def _running_s(self) -> float:
        probe = self._probe()  # which may be gone the next moment
        return 0.0 if probe is None else probe.gauge.running_s()

    def _returns(self) -> bool:
        """Whether the caller's item has ended, and it is about to take over."""
        return self._is_back

    def looks_busy(self) -> bool:
        """Return whether those that were handed items have kept a core busy most of the time."""
        since, cpu_s = self._before
        took_s = perf_counter() - since
        return took_s > _SOON_S and process_time() - cpu_s > _BUSY * took_s


def _nimble() -> Turns:
    """Return turns for whoever is to load modules: it gives up the GIL at each file, and waits to have it back."""
    with Turns(_SWITCH_S):
        waits_s = []
        for _ in range(_TRIES):
            asked_s = perf_counter()
            sleep(0)
            waits_s.append(perf_counter() - asked_s)
    seconds, waited_s = _SWITCH_S, sorted(waits_s)[_TRIES // 2]
    while 4 * seconds <= waited_s and 2 * seconds < _LONGEST_SWITCH_S:
        seconds *= 2
    return Turns(seconds)


class _AllButOne(PlainRunner):
    """An approach of which only some workers are used, as the caller needs a core for itself.

    Args:
        approach: the approach.
        most: chunks that may be under way.
    """

    def __init__(self, approach: Approach, most: int) -> None:
        self._approach = approach
        self.chunk_s, self.shares_chunks = approach.chunk_s, approach.shares_chunks
        self.most = max(1, most)
        self._under_way = 0

    @property
    def room(self) -> int:
        """How many more chunks it would like now."""
        return max(0, min(self._approach.room, self.most - self._under_way))  # `most` may be lowered

    @property
    def limit(self) -> int:
        """How many chunks it runs at once at most, the caller's included."""
        return self.most + 1

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk to be run."""
        self._under_way += 1
        self._approach.submit(chunk)

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait until something is done, and return it."""
        finished = self._approach.collect(timeout_s)
        self._under_way = max(0, self._under_way - len(finished))  # a chunk may come back in parts
        return finished
