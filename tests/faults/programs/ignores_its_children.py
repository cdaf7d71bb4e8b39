"""Ignores SIGCHLD, so that the system forgets its children at once; the first has gone before the fork has returned."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import corewise


class FirstEndsAtOnce:
    """Ends the first child, and has the parent see nothing of it before it is gone."""

    def __init__(self) -> None:
        self._number, self._tell = os.pipe()
        self._met = False
        os.register_at_fork(after_in_child=self._in_child, after_in_parent=self._in_parent)

    def _in_child(self) -> None:
        if not self._met:
            os.write(self._tell, os.getpid().to_bytes(4, "big"))
            os._exit(3)

    def _in_parent(self) -> None:
        if not self._met:
            self._met = True
            pid = int.from_bytes(os.read(self._number, 4), "big")
            while Path(f"/proc/{pid}").exists():
                os.sched_yield()


def run_process() -> None:
    """One process, which never comes to its target."""
    process = corewise.Process(target=int, start_method="fork")
    process.start()
    try:
        process.result(15)
    except corewise.errors.WorkerDied:
        print("died")
    process.join(15)
    print(process.is_alive(), process.exitcode)
    process.close()


def run_map() -> None:
    """The worker is replaced."""
    results = corewise.map(abs, range(100), approach="processes", workers=2, chunksize=1)
    print(results == list(range(100)), results.stats.worker_deaths)


if __name__ == "__main__":
    what, loads = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if loads == "multiprocessing":
        import multiprocessing.process  # noqa: F401 - whose processes serve as workers where it is loaded
    FirstEndsAtOnce()
    {"process": run_process, "map": run_map}[what]()
    print("end")
