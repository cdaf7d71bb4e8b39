"""Reads the input of a job in a thread of its own: it may keep its reader waiting for as long as it likes."""

from __future__ import annotations

import threading
from functools import partial
from queue import SimpleQueue

from corewise._types.interrupts import start_thread
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from corewise._api.executors.job_driver import JobDriver
    from corewise._api.executors.jobs import FedJob


def read_in_background(driver: JobDriver, job: FedJob, items: Iterator[Any]) -> None:
    """Read as much as the job allows, when it does, until it wants no more.

    Args:
        driver: under whose lock the job is.
        job: what the items are for.
        items: the input.
    """
    bell: SimpleQueue[None] = SimpleQueue()  # may be rung anywhere, by the garbage collector too
    job.ring = partial(bell.put, None)
    # A daemon: an input that blocks must not keep the program from ending.
    thread = threading.Thread(target=_read, args=(driver, job, items, bell), name="corewise-input", daemon=True)
    start_thread(thread)


def _read(driver: JobDriver, job: FedJob, items: Iterator[Any], bell: SimpleQueue[None]) -> None:
    allowed: int | None = 0
    error: BaseException | None = None
    try:
        while (allowed := driver.change(job.allow)) is not None:
            if not allowed:
                bell.get()
                while not bell.empty():
                    bell.get()
                continue
            for item in items:
                job.read.append(item)
                item = None  # noqa: PLW2901 - not to be held while the next one is waited for
                allowed -= 1
                if job.hungry:
                    driver.change(None)
                if not allowed:
                    break
            else:
                break
    except BaseException as raised:  # noqa: BLE001 - whatever the input raises is for whoever takes the results
        error = without_our_frame(raised)
    finally:
        driver.change(partial(job.end, allowed or 0, error))
        del error  # the traceback of what it raised holds this frame: together they would be garbage in a circle
