"""A process that brings back a result, one that raises, and one that is killed: each says what became of it.

Prints:
    the sum of squares is 332833500
    ValueError: no squares of 'words'
    ProcessDied: the process Process-3 has not returned: killed by SIGKILL
"""

import os
import signal

import corewise


def squares(limit: int) -> int:
    """Return the sum of the squares below `limit`."""
    return sum(number * number for number in range(limit))


if __name__ == "__main__":
    first = corewise.Process(target=squares, args=(1000,))
    first.start()
    print("the sum of squares is", first.result(timeout=30))
    first.join()

    def complain() -> None:
        """Raise, but leave standard error clean for the sake of the example."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise ValueError("no squares of 'words'")

    for target in (complain, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        process = corewise.Process(target=target)
        process.start()
        try:
            process.result()
        except (ValueError, corewise.errors.ProcessDied) as error:
            print(f"{type(error).__name__}: {error}")
        process.join()
