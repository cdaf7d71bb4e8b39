"""Is hit by a signal every 10 ms while it works."""

from __future__ import annotations

import signal

import faulty
from signposts import PATIENCE_S

import corewise

struck = 0


def strike(*_: object) -> None:
    """Count."""
    global struck  # noqa: PLW0603 - a signal handler has no other place
    struck += 1


def main() -> None:
    """Two thousand tasks by an executor, as many items by a map, some large ones."""
    signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    squares = [number * number for number in range(2000)]
    with corewise.ProcessExecutor(2) as executor:
        futures = [executor.submit(faulty.square, number) for number in range(1000)]
        assert [future.result(PATIENCE_S) for future in futures] == squares[:1000]
        for number in range(1000):
            assert executor.submit(faulty.square, number).result(PATIENCE_S) == number * number
        data = bytes(range(256)) * (1 << 14)
        assert list(executor.map(faulty.same, [data] * 10)) == [data] * 10
    assert corewise.map(faulty.square, range(2000), approach="processes", workers=2, chunksize=1) == squares
    assert corewise.map(faulty.same, [data] * 10, approach="processes", workers=2) == [data] * 10
    while struck < 20:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("end")


if __name__ == "__main__":
    main()
