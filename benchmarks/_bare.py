"""Two bare processes behind raw pipes: what no library can beat, measured in the same minute as the libraries."""

from __future__ import annotations

import os
from statistics import harmonic_mean
from struct import Struct
from time import perf_counter, perf_counter_ns

import _works as works

_WORD = Struct("=q")
_STOP = -1


class BarePair:
    """Two forked processes that do nothing but turn a loop as often as a pipe says, and answer how long they took.

    They are forked before anything else is imported, so they carry nothing of the libraries that are measured.
    """

    def __init__(self) -> None:
        self._ends: list[tuple[int, int]] = []
        self._pids: list[int] = []
        for _ in range(2):
            orders, order = os.pipe()
            answer, answers = os.pipe()
            pid = os.fork()
            if not pid:
                _serve(orders, answers)
            os.close(orders)
            os.close(answers)
            self._ends.append((order, answer))
            self._pids.append(pid)

    def turn(self, rounds_each: int) -> float:
        """Return the seconds in which the two, side by side, turn the loop twice as often.

        It is what they would take if each did as much as it can: a core that is slower for a while does less of the
        work then, as it would under any library that hands out items one by one.
        """
        for order, _ in self._ends:
            os.write(order, _WORD.pack(rounds_each))
        taken_ns = [_WORD.unpack(os.read(answer, _WORD.size))[0] for _, answer in self._ends]
        return harmonic_mean(taken_ns) / 1e9

    def round_trips(self, count: int) -> list[float]:
        """Return the seconds of so many round trips of 8 bytes over two raw pipes, between two cores.

        Left to itself the system now and then puts both processes on one core, where a round trip takes a tenth of the
        time and nothing can be computed meanwhile; so each is given a core of its own.
        """
        order, answer = self._ends[0]
        word = _WORD.pack(0)
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[:1])
            os.sched_setaffinity(self._pids[0], cores[1:])
        seconds = []
        for _ in range(count):
            begin = perf_counter()
            os.write(order, word)
            os.read(answer, _WORD.size)
            seconds.append(perf_counter() - begin)
        return seconds

    def close(self) -> None:
        """End both."""
        for order, answer in self._ends:
            os.write(order, _WORD.pack(_STOP))
            os.close(order)
            os.close(answer)
        for pid in self._pids:
            os.waitpid(pid, 0)


def _serve(orders: int, answers: int) -> None:
    """Answer orders until told to stop. The body of each process; it never returns."""
    try:
        while (rounds := _WORD.unpack(os.read(orders, _WORD.size))[0]) != _STOP:
            begin_ns = perf_counter_ns()
            works.turn(rounds)
            os.write(answers, _WORD.pack(perf_counter_ns() - begin_ns))
    finally:
        os._exit(0)
