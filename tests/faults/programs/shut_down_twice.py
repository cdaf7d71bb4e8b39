"""Breaks off the wait for an executor's end by Ctrl-C, and waits for it once more."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import corewise
import observe

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def read(path: str) -> str:
    """Wait until somebody writes into a named pipe."""
    return Path(path).read_text(encoding="ascii")


def once_it_waits(act: Callable[[], object]) -> threading.Thread:
    """Do something as soon as the main thread waits in `shutdown`."""
    main = threading.get_ident()

    def look() -> None:
        while not waits_in_shutdown(sys._current_frames()[main]):
            time.sleep(0)
        act()

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def waits_in_shutdown(frame: FrameType | None) -> bool:
    """Look at a stack."""
    if frame is None or frame.f_code.co_filename != threading.__file__:
        return False
    while frame is not None and frame.f_code.co_name != "shutdown":
        frame = frame.f_back
    return frame is not None


def main(path: str) -> None:
    """Say what the second wait has found."""
    os.mkfifo(path)
    executor = corewise.ProcessExecutor(1)
    future = executor.submit(read, path)
    one = once_it_waits(lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        executor.shutdown()
    except KeyboardInterrupt:
        print("broken off", future.done(), flush=True)
    one.join()
    other = once_it_waits(lambda: Path(path).write_text("written", encoding="ascii"))
    executor.shutdown()
    print(future.done(), observe.workers(), flush=True)
    other.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
