"""Has a thread hold a lock while workers are made, and lets them say whether it is free for them."""

from __future__ import annotations

import os
import signal
import sys
import threading

from signposts import PATIENCE_S

import corewise

LOCK = threading.Lock()


def look() -> str:
    """Say whether the lock can be had."""
    if not LOCK.acquire(timeout=2):
        return "held for ever"
    LOCK.release()
    return "free"


def hold() -> None:
    """Hold the lock until the program ends."""
    held = threading.Event()

    def hold_it() -> None:
        with LOCK:
            held.set()
            threading.Event().wait()

    threading.Thread(target=hold_it, daemon=True).start()
    held.wait()


def main(when: str) -> None:
    """Hold the lock before the first worker is made, or before it is replaced."""
    if when == "first":
        hold()
    with corewise.ProcessExecutor(1) as executor:
        print(executor.submit(look).result(PATIENCE_S))
        if when == "later":
            hold()
            os.kill(executor.submit(os.getpid).result(PATIENCE_S), signal.SIGKILL)
            print(executor.submit(look).result(PATIENCE_S))
    print("end")


if __name__ == "__main__":
    main(sys.argv[1])
