"""Opens and closes one small pool after another, and counts what is left."""

from __future__ import annotations

import sys

import faulty

import corewise
import observe


def use_executor() -> None:
    """Open an executor, use it, close it."""
    with corewise.ProcessExecutor(2) as executor:
        futures = [executor.submit(faulty.square, number) for number in (3, 4)]
        assert [future.result() for future in futures] == [9, 16]


def use_map() -> None:
    """Run a map."""
    assert corewise.map(faulty.square, [3, 4], approach="processes", workers=2, chunksize=1) == [9, 16]


def main(what: str, times: str) -> None:
    """Nothing may be there after the last that was not after the third."""
    use = {"executor": use_executor, "map": use_map}[what]
    for _ in range(3):
        use()
    before = observe.holdings()
    for _ in range(int(times)):
        use()
    for line in observe.left_since(before):
        print(line)
    print("end")


if __name__ == "__main__":
    main(*sys.argv[1:])
