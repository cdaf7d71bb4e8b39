"""A pool on the interface of multiprocessing.Pool: callbacks, an endless input, and a worker that is killed.

Prints:
    called back with 144
    first squares of an endless input: [0, 1, 4, 9, 16]
    item 2 was lost: killed by SIGKILL
    the others: [0, 1, 9, 16]
"""

import os
import signal
from itertools import count, islice

import corewise


def square(number: int) -> int:
    """Return the product with itself."""
    return number * number


def square_or_die(number: int) -> int:
    """Meet the out-of-memory killer at one number."""
    if number == len("ab"):
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number)


if __name__ == "__main__":
    with corewise.Pool(2) as pool:
        pool.apply_async(square, (12,), callback=lambda value: print("called back with", value)).wait()
        print("first squares of an endless input:", list(islice(pool.imap(square, count()), 5)))
        results, others = pool.imap(square_or_die, range(5)), []
        for number in range(5):
            try:
                others.append(next(results))
            except corewise.errors.WorkerDied as error:
                print(f"item {number} was lost: {error.reason}")
        print("the others:", others)
