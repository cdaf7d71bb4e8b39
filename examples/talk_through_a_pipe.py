"""Two processes talk through a pipe: each has one end, and may send and receive.

A process holds the ends that it was passed. The one that has made them lets go of both, so that either of the others
sees when its partner is done.

Prints:
    2 to the power of 10 is 1024
    3 to the power of 4 is 81
    5 to the power of 0 is 1
    goodbye
"""

from corewise import Connection, Pipe, Process


def ask(mine: Connection) -> None:
    """Send questions, and wait for the answer to each."""
    for base, power in [(2, 10), (3, 4), (5, 0)]:
        mine.send((base, power))
        print(f"{base} to the power of {power} is {mine.recv()}", flush=True)
    mine.close()


def answer(mine: Connection) -> None:
    """Answer until the other end is closed."""
    try:
        while True:
            base, power = mine.recv()
            mine.send(base**power)
    except EOFError:
        print("goodbye")


if __name__ == "__main__":
    one, two = Pipe()
    processes = [Process(target=ask, args=(one,)), Process(target=answer, args=(two,))]
    for process in processes:
        process.start()
    one.close()
    two.close()
    for process in processes:
        process.join()
