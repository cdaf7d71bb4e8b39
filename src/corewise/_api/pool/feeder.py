"""Reads the input of a streamed job in a thread of its own: it may keep its reader waiting for as long as it likes."""

from __future__ import annotations

import threading
from functools import partial
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.executors.job_driver import JobDriver
    from corewise._api.executors.jobs import StreamJob
    from corewise._dispatch.source import Source
    from corewise._work.chunk import Chunk


def read_in_background(driver: JobDriver, job: StreamJob, source: Source) -> None:
    """Read as much as the job wants, when it wants it, until it wants no more.

    Args:
        driver: under whose lock the job is.
        job: what the items are for.
        source: where they come from.
    """
    bell: SimpleQueue[None] = SimpleQueue()  # may be rung anywhere, by the garbage collector too
    job.ring = partial(bell.put, None)
    # A daemon: an input that blocks must not keep the program from ending.
    thread = threading.Thread(target=_read, args=(driver, job, source, bell), name="corewise-input", daemon=True)
    thread.start()


def _read(driver: JobDriver, job: StreamJob, source: Source, bell: SimpleQueue[None]) -> None:
    try:
        size = driver.change(job.wanted)
        while size is not None:
            if size:
                size = driver.change(partial(job.put, _next_chunk(source, size)))
                continue
            bell.get()
            while not bell.empty():
                bell.get()
            size = driver.change(job.wanted)
    except BaseException as error:  # noqa: BLE001 - no worker could be started, say; whoever waits is to be told
        driver.change(partial(job.fail, error, []))
    finally:
        source.drop()


def _next_chunk(source: Source, size: int) -> Chunk | None:
    try:
        return source.cut(size)
    except BaseException as error:  # noqa: BLE001 - what is no Exception ends the input as well
        source.error = error  # type: ignore[assignment]
        source.exhausted = True
        return None
