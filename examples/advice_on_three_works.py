"""Ask for advice on three works: one that computes, one that waits, one that is not worth a worker.

A few items of each are run, no more. `print(advice)` would tell all of it: predictions, reasons, what would help.

Prints:
    compute: ... (... of 200 items run)
    wait: threads, because waits overlap (... of 200 items run)
    add: sync (200 of 200 items run)
    compute with 16 cores: ...
"""

import time

import corewise


def compute(limit: int) -> int:
    """Return the sum of the squares of all numbers below `limit`."""
    return sum(number * number for number in range(limit))


def wait(number: int) -> int:
    """Wait as long as an answer from far away takes."""
    time.sleep(0.01)
    return number


def add(number: int) -> int:
    """Do next to nothing."""
    return number + 1


if __name__ == "__main__":
    reasons = {"waits": ", because waits overlap", "computes": ", because it computes"}
    for fn, items in ((compute, [100_000] * 200), (wait, range(200)), (add, range(200))):
        advice = corewise.advise(fn, items)
        chosen = advice.choice
        sample = f"({advice.measurement.items} of {advice.items} items run)"
        print(f"{fn.__name__}: {chosen.approach}{reasons.get(chosen.code, '')} {sample}")
    best = dict(corewise.advise(compute, [100_000] * 200).by_cores)[16]
    print(f"compute with 16 cores: {best.approach}, {best.seconds:.3f} s")
