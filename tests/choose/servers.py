"""Servers that serve many calls at once, and a pool of threads that calls them: a simulation with a clock of its own.

All calls under way get on equally fast, and how fast depends on their number.
"""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

THREAD_START_S = 62e-6  # as measured on the machine of the benchmarks
CLEAN_S = 0.02  # a call that is alone


def constant(under_way: int) -> float:
    """Serve any number at once."""
    return CLEAN_S


def saturating(at_once: int) -> Callable[[int], float]:
    """Return a server that serves so many at once and lets the others wait."""
    return lambda under_way: CLEAN_S * max(1.0, under_way / at_once)


def degrading(at_once: int) -> Callable[[int], float]:
    """Return a server that does the less the more it is asked to: best at `at_once`, half as good at four times it."""
    return lambda under_way: CLEAN_S * (1.0 + (under_way / at_once) ** 2)


def gil(under_way: int) -> float:
    """Computing that holds the GIL: everybody waits for all others."""
    return CLEAN_S * under_way


def run(
    server: Callable[[int], float],
    items: int,
    limit: int,
    *,
    observe: Callable[[int, float], int] | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> float:
    """Return the seconds until all items are done.

    Args:
        server: seconds that a call takes with so many under way, this one included.
        items: their number.
        limit: threads.
        observe: told of each call that ends and began since the number was changed, by number and seconds; returns how
            many threads there may be.
        noise: sigma of a log-normal factor on each call's seconds.
        seed: of the noise.
    """
    chance = random.Random(seed)
    changed_s = 0.0
    now_s, done, left, started = 0.0, 0.0, items, 0  # `done`: how far a call has come that runs since the beginning
    under_way: list[tuple[float, float]] = []
    while left or under_way:
        while left and len(under_way) < limit:
            left -= 1
            if len(under_way) >= started:
                started += 1
                if under_way:
                    done += THREAD_START_S / server(len(under_way))
                now_s += THREAD_START_S
            work = chance.lognormvariate(-noise * noise / 2, noise)
            heapq.heappush(under_way, (done + work, now_s))
        end, begin_s = under_way[0]
        now_s += max(0.0, end - done) * server(len(under_way))
        done = max(done, end)
        heapq.heappop(under_way)
        if observe is not None and begin_s >= changed_s:
            before, limit = limit, observe(1, now_s - begin_s)
            changed_s = changed_s if limit == before else now_s
    return now_s


def best_fixed(server: Callable[[int], float], items: int, *, noise: float = 0.0, seed: int = 0) -> tuple[float, int]:
    """Return the least seconds that any fixed number of threads takes, and that number."""
    numbers = sorted({round(1.25**power) for power in range(29)} | {300, 512})
    return min((run(server, items, number, noise=noise, seed=seed), number) for number in numbers if number <= items)
