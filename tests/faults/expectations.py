"""What must hold after any fault, and how a test looks for it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, TypeVar

import faulty
from signposts import PATIENCE_S

from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import corewise

Value = TypeVar("Value")


def assert_died(future: Future[Any], how: str) -> None:
    """Require that a task was lost with its worker, and that its error says how."""
    error = future.exception(PATIENCE_S)
    assert isinstance(error, errors.WorkerDied), repr(error)
    assert isinstance(error, BrokenProcessPool)
    assert re.search(how, str(error)), str(error)


def assert_takes_work(executor: corewise.ProcessExecutor) -> None:
    """Require that an executor goes on as if nothing had been."""
    futures = [executor.submit(faulty.square, number) for number in range(20)]
    assert [future.result(PATIENCE_S) for future in futures] == [number * number for number in range(20)]


def everything_said(error: BaseException | None) -> str:
    """Return an error's words, its notes and those of its causes."""
    words = []
    while error is not None:
        words += [str(error), *getattr(error, "__notes__", [])]
        error = error.__cause__ or error.__context__
    return "\n".join(words)


def in_thread(act: Callable[[], Value]) -> Value:
    """Return what `act` returns in a thread of its own; whatever it raises is a failure here, but no interrupt."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(act)
        raised = future.exception()
    if raised is not None:
        raise AssertionError(f"{raised!r} came to somebody who had not asked for it") from raised
    return future.result()
