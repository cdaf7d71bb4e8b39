"""Starts a worker process."""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from time import sleep

from corewise._engine import forked
from corewise._engine.method import native_threads_only
from corewise._engine.method import pick_start_method as pick_start_method  # noqa: PLC0414 - others get it from here
from corewise._engine.worker import serve
from corewise._transport.codec import main_can_be_imported
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess
    from typing import Any, ClassVar

    from corewise._engine.setting import Setup

    Process = BaseProcess | forked.ForkedProcess

if sys.platform != "win32":
    if TYPE_CHECKING:
        from signal import SIG_BLOCK, SIG_SETMASK, SIGINT
        from signal import pthread_sigmask as set_mask
    else:
        # The public module turns numbers into enums, which costs 2 ms to import.
        from _signal import SIG_BLOCK, SIG_SETMASK, SIGINT
        from _signal import pthread_sigmask as set_mask

_TRIES_OF_A_SERVER = 20
# guess: a process that has raised is gone within milliseconds; 0.2 s in all beside busy neighbours
_SERVER_GOES_S = 0.01


def start_worker(method: str, setup: Setup, name: str, *, imports_main: bool) -> Process:
    """Start a worker process.

    Args:
        method: ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        setup: what the worker needs.
        name: name of the process.
        imports_main: whether one that is not forked imports the program's main module, to find there what travels by
            name.

    Returns:
        The running process.

    Raises:
        WorkerStartError: when the system refuses to start one.
    """
    body = _body_of(setup)
    try:
        if method == "fork" and forked.can_be_used():
            child: Process = _without_interrupts(lambda: forked.ForkedProcess(lambda: body(setup)), quiet=True)
            return child
        import multiprocessing

        context: Any = multiprocessing.get_context(method)
        if method == "fork":
            _require_descriptors()
        process: BaseProcess = context.Process(target=body, args=(setup,), name=name)
        with _Main(imported=imports_main and main_can_be_imported()):
            for again in range(_TRIES_OF_A_SERVER):
                try:
                    _without_interrupts(process.start, quiet=method == "fork")
                    break
                except (ConnectionError, EOFError):
                    # The fork server is going, as it does when it finds no descriptor left; once it is gone, the next
                    # try starts another.
                    if again == _TRIES_OF_A_SERVER - 1:
                        raise
                    sleep(_SERVER_GOES_S)
                    process = context.Process(target=body, args=(setup,), name=name)
    except AssertionError as error:
        raise WorkerStartError(
            "this process is a daemonic one, which may not start others; approach='threads' works here"
        ) from error
    except (TypeError, RuntimeError) as error:  # what it takes along cannot be pickled
        raise WorkerStartError(f"no worker process could be started by {method}: {error!r}") from error
    except (OSError, EOFError) as error:
        raise WorkerStartError(f"no worker process could be started by {method}: {error}") from error
    return process


def _body_of(setup: Setup) -> Callable[[Setup], None]:
    """Return what a worker process runs."""
    if setup.lanes == 1:
        return serve
    from corewise._engine import lanes

    return lanes.serve


def preload(method: str, fn: Callable[..., Any]) -> None:
    """Have the fork server import the function's module once, instead of every worker by itself."""
    if method == "forkserver":
        import multiprocessing

        module = getattr(fn, "__module__", None)
        wanted = ["corewise._engine.worker", *([module] if module and module != "__main__" else [])]
        multiprocessing.get_context("forkserver").set_forkserver_preload(wanted)


class _Main:
    """Says whether the standard library has workers import the main module.

    A program read from standard input has ``"<stdin>"`` for its file name, and every worker would fail to open that.

    Args:
        imported: whether it is imported.
    """

    _threads: ClassVar[set[int]] = set()  # those that just now start a process which is to do without

    def __init__(self, *, imported: bool) -> None:
        self._imported = imported

    def __enter__(self) -> None:
        if not self._imported:
            from multiprocessing import spawn

            told = spawn.get_preparation_data
            if not hasattr(told, "left_out"):

                def get_preparation_data(name: str) -> dict[str, Any]:
                    """Return what the child is told; without the main module, if the thread says so."""
                    data = told(name)
                    left_out = _INIT_MAIN if get_ident() in _Main._threads else ()
                    return {key: value for key, value in data.items() if key not in left_out}

                get_preparation_data.left_out = _INIT_MAIN  # type: ignore[attr-defined]  # a mark of ours
                spawn.get_preparation_data = get_preparation_data
            self._threads.add(get_ident())

    def __exit__(self, *_: object) -> None:
        self._threads.discard(get_ident())


_INIT_MAIN = ("init_main_from_name", "init_main_from_path")


def _without_interrupts(start: Callable[[], Any], *, quiet: bool) -> Any:
    """Start with SIGINT held back, so that no Ctrl-C hits the child before it is ready to ignore it."""
    if sys.platform != "win32":
        before = set_mask(SIG_BLOCK, {SIGINT})
        try:
            return _quietly(start) if quiet and sys.version_info >= (3, 12) and native_threads_only() else start()
        finally:
            set_mask(SIG_SETMASK, before)
    return start()


def _quietly(start: Callable[[], Any]) -> Any:
    import warnings

    with warnings.catch_warnings():
        # Python 3.12 and later warn of any second thread; `why_not_fork` has looked which ones they are.
        warnings.simplefilter("ignore", DeprecationWarning)
        return start()


def _require_descriptors() -> None:
    """Raise OSError unless there is room for the pipes of a fork: without room for the second, the first would leak."""
    spare: list[int] = []
    try:
        for _ in range(4):
            spare.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401 - what was opened must be known if one fails
    finally:
        for fd in spare:
            os.close(fd)
