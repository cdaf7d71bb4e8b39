"""Picks how to start a worker process, and starts it."""

from __future__ import annotations

import multiprocessing.context
import multiprocessing.process
import os
import signal
import sys
import warnings
from contextlib import contextmanager

from corewise._engine.worker import Setup, serve
from corewise._machine.native_threads import why_not_fork
from corewise._transport.codec import main_can_be_imported
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess
    from typing import Any

_GUARD = (
    "this program starts worker processes while a worker process is importing it. Put what starts the work under\n"
    '    if __name__ == "__main__":\n'
    "so that workers can import the rest without running it again."
)


def pick_start_method(asked: str) -> str:
    """Return the start method for `asked`: itself, or for ``"auto"`` fork where it is safe, else the next best.

    Raises:
        WorkerStartError: when this process is itself a worker that is still importing the program.
    """
    if getattr(multiprocessing.process.current_process(), "_inheriting", False):
        raise WorkerStartError(_GUARD)
    if asked != "auto":
        return asked
    if why_not_fork() is None:
        return "fork"
    return "forkserver" if sys.platform == "linux" else "spawn"


def start_worker(method: str, setup: Setup, name: str) -> BaseProcess:
    """Start a worker process.

    Args:
        method: ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        setup: what the worker needs.
        name: name of the process.

    Returns:
        The running process.

    Raises:
        WorkerStartError: when the system refuses to start one.
    """
    context: Any = multiprocessing.get_context(method)
    process: BaseProcess = context.Process(target=serve, args=(setup,), name=name)
    try:
        with _importable_main():
            _without_interrupts(process.start, quiet=method == "fork")
    except AssertionError as error:
        raise WorkerStartError(
            "this process is a daemonic one, which may not start others; approach='threads' works here"
        ) from error
    except OSError as error:
        raise WorkerStartError(f"no worker process could be started by {method}: {error}") from error
    return process


def preload(method: str, fn: Callable[..., Any]) -> None:
    """Have the fork server import the function's module once, instead of every worker by itself."""
    if method == "forkserver":
        module = getattr(fn, "__module__", None)
        wanted = ["corewise._engine.worker", *([module] if module and module != "__main__" else [])]
        multiprocessing.get_context("forkserver").set_forkserver_preload(wanted)


@contextmanager
def _importable_main() -> Iterator[None]:
    """Keep the standard library from having workers import a main module that has no file.

    A program read from standard input has ``"<stdin>"`` for its file name, and every worker would fail to open that.
    """
    main = sys.modules["__main__"]
    name = getattr(main, "__file__", None)
    if name is None or main_can_be_imported():
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = name


def _without_interrupts(start: Callable[[], None], *, quiet: bool) -> None:
    """Start with SIGINT held back, so that no Ctrl-C hits the child before it is ready to ignore it."""
    if sys.platform == "win32":
        start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        if quiet and _native_threads_only():
            with warnings.catch_warnings():
                # Python 3.12 and later warn of any second thread; `why_not_fork` has looked which ones they are.
                warnings.simplefilter("ignore", DeprecationWarning)
                start()
        else:
            start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _native_threads_only() -> bool:
    return os.path.isdir("/proc/self/task") and why_not_fork() is None
