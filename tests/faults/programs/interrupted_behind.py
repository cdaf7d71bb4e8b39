"""Is interrupted behind one step after the other of what it does, and looks each time whether anything is left.

A step is where Python looks for signals: where a function of its own begins, and where one of C returns.
"""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

import corewise
import observe
from corewise._measure import aside

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

NUMBERS = list(range(50))
SQUARES = [number * number for number in NUMBERS]
PATIENCE_S = 30
_GENERATOR = 0x20  # the flag of its code; one that is dropped early is entered once more, which nothing can interrupt
# Python swallows what is raised in them: methods, and callbacks of weak references.
_FINALIZERS = ("__del__", "_remove", "remove", "_known.<locals>.<lambda>")
# Python's own: behind the step that takes the lock of all imports a Ctrl-C leaves it taken (CPython 3.11 to 3.13), and
# the next thread that loads a module waits for ever.
_IMPORT_MACHINERY = "<frozen importlib._bootstrap>"


def square(number: int) -> int:
    """Compute a little."""
    return number * number


async def square_in_a_loop(number: int) -> int:
    """Compute as little."""
    return number * number


def double(array: Any) -> Any:
    """Return as much as came."""
    return array * 2


def compute(limit: int) -> int:
    """Be worth a look at what it is made of."""
    return sum(number * number for number in range(limit))


def use_map() -> None:
    """By processes."""
    assert corewise.map(square, NUMBERS, approach="processes", workers=2) == SQUARES


def use_arrays() -> None:
    """In blocks of memory, both ways."""
    ones = [np.ones(200_000) for _ in range(4)]
    assert [array[0] for array in corewise.map(double, ones, approach="processes", workers=2)] == [2.0] * 4


def use_threads() -> None:
    """By threads."""
    assert corewise.map(square, NUMBERS, approach="threads", workers=2) == SQUARES


def use_auto() -> None:
    """Measured, and then chosen."""
    assert len(corewise.map(compute, [20_000] * 8)) == 8


def use_stream() -> None:
    """By processes, left early."""
    with corewise.stream(square, NUMBERS, approach="processes", workers=2) as results:
        assert next(results) == 0


def use_coroutines() -> None:
    """Waits that overlap in a loop of their own."""
    assert corewise.map(square_in_a_loop, NUMBERS, workers=5) == SQUARES


def use_stream_of_coroutines() -> None:
    """Left early."""
    with corewise.stream(square_in_a_loop, NUMBERS, workers=5) as results:
        assert next(results) == 0


def use_coroutines_in_processes() -> None:
    """A loop in each."""
    options: dict[str, Any] = {"approach": "processes", "workers": 2, "per_worker": 3}
    assert corewise.map(square_in_a_loop, NUMBERS, **options) == SQUARES


def use_forkserver() -> None:
    """By processes that a server forks."""
    assert corewise.map(square, NUMBERS, approach="processes", workers=1, start_method="forkserver") == SQUARES


def use_errors() -> None:
    """A function that is sent by value, with what it captures, and whose results are errors, now and then."""
    captured = np.ones(200_000)
    odd = corewise.map(
        lambda number: number // (number % 2) + int(captured[number]),
        NUMBERS,
        approach="processes",
        workers=2,
        on_error="return",
    )
    assert odd[1::2] == [number + 1 for number in NUMBERS[1::2]]


def use_process_executor() -> None:
    """Future by future."""
    with corewise.ProcessExecutor(2) as executor:
        assert [future.result() for future in [executor.submit(square, number) for number in NUMBERS]] == SQUARES


def use_thread_executor() -> None:
    """Future by future."""
    with corewise.ThreadExecutor(2) as executor:
        assert [future.result() for future in [executor.submit(square, number) for number in NUMBERS]] == SQUARES


def use_pool() -> None:
    """By `map` of `multiprocessing.Pool`."""
    with corewise.Pool(2) as pool:
        assert pool.map(square, NUMBERS) == SQUARES


def use_queue() -> None:
    """Put and got here."""
    queue: corewise.Queue[int] = corewise.Queue()
    queue.put(1)
    assert queue.get() == 1


def use_pipe() -> None:
    """Sent and received here."""
    one, other = corewise.Pipe()
    with one, other:
        one.send("a word")
        assert other.recv() == "a word"


def use_process() -> None:
    """Started, awaited and closed."""
    process = corewise.Process(target=square, args=(3,))
    try:
        process.start()
        assert process.result() == 9
    finally:
        if process.pid is not None:
            process.join()
            process.close()


class Interruption:
    """A Ctrl-C behind one step of this thread.

    Args:
        step: behind which, counted from 1.

    Attributes:
        where: behind what it came; empty if there were not so many steps.
    """

    def __init__(self, step: int) -> None:
        self.where = ""
        self._left = step
        self._pid = os.getpid()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        """Look at what the profiler tells."""
        code = frame.f_code
        if event != "c_return" and (event != "call" or code.co_flags & _GENERATOR):
            return
        if code.co_filename in (__file__, _IMPORT_MACHINERY) or os.getpid() != self._pid:
            return
        self._left -= 1
        if self._left > 0 or self.where or _is_in_finalizer(frame):
            return
        name = f"return of {arg.__name__}" if event == "c_return" else f"beginning of {code.co_name}"
        self.where = f"{name}, {code.co_filename}, line {frame.f_lineno}"
        sys.setprofile(None)
        os.kill(self._pid, signal.SIGINT)


def _is_in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_qualname.endswith(_FINALIZERS):
            return True
        frame = frame.f_back
    return False


def interrupted(use: Callable[[], None], step: int) -> tuple[str, bool]:
    """Interrupt `use` behind a step of it; return behind what that was, and whether it was told."""
    interruption = Interruption(step)
    try:
        sys.setprofile(interruption)
        use()
    except KeyboardInterrupt:
        return interruption.where, True
    finally:
        sys.setprofile(None)
    return interruption.where, False


def tidy_up() -> None:
    """Do what a program would do after a Ctrl-C."""
    for thread in threading.enumerate():
        if thread.name == "corewise-driver":
            thread.join(PATIENCE_S)
    for one in tuple(aside._running):  # they may have the file open that they have just read, and end by themselves
        one.wait()
    for process in multiprocessing.active_children():
        if isinstance(process, corewise.Process):  # it was started, and its `start` left behind that
            process.join()
            process.close()


def main(what: str, first: str, every: str) -> None:
    """Interrupt behind each of some steps, one run for each; and say what was not as it should be."""
    use: Callable[[], None] = globals()[f"use_{what}"]
    use()
    use()
    gc.collect()
    before = observe.holdings()
    step, seen = int(first), 0
    while True:
        faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
        where, told = interrupted(use, step)
        if not where:
            break
        tidy_up()
        if not told:
            print(f"step {step}, {where}: nothing was raised", flush=True)
        if observe.left_since(before) and (left := observe.left_since(before)):
            print(f"step {step}, {where}: {'; '.join(left)}", flush=True)
            before = observe.holdings()
        step += int(every)
        seen += 1
    use()
    print("end", seen, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
