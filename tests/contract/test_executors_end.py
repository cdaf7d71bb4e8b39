"""How programs end that have an executor: work pending, nobody shuts it down, forks. Real programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import programs
import pytest
from executor_kinds import ALL, HERE_IN_BACKGROUND, NAMES

import corewise

if TYPE_CHECKING:
    from pathlib import Path

every_kind = pytest.mark.parametrize("kind", ALL)

WORK = """
import asyncio, os, sys, threading, time
import corewise

def say(word):
    time.sleep(0.05)  # so that the program is at its end before
    os.write(1, f"{{word}}\\n".encode())  # in one piece, as two threads write
    return word

async def say_later(word):
    await asyncio.sleep(0.05)
    os.write(1, f"{{word}}\\n".encode())
    return word

def make():
    return corewise.{name}(2)

work = say_later if "{name}" == "AsyncioExecutor" else say
"""


def outcome(tmp_path: Path, kind: str, text: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of a program."""
    process = programs.start_in(tmp_path, WORK.format(name=NAMES[kind]) + text)
    try:
        output, errors = process.communicate(timeout=15)
    finally:
        programs.kill_group(process)
    return process.returncode, output, errors


@every_kind
@pytest.mark.parametrize("ending", ["pass", "executor.shutdown(wait=False)", "del executor"])
def test_work_is_finished_before_the_program_ends(tmp_path: Path, kind: str, ending: str) -> None:
    """Whether the executor is forgotten, shut down without waiting, or dropped."""
    text = f"""
if __name__ == "__main__":
    executor = make()
    for number in range(6):
        executor.submit(work, str(number))
    {ending}
"""
    code, output, errors = outcome(tmp_path, kind, text)
    assert (code, errors) == (0, "")
    assert sorted(output.split()) == list("012345")


@every_kind
def test_nothing_is_taken_when_the_interpreter_ends(tmp_path: Path, kind: str) -> None:
    """A function that runs at exit gets a RuntimeError instead of a future that nobody decides."""
    text = """
import atexit

@atexit.register
def too_late():
    try:
        executor.submit(work, "late")
    except RuntimeError as error:
        print(error, flush=True)

if __name__ == "__main__":
    executor = make()
    executor.submit(work, "early").result()
"""
    code, output, errors = outcome(tmp_path, kind, text)
    assert (code, errors) == (0, "")
    if kind == "sync":  # it needs nobody to run a call
        assert output.split() == ["early", "late"]
    else:
        early, refusal = output.splitlines()
        assert early == "early"
        assert refusal.startswith("cannot schedule new futures after")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@every_kind
def test_a_forked_child_is_told_to_make_its_own_executor(tmp_path: Path, kind: str) -> None:
    """The workers stayed in the parent, where they go on; the child ends as it should."""
    # What `multiprocessing` does at the end of a program fails in a child that shares its parent's processes.
    ending = "os._exit(0)" if kind == "processes" else "sys.exit(0)"
    text = f"""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is what this is about

if __name__ == "__main__":
    executor = make()
    executor.submit(work, "before").result()
    child = os.fork()
    if child == 0:
        try:
            executor.submit(work, "in the child")
        except RuntimeError as error:
            print("make an executor in the child" in str(error), flush=True)
        with make() as own:
            own.submit(work, "own").result()
        executor.shutdown(wait=False)
        {ending}
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    executor.submit(work, "after").result()
"""
    code, output, errors = outcome(tmp_path, kind, text)
    assert (code, errors) == (0, "")
    assert output.splitlines() == ["before", "True", "own", "0", "after"]


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
@pytest.mark.parametrize("kind", HERE_IN_BACKGROUND)
def test_threads_of_a_dropped_executor_are_gone(tmp_path: Path, kind: str) -> None:
    """A thousand executors, each used and dropped, leave nothing that grows."""
    text = """
if __name__ == "__main__":
    async def nothing_later():
        pass

    def nothing():
        pass

    for _ in range(1000):
        make().submit(nothing_later if work is say_later else nothing).result()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    print(threading.active_count(), len(os.listdir("/proc/self/fd")) < 20)
"""
    code, output, errors = outcome(tmp_path, kind, text)
    assert (code, errors) == (0, "")
    assert output.split() == ["1", "True"]


@pytest.mark.parametrize("make", [corewise.ProcessExecutor, corewise.Pool])
def test_what_has_come_to_its_end_is_let_go_without_a_finalizer(make: Any) -> None:
    """Python swallows a Ctrl-C that hits one; so nothing of ours is run then."""
    with make(1) as workers:
        results = (workers.map if make is corewise.ProcessExecutor else workers.imap)(abs, [-1, -2])
        assert list(results) == [1, 2]
    ran: list[str] = []
    sys.setprofile(lambda frame, event, _: ran.append(frame.f_code.co_name) if event == "call" else None)
    try:
        del results, workers
    finally:
        sys.setprofile(None)
    assert ran == []
