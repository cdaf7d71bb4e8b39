"""Two processes talk through a queue of the standard library: one asks for work to be done, the other does it.

A queue has no end of its own, so the sender says when there is nothing more to come.

Prints:
    the square of 1 is 1
    the square of 2 is 4
    the square of 3 is 9
    nothing more to come
"""

from __future__ import annotations

from multiprocessing import Process, Queue, queues

END = None


def ask(queue: queues.Queue[int | None]) -> None:
    """Put three numbers into the queue, then the end."""
    for number in (1, 2, 3):
        queue.put(number)
    queue.put(END)


def answer(queue: queues.Queue[int | None]) -> None:
    """Take numbers out of the queue until the end comes; `get` waits while there is none."""
    while (number := queue.get()) is not END:
        print(f"the square of {number} is {number * number}")
    print("nothing more to come")


if __name__ == "__main__":
    between = Queue()
    processes = [Process(target=ask, args=(between,)), Process(target=answer, args=(between,))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
