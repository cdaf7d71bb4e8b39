"""Works without standard input, output and error."""

from __future__ import annotations

import multiprocessing
import os
import sys

import faulty
from signposts import PATIENCE_S

import corewise


def main() -> None:
    """Keep the output under another number, to say the end with."""
    output = os.dup(1)
    for number in range(3):
        os.close(number)
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]  # as Python itself does when it starts so
    data = bytes(1 << 20)
    for start_method in ("fork", "forkserver", "spawn"):
        with corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context(start_method)) as executor:
            assert executor.submit(faulty.square, 5).result(PATIENCE_S) == 25
            assert executor.submit(faulty.same, data).result(PATIENCE_S) == data
        assert corewise.map(faulty.square, range(20), approach="processes", workers=2, start_method=start_method) == [
            number * number for number in range(20)
        ]
    os.write(output, b"end\n")


if __name__ == "__main__":
    main()
