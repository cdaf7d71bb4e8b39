"""Works of coroutine functions. Whoever has one has loaded asyncio, so it is loaded before the clock runs."""

from __future__ import annotations

import asyncio

from _choice_work import SPIN_MS, Work, over, spin


async def wait_20ms(number: int) -> int:
    """Wait 20 ms."""
    await asyncio.sleep(0.02)
    return number


async def wait_1ms(number: int) -> int:
    """Wait 1 ms."""
    await asyncio.sleep(0.001)
    return number


async def compute(number: int) -> int:
    """Compute 5 ms and wait for nothing."""
    return spin(5 * SPIN_MS + number)


WORKS = {
    "coroutines_20ms": Work("coroutines, 100 items of 20 ms", over(wait_20ms, range(100))),
    "coroutines_1ms": Work("coroutines, 2,000 items of 1 ms", over(wait_1ms, range(2000))),
    "coroutines_busy": Work("coroutines that only compute", over(compute, range(80))),
}
