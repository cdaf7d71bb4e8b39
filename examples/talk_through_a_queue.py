"""Two processes talk through a queue: one asks for work to be done, the other does it.

Whoever has nothing more to put closes the queue, and the loop of the one who takes ends.

Prints:
    the square of 1 is 1
    the square of 2 is 4
    the square of 3 is 9
    nothing more to come
"""

from __future__ import annotations

from multiprocessing import Process

import corewise


def ask(queue: corewise.Queue[int]) -> None:
    """Put three numbers into the queue, then close it."""
    for number in (1, 2, 3):
        queue.put(number)
    queue.close()


def answer(queue: corewise.Queue[int]) -> None:
    """Take numbers out of the queue until it is closed and empty; the loop waits while there is none."""
    for number in queue:
        print(f"the square of {number} is {number * number}")
    print("nothing more to come")


if __name__ == "__main__":
    between: corewise.Queue[int] = corewise.Queue()
    processes = [Process(target=ask, args=(between,)), Process(target=answer, args=(between,))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
