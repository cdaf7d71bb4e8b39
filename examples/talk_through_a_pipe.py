"""Two processes talk through a pipe of the standard library: each has one end, and may send and receive.

A process that still holds the other end would never see it closed; so everybody closes what is not theirs.

Prints:
    2 to the power of 10 is 1024
    3 to the power of 4 is 81
    5 to the power of 0 is 1
    goodbye
"""

from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection


def ask(mine: Connection, other: Connection) -> None:
    """Send questions, and wait for the answer to each."""
    other.close()
    for base, power in [(2, 10), (3, 4), (5, 0)]:
        mine.send((base, power))
        print(f"{base} to the power of {power} is {mine.recv()}", flush=True)
    mine.close()


def answer(mine: Connection, other: Connection) -> None:
    """Answer until the other end is closed."""
    other.close()
    try:
        while True:
            base, power = mine.recv()
            mine.send(base**power)
    except EOFError:
        print("goodbye")


if __name__ == "__main__":
    one, two = Pipe()
    processes = [Process(target=ask, args=(one, two)), Process(target=answer, args=(two, one))]
    for process in processes:
        process.start()
    one.close()
    two.close()
    for process in processes:
        process.join()
