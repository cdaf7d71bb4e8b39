"""A process filters large arrays of numbers that it receives through a pipe, and sends what is left of them.

Prints:
    kept 500000 of 1000000 numbers
    kept 250000 of 500000 numbers
    kept 125000 of 250000 numbers
    the process is done: it exited with code 0
"""

from array import array

import corewise


def every_second(end: "corewise.Connection[array[float], array[float]]") -> None:
    """Send back every second number of each array, until there are no more to come."""
    try:
        while True:
            end.send(end.recv()[::2])
    except EOFError:
        end.close()


if __name__ == "__main__":
    mine, its_own = corewise.Pipe()
    process = corewise.Process(target=every_second, args=(its_own,))
    process.start()
    its_own.close()
    numbers = array("d", range(1_000_000))
    with mine:
        for _ in range(3):
            mine.send(numbers)
            before, numbers = numbers, mine.recv()
            print(f"kept {len(numbers)} of {len(before)} numbers")
    process.join()
    print("the process is done:", process.exit_reason)
