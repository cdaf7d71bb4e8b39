"""Starts processes that wait and tells their numbers; then does as it is told.

runs_processes.py START_METHOD HOW
"""

from __future__ import annotations

import os
import sys
import time

import corewise


def waits(parent: corewise.Connection) -> None:
    """Start another process that waits, tell both numbers when it runs, and wait."""
    receiving, sending = corewise.Pipe(duplex=False)
    other = corewise.Process(target=says_and_waits, args=(sending,))
    other.start()
    parent.send([os.getpid(), receiving.recv()])
    time.sleep(60)


def says_and_waits(parent: corewise.Connection) -> None:
    """Tell the own number, and wait."""
    parent.send(os.getpid())
    time.sleep(60)


def works(number: int) -> int:
    """Return a number."""
    return number + 1


def main(method: str, how: str) -> None:
    """Run."""
    receiving, sending = corewise.Pipe(duplex=False)
    processes = [
        corewise.Process(target=waits, args=(sending,), start_method=method, daemon=how == "daemons") for _ in range(2)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        print(*receiving.recv(), flush=True)
    if how == "os._exit":
        os._exit(0)
    if how == "joining":
        processes[0].join()
    if how == "result":
        processes[0].result()
    if how == "waiting":
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
