"""Is interrupted at random moments, hundreds of times, and looks each time whether anything is left."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time

import corewise
import observe

ENDING_S = 20.0  # workers that are saying goodbye are given seconds, and the machine may be busy


def square(number: int) -> int:
    """Compute a little."""
    return number * number


def use_executor(start_method: str) -> None:
    """Open, use and close executors, for ever."""
    context = multiprocessing.get_context(start_method) if start_method != "auto" else None
    while True:
        with corewise.ProcessExecutor(2, mp_context=context) as executor:
            assert list(executor.map(square, range(50))) == [number * number for number in range(50)]
            futures = [executor.submit(square, number) for number in range(20)]
            assert [future.result() for future in futures] == [number * number for number in range(20)]


def use_map(start_method: str) -> None:
    """Open, use and close the pools of maps, for ever."""
    while True:
        results = corewise.map(square, range(200), approach="processes", workers=2, start_method=start_method)
        assert results == [number * number for number in range(200)]


def compute(seconds: float) -> float:
    """Compute for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(1000))
    return seconds


def use_auto(_: str) -> None:
    """Have a process run an item beside that of the caller, for ever."""
    while True:
        assert corewise.map(compute, [0.8, 0.8]) == [0.8, 0.8]


def main(what: str, times: str, start_method: str = "auto") -> None:
    """Say "now" before each round, and what was left after it."""
    use = {"executor": use_executor, "map": use_map, "auto": use_auto}[what]
    before, interval_s = None, sys.getswitchinterval()
    if start_method in ("forkserver", "auto"):
        corewise.map(square, [1], approach="processes", start_method="forkserver")  # its server is started once
    for turn in range(int(times)):
        try:
            os.write(1, b"now\n")
            use(start_method)
        except KeyboardInterrupt:
            pass
        # A Ctrl-C while an executor is being shut down breaks off the waiting for that, not the thing itself.
        for thread in threading.enumerate():
            if thread.name == "corewise-driver":
                thread.join(ENDING_S)
                if thread.is_alive():
                    print(f"turn {turn}: an executor that was left does not end", flush=True)
        if sys.getswitchinterval() != interval_s:
            print(f"turn {turn}: threads take turns every {sys.getswitchinterval()} s", flush=True)
        if turn >= 2:  # what is loaded or opened once is there by then
            before = before or observe.holdings()
            # Other programs may hold named memory for the moment of one look.
            if observe.left_since(before) and (left := observe.left_since(before)):
                alive = [thread.name for thread in threading.enumerate()]
                print(f"turn {turn}: {'; '.join(left)}; threads {alive}", flush=True)
    # A KeyboardInterrupt that hits code compiled from a string, as that of a named tuple in a module that is being
    # loaded, makes CPython end by SIGINT later, although it was caught (3.11 to 3.13), unless other such code has run.
    exec("")
    print("end", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
