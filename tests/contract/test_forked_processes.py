"""A process that is forked: what its one line does besides, and what the standard library does in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import process as standard
from multiprocessing import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
from corewise import errors
from corewise._transport import portable

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or portable.in_use(), reason="the standard library's way is taken elsewhere"
)
PATIENCE_S = 15.0
FORK: Any = multiprocessing.get_context("fork")
RESULTS = {"number": 1, "packet": "x" * 30_000, "block": np.ones(100_000), "raised": ValueError("x" * 100_000)}


def started(target: Callable[..., Any], *args: Any) -> corewise.Process:
    """Return a process that is forked and runs."""
    process = corewise.Process(target=target, args=args, start_method="fork")
    process.start()
    return process


def returns_and_goes_on(what: Any, let_go: Any) -> Any:
    """Return or raise something, with a thread that keeps the process alive."""
    threading.Thread(target=let_go.wait).start()
    if isinstance(what, Exception):
        raise what
    return what


def starts_one(what: str, numbers: Any) -> None:
    """Start one that goes on, ask it for its result, and tell its number and one's own."""
    process = started(returns_and_goes_on, RESULTS[what], threading.Event())
    with suppress(ValueError):
        process.result(PATIENCE_S)
    numbers.send((os.getpid(), process.pid))
    time.sleep(PATIENCE_S)


def lends_all(numbers: Any) -> None:
    """Start a program that holds all descriptors of this process, and end without a word."""
    for file in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # that of the directory itself
            os.set_inheritable(int(file.name), True)  # noqa: FBT003 - it takes no name
    numbers.send(subprocess.Popen(["sleep", str(PATIENCE_S)], close_fds=False).pid)
    os._exit(3)


def is_gone(pid: int) -> bool:
    """Whether a process ends while there is patience."""
    end = time.monotonic() + PATIENCE_S / 2
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("what", RESULTS)
def test_a_process_whose_result_was_read_goes_on(what: str) -> None:
    """Though it is killed by the line that its result came by: only when the other side is gone."""
    let_go = FORK.Event()
    process = started(returns_and_goes_on, RESULTS[what], let_go)
    try:
        assert np.array_equal(process.result(PATIENCE_S), RESULTS[what])
    except ValueError:
        assert what == "raised"
    time.sleep(0.05)
    assert process.is_alive()
    let_go.set()
    process.join(PATIENCE_S)
    assert process.exitcode == (1 if what == "raised" else 0)
    process.close()


@pytest.mark.parametrize("what", RESULTS)
def test_it_does_not_outlive_its_parent_either(what: str) -> None:
    """It hangs on the line whatever that was used for."""
    mine, its_own = FORK.Pipe(duplex=False)
    parent = started(starts_one, what, its_own)
    assert mine.poll(PATIENCE_S)
    pid, child = mine.recv()
    os.kill(pid, signal.SIGKILL)
    assert is_gone(child)
    parent.join()
    parent.close()
    mine.close()
    its_own.close()


def test_a_line_that_others_hold_hides_no_death() -> None:
    """The wait for a result ends with the process, and not with the programs that it has started."""
    mine, its_own = FORK.Pipe(duplex=False)
    process = started(lends_all, its_own)
    begin = time.monotonic()
    with pytest.raises(errors.ProcessDied, match="exited with code 3"):
        process.result(PATIENCE_S)
    assert time.monotonic() - begin < PATIENCE_S / 2
    os.kill(mine.recv(), signal.SIGKILL)
    process.close()
    mine.close()
    its_own.close()


def what_the_library_knows() -> tuple[Any, ...]:
    """Return what the standard library has noted in this process."""
    parent, own = multiprocessing.parent_process(), multiprocessing.current_process()
    assert parent is not None
    return (
        (own.name, own.daemon, own.pid == os.getpid(), parent.name, parent.pid, parent.is_alive(), standard._children),  # type: ignore[attr-defined]
        (threading.current_thread() is threading.main_thread(), threading.main_thread().native_id == os.getpid()),
        (next(standard._process_counter), util._finalizer_registry),  # type: ignore[attr-defined]
    )


def test_it_knows_itself_as_a_process_of_the_standard_library_does() -> None:
    """Its name, its parent, its threads, and nothing of its parent's children."""
    mine, its_own = FORK.Pipe(duplex=False)
    other = FORK.Process(target=lambda: its_own.send(what_the_library_knows()), name="one", daemon=True)
    other.start()
    assert mine.poll(PATIENCE_S)
    process = corewise.Process(target=what_the_library_knows, name="one", daemon=True, start_method="fork")
    process.start()
    assert process.result(PATIENCE_S) == mine.recv()
    for one in (process, other):
        one.join()
        one.close()
    mine.close()
    its_own.close()


def ends(how: Any) -> None:
    """End in some way, with something to be done at the end."""
    util.get_logger()
    util.log_to_stderr(util.INFO)
    util.Finalize(None, os.write, (2, b"finalized\n"), exitpriority=1)
    threading.Thread(target=lambda: (time.sleep(0.05), os.write(2, b"thread\n"))).start()
    sys.stdout.write("not yet written ")
    if isinstance(how, Exception):
        raise how
    sys.exit(how)


@pytest.mark.parametrize("how", [None, 0, 7, "in words", ValueError("no such value")], ids=str)
def test_it_ends_as_a_process_of_the_standard_library_does(how: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """With the same code, the same words, and the same things done in the same order."""
    seen = []
    for kind in (FORK.Process, corewise.Process):
        process = kind(target=ends, args=(how,), name="one")
        process.start()
        process.join()
        written, said = capfd.readouterr()
        lines = [line for line in said.splitlines() if not line.startswith((" ", "Traceback"))]
        seen.append((process.exitcode, written, lines))
        process.close()
    assert seen[0] == seen[1]


def test_what_a_process_was_not_passed_is_closed_in_it_with_all_its_descriptors() -> None:
    """Those of the blocks in which an end has sent arrays, too."""
    mine, its_own = corewise.Pipe()
    receiver = started(its_own.recv)
    mine.send(np.ones(1_000_000))
    assert len(receiver.result(PATIENCE_S)) == 1_000_000
    receiver.join()

    def blocks() -> int:
        files = list(Path("/proc/self/fd").iterdir())
        return sum("memfd" in str(file.readlink()) for file in files if file.is_symlink())

    assert blocks() > 0
    process = started(blocks)
    assert process.result(PATIENCE_S) == 0
    mine.send(1)
    assert its_own.recv() == 1, "the end here was to stay as it was"
    process.join()
    for one in (process, receiver, mine, its_own):
        one.close()


def test_what_others_have_put_in_place_of_the_standard_librarys_way_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As tools do that measure in child processes what is covered by tests."""
    library: Any = standard.BaseProcess
    theirs = library._bootstrap

    def instead(self: Any, *args: Any) -> Any:
        os.environ["IN_BETWEEN"] = "yes"
        return theirs(self, *args)

    monkeypatch.setattr(library, "_bootstrap", instead)
    process = started(lambda: (os.environ.get("IN_BETWEEN"), sys.stdin and sys.stdin.read()))
    assert process.result(PATIENCE_S) == ("yes", "" if sys.stdin else None)
    process.join()
    process.close()
