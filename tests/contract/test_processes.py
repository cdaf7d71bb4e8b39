"""`corewise.Process`: what comes back from a process, how its end is told, and what it may do."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
import weakref
from multiprocessing.pool import Pool as StandardPool
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
from corewise import errors
from corewise._transport import portable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOT_PORTABLE = pytest.mark.skipif(portable.in_use(), reason="what Linux has, the portable transport does without")
METHODS = multiprocessing.get_all_start_methods()


def result_of(target: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Run something in a process of its own, and leave nothing of it."""
    process = corewise.Process(target=target, args=args, **options)
    process.start()
    try:
        return process.result(15)
    finally:
        process.join()
        process.close()


class Unsendable(Exception):
    """Cannot be pickled."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.lock = threading.Lock()


class Doubler(corewise.Process):
    """Runs something of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(target=self.never)
        self.number = number

    def never(self) -> None:
        """Be a part of the process that refers to it."""

    def run(self) -> int:
        """Return twice the number."""
        return 2 * self.number


def raises(error: BaseException) -> None:
    """Raise it."""
    raise error


def exits(code: int) -> None:
    """End without a word."""
    os._exit(code)


def crashes() -> None:
    """Read what is not there."""
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    ctypes.string_at(0)


def closes_everything() -> None:
    """Close all descriptors, and end well."""
    os.closerange(3, 256)
    os._exit(0)


def nested(depth: int) -> list[int]:
    """Return the process ids of a line of processes, each a child of the one before."""
    return [os.getpid()] + (result_of(nested, depth - 1) if depth else [])


def start_method_of_children() -> str:
    """Return what a process that is started here is started by."""
    return str(result_of(lambda: multiprocessing.current_process()._method))  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", METHODS)
def test_a_lambda_returns_an_array(method: str) -> None:
    """What it has captured goes along, by every start method, and the array may be written to."""
    factor = 3
    array = result_of(lambda: np.arange(1_000_000) * factor, start_method=method)
    array[0] = 1
    assert array[-1] == 2_999_997


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_arrives_with_the_traceback_of_the_process(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    """And the process prints it, as the standard library's do."""
    with pytest.raises(KeyError, match="x") as caught:
        result_of(raises, KeyError("x"), start_method=method)
    assert isinstance(caught.value.__cause__, errors.RemoteTraceback)
    assert "in raises" in str(caught.value.__cause__)
    if method != "forkserver":  # whose processes print where the server was started
        assert "KeyError: 'x'" in capfd.readouterr().err


def test_an_exception_that_cannot_be_pickled_arrives_in_words(capfd: pytest.CaptureFixture[str]) -> None:
    """With its type and message."""
    with pytest.raises(errors.RemoteError, match=r"Unsendable: what it says"):
        result_of(lambda: raises(Unsendable("what it says")))
    capfd.readouterr()


def test_a_result_that_cannot_be_pickled_is_told_to_who_asks_for_it() -> None:
    """The process itself has ended well."""
    process = corewise.Process(target=lambda: {"lock": threading.Lock()})
    process.start()
    process.join()
    assert process.exitcode == 0
    with pytest.raises(errors.CannotTravel, match=r"_thread\.lock"):
        process.result()
    process.close()


@pytest.mark.parametrize("method", METHODS)
def test_a_result_that_nobody_asks_for_holds_nobody_up(method: str) -> None:
    """However large it is, the process ends; and it may be asked for afterwards, and again."""
    process = corewise.Process(target=bytes, args=(50_000_000,), start_method=method)
    process.start()
    process.join()
    assert process.exit_reason == "it exited with code 0"
    assert len(process.result()) == 50_000_000
    assert process.result() is process.result()
    process.close()


def without_memory(size: int) -> bytes:
    """Return so many bytes in a process that can make no block of memory for them."""
    from corewise._transport import memory

    def none(*_: object) -> int:
        raise OSError("no memory")

    memory.filled = none
    return bytes(size)


@NOT_PORTABLE
@pytest.mark.parametrize("asks", [True, False])
def test_a_result_for_which_there_is_no_memory_comes_by_a_file(
    *, asks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is gone afterwards, whether anybody has asked for the result or not."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process = corewise.Process(target=without_memory, args=(1_000_000,), start_method="fork")
    process.start()
    process.join()
    assert len(list(tmp_path.iterdir())) == 1
    assert not asks or len(process.result()) == 1_000_000
    process.close()
    assert list(tmp_path.iterdir()) == []


ENDS: list[tuple[Callable[..., Any], tuple[Any, ...], int, str]] = [
    (exits, (7,), 7, "it exited with code 7"),
    (exits, (0,), 0, "it exited with code 0"),
    (sys.exit, (3,), 3, "it exited with code 3"),
    (crashes, (), -signal.SIGSEGV, "killed by SIGSEGV (segmentation fault, usually in a C extension)"),
    (signal.raise_signal, (signal.SIGKILL,), -signal.SIGKILL, "killed by SIGKILL"),
    (closes_everything, (), 0, "it exited with code 0"),
]


@pytest.mark.parametrize(("target", "args", "code", "reason"), ENDS)
def test_an_end_without_a_result_says_how(
    target: Callable[..., Any], args: tuple[Any, ...], code: int, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its code or its signal, in words, in the error and in the process."""
    process = corewise.Process(target=target, args=args, name="it")
    assert process.exit_reason is None
    process.start()
    with pytest.raises(errors.ProcessDied) as caught:
        process.result(15)
    assert str(caught.value) == f"the process it has not returned: {reason}"
    assert (caught.value.exitcode, caught.value.pid, process.exit_reason) == (code, process.pid, reason)
    process.close()
    capfd.readouterr()


def test_the_error_of_an_end_travels() -> None:
    """Out of a process that has waited for another."""

    def inner() -> None:
        result_of(exits, 4)

    with pytest.raises(errors.WorkerDied) as caught:
        result_of(inner)
    assert isinstance(caught.value, errors.ProcessDied)
    assert caught.value.exitcode == 4


def test_a_limit_of_time_ends_the_wait_and_not_the_process() -> None:
    """It can be asked again."""
    process = corewise.Process(target=time.sleep, args=(60,))
    process.start()
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        process.result(0.01)
    assert process.is_alive()
    process.kill()
    with pytest.raises(errors.ProcessDied, match="SIGKILL"):
        process.result()
    process.close()


def test_a_subclass_may_run_something_else() -> None:
    """What its `run` returns is the result; it may refer to itself."""
    for method in METHODS:
        process = Doubler(21)
        process._asked = method
        process.start()
        assert process.result(15) == 42
        process.join()
        process.close()


def test_the_standard_library_knows_our_processes() -> None:
    """Among the children of this process, and in the child as itself and as a child of this one."""
    ready, let_go = multiprocessing.Event(), multiprocessing.Event()

    def child() -> tuple[str, int | None, bool]:
        ready.set()
        let_go.wait()
        parent = multiprocessing.parent_process()
        return multiprocessing.current_process().name, parent and parent.pid, multiprocessing.active_children() == []

    process = corewise.Process(target=child, name="known", start_method="fork")
    process.start()
    ready.wait()
    assert multiprocessing.active_children() == [process]
    assert isinstance(process, multiprocessing.Process)
    let_go.set()
    assert process.result(15) == ("known", os.getpid(), True)
    process.join()
    assert multiprocessing.active_children() == []
    process.close()


def test_five_that_wait_take_no_longer_than_one() -> None:
    """They run at the same time."""
    begin = time.monotonic()
    processes = [corewise.Process(target=time.sleep, args=(0.5,)) for _ in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        process.close()
    assert time.monotonic() - begin < 1.5


def test_processes_may_be_nested_and_daemons_may_have_children() -> None:
    """Three deep; and inside pools of ours and of the standard library, whose workers are daemons."""
    assert len(set(result_of(nested, 2, daemon=True))) == 3
    with corewise.ProcessExecutor(1) as executor:
        assert len(executor.submit(nested, 1).result()) == 2
    with StandardPool(1, context=multiprocessing.get_context("fork")) as pool:
        assert len(pool.apply(nested, (1,))) == 2


@NOT_PORTABLE
def test_the_start_method_is_that_of_the_standard_library_if_it_is_set() -> None:
    """Else it is looked for, and stays to be set; an explicit one holds for the children of the process, too."""
    before = multiprocessing.get_start_method(allow_none=True)
    set_method: Any = multiprocessing.set_start_method
    try:
        set_method(None, force=True)
        result_of(int, start_method="spawn")
        assert multiprocessing.get_start_method(allow_none=True) is None
        assert result_of(start_method_of_children) == "fork"
        assert result_of(start_method_of_children, start_method="forkserver") == "forkserver"
        set_method("spawn", force=True)
        assert result_of(start_method_of_children) == "spawn"
        assert result_of(start_method_of_children, start_method=multiprocessing.get_context("fork")) == "fork"
    finally:
        set_method(before, force=True)


def test_a_wrong_start_method_is_refused() -> None:
    """When the process is made."""
    with pytest.raises(errors.OptionError, match="'thread'; it can be one of fork, forkserver, spawn"):
        corewise.Process(start_method="thread")


def test_what_cannot_be_sent_is_refused_at_the_start_and_leaves_nothing() -> None:
    """The error names it; the process can be closed, and was never there."""
    for method in ("spawn", "forkserver"):
        process = corewise.Process(target=print, args=(threading.Lock(),), start_method=method)
        with pytest.raises(errors.CannotTravel, match=r"the process cannot be sent.*attribute '_args', element 0"):
            process.start()
        assert process.pid is None
        process.close()


def test_misuse_is_refused_as_by_the_standard_library() -> None:
    """Twice started, asked before the start, asked after the end."""
    process = corewise.Process(target=int)
    for ask in (process.result, process.kill_tree):
        with pytest.raises(ValueError, match="not started"):
            ask()
    process.start()
    with pytest.raises(AssertionError, match="twice"):
        process.start()
    process.join()
    process.close()
    for ask in (process.result, process.kill_tree, process.start, lambda: process.exit_reason):
        with pytest.raises(ValueError, match="closed"):
            ask()


def test_processes_that_are_dropped_leave_nothing() -> None:
    """Neither descriptors, for which the fixture looks, nor themselves, although nobody has closed them."""
    processes = [corewise.Process(target=bytes, args=(1_000_000,)) for _ in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    dropped = [weakref.ref(process) for process in processes]
    del processes, process
    gc.collect()
    assert [known() for known in dropped] == [None] * 5


@NOT_PORTABLE
def test_a_program_that_ignores_its_children_sees_their_end() -> None:
    """The kernel keeps no exit code then, and the standard library waits for ever."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        process = corewise.Process(target=int, start_method="fork")
        process.start()
        assert process.result(15) == 0
        process.join(15)
        assert not process.is_alive()
        process.close()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_results_come_while_the_process_has_threads_that_go_on() -> None:
    """The result is there before the process has ended."""
    let_go = multiprocessing.Event()

    def child() -> str:
        threading.Thread(target=let_go.wait).start()
        return "early"

    process = corewise.Process(target=child, start_method="fork")
    process.start()
    assert process.result(15) == "early"
    assert process.is_alive()
    let_go.set()
    process.join()
    process.close()


def test_a_traceback_ends_where_the_user_knows_it() -> None:
    """The local one says that `result` has raised."""
    with pytest.raises(ZeroDivisionError) as caught:
        result_of(divmod, 1, 0)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "result"
