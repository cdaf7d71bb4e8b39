"""How a whole program ends: by Ctrl-C, by a kill, by itself. Real programs, real signals."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import programs
import pytest

import corewise

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by pidfd")

START_METHODS = ["fork", "forkserver", "spawn"]

# Workers say their process ids and then never end by themselves; "busy" holds the GIL in C code all the while.
BUSY = """
import os, sys, time
import corewise

def work(how):
    os.write(1, f"{{os.getpid()}}\\n".encode())  # in one piece, as two workers write to one pipe
    if how == "sleeping":
        time.sleep(600)
    if how == "computing":
        while True:
            pass
    if how == "holding the GIL in C":
        (1 << 40_000_000) ** 9

if __name__ == "__main__":
    corewise.map(work, [{how!r}] * 2, approach="processes", workers=2, start_method={start_method!r})
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Collect programs that are killed, whatever happens."""
    found: list[subprocess.Popen[str]] = []
    yield found
    for process in found:
        programs.kill_group(process)


def start_busy(
    started: list[subprocess.Popen[str]], tmp_path: Path, how: str, start_method: str
) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a program whose two workers are at work, and return it with their process ids."""
    text = BUSY.format(how=how, start_method=start_method)
    process = programs.start_in(tmp_path, text)
    started.append(process)
    pids = [int(line) for line in programs.wait_for_lines(process, 2)]
    return process, pids


@pytest.mark.parametrize("start_method", START_METHODS)
@pytest.mark.parametrize("how", ["sleeping", "computing", "holding the GIL in C"])
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_parent_that_is_killed(
    started: list[subprocess.Popen[str]], tmp_path: Path, how: str, start_method: str, death: signal.Signals
) -> None:
    """The kernel ends them, whatever they are doing."""
    process, pids = start_busy(started, tmp_path, how, start_method)
    os.kill(process.pid, death)
    process.wait()
    assert programs.gone_within(pids, 10) == []


@pytest.mark.parametrize("start_method", START_METHODS)
def test_ctrl_c_ends_the_program_with_one_traceback(
    started: list[subprocess.Popen[str]], tmp_path: Path, start_method: str
) -> None:
    """SIGINT goes to the whole process group, as a terminal sends it; only the caller speaks."""
    process, pids = start_busy(started, tmp_path, "sleeping", start_method)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert time.monotonic() - begin < 5
    assert process.returncode in (130, -signal.SIGINT)
    assert errors.count("Traceback") == 1, errors
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert programs.gone_within(pids, 5) == []


@pytest.mark.parametrize("approach", ["threads", "asyncio", "sync", "auto"])
def test_ctrl_c_ends_the_other_approaches(started: list[subprocess.Popen[str]], approach: str) -> None:
    """Also while all workers wait."""
    text = f"""
import asyncio, time
import corewise

def wait(_):
    print("waiting", flush=True)
    time.sleep(600)

async def wait_later(_):
    print("waiting", flush=True)
    await asyncio.sleep(600)

corewise.map(wait_later if {approach!r} == "asyncio" else wait, range(2), approach={approach!r})
"""
    process = programs.start(text)
    started.append(process)
    programs.wait_for_lines(process, 2 if approach == "auto" else 1)  # the second by a thread beside the first item
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode in (130, -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors


@pytest.mark.timeout(120)
def test_ctrl_c_at_any_moment_leaves_nothing(started: list[subprocess.Popen[str]]) -> None:
    """Fifty times, at a random moment of a program that opens and closes pools all the time."""
    text = """
import corewise
corewise.map(abs, range(200), approach="processes", workers=2)
print("begun", flush=True)  # all is imported: what is hit now is the pool
while True:
    corewise.map(abs, range(200), approach="processes", workers=2)
"""
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    for _ in range(50):
        process = programs.start(text)
        started.append(process)
        programs.wait_for_lines(process, 1)
        # A pause of random length is the subject of this test, not a way to synchronise.
        time.sleep(moments.random() * 0.05)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=15)
        assert process.returncode in (130, -signal.SIGINT), (seed, output, errors)
        assert errors.count("Traceback") == 1, (seed, errors)
        assert not _alive_in_group(process.pid), seed


def _alive_in_group(group: int) -> bool:
    """Return whether any process of a group is left."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.005)  # nothing tells when a group is empty
    return True


def test_a_program_read_from_standard_input_works(started: list[subprocess.Popen[str]]) -> None:
    """There is no file that workers could import; functions travel by value."""
    text = """
import corewise
class Point:
    def __init__(self, x): self.x = x
def double(point): return Point(point.x * 2)
for method in ("fork", "forkserver", "spawn"):
    points = corewise.map(double, [Point(1), Point(2)], approach="processes", start_method=method)
    print([point.x for point in points], all(type(point) is Point for point in points))
"""
    process = programs.start(text, stdin=True)
    started.append(process)
    output, errors = process.communicate(timeout=15)
    assert output.splitlines() == ["[2, 4] True"] * 3, errors


def test_a_missing_main_guard_is_explained(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    """Under spawn the program would start itself again and again; the error says what to write."""
    text = """
import corewise
corewise.map(abs, [1, 2], approach="processes", start_method="spawn")
"""
    process = programs.start_in(tmp_path, text)
    started.append(process)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert 'if __name__ == "__main__":' in errors
    assert "WorkerStartError" in errors


def test_what_workers_print_is_not_lost(started: list[subprocess.Popen[str]]) -> None:
    """Also when their output is a pipe and they are killed right after."""
    text = """
import os, signal, sys
import corewise
def say(number):
    sys.stdout.write(f"said {number}\\n")  # in one piece, as two workers write to one pipe
    if number == 5:
        sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)
corewise.map(say, range(10), approach="processes", workers=2, on_error="return")
"""
    process = programs.start(text)
    started.append(process)
    output, _ = process.communicate(timeout=15)
    assert sorted(output.splitlines()) == [f"said {number}" for number in range(10)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("can't start new thread")], ids=repr)
def test_what_breaks_off_the_start_of_a_thread_is_what_is_raised(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that it cannot be waited for: one Ctrl-C in ten that came as threads were started ended in that."""
    start = threading.Thread.start

    def broken_off(thread: threading.Thread) -> None:
        if thread.name.endswith("-2"):
            raise error
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", broken_off)
    with pytest.raises(type(error)) as caught:
        corewise.map(time.sleep, [0.02] * 3, approach="threads", workers=3)
    assert caught.value is error
