"""Sends large data both ways where no file may grow: shared memory, temporary files, any file at all."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
from pathlib import Path

import faulty
from signposts import PATIENCE_S

import corewise

DATA = bytes(range(256)) * (20 << 12)  # 20 MiB


def fill(folder: str) -> None:
    """Leave no byte free in a folder's file system."""
    with (Path(folder) / "filler").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def main(what: str, when: str, folder: str) -> None:
    """Fill up first, or while data travel."""
    # A system that answers by a signal would end the program; Python ignores it, as do its workers.
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN

    def fill_up() -> None:
        if what == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        else:
            fill(folder)

    for start_method in ("fork", "forkserver", "spawn"):
        if when == "start":
            fill_up()
        with corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context(start_method)) as executor:
            assert executor.submit(faulty.same, DATA).result(PATIENCE_S) == DATA
            fill_up()
            futures = [executor.submit(faulty.same, DATA) for _ in range(4)]
            assert all(future.result(PATIENCE_S) == DATA for future in futures)
        assert (
            corewise.map(faulty.same, [DATA] * 4, approach="processes", workers=2, start_method=start_method)
            == [DATA] * 4
        )
        if what == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            (Path(folder) / "filler").unlink()
    print("end")


if __name__ == "__main__":
    main(*sys.argv[1:])
