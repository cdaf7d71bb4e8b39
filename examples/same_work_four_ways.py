"""The same computation plainly, by threads, by asyncio and by processes: equal results, different use of the cores.

Only processes keep more than one core busy here: the others compute under one GIL, and take turns.

Prints:
    sync      ... s, ... cores busy
    threads   ... s, ... cores busy
    asyncio   ... s, ... cores busy
    processes ... s, ... cores busy
    all four gave the same results: True
"""

import corewise


def count_divisors(number: int) -> int:
    """Return how many numbers divide `number`."""
    return sum(number % divisor == 0 for divisor in range(1, number + 1))


async def count_divisors_async(number: int) -> int:
    """Do the same as a coroutine function: without anything to await it never gives way to another call."""
    return count_divisors(number)


if __name__ == "__main__":
    numbers = range(400_000, 400_008)
    found = {
        "sync": corewise.map(count_divisors, numbers, approach="sync"),
        "threads": corewise.map(count_divisors, numbers, approach="threads"),
        "asyncio": corewise.map(count_divisors_async, numbers, approach="asyncio"),
        "processes": corewise.map(count_divisors, numbers, approach="processes"),
    }
    for approach, results in found.items():
        print(f"{approach:9} {results.stats.wall_s:.2f} s, {results.stats.cores_busy:.1f} cores busy")
    print("all four gave the same results:", all(results == found["sync"] for results in found.values()))
