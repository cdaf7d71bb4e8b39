"""The program goes, by whatever death or of itself: no worker outlives it, and no pending work is lost in silence."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import running
from signposts import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

START_METHODS = ["fork", "forkserver", "spawn"]


def wait_for(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a program's end, at most as long as a fault may take to show itself."""
    return process.communicate(timeout=PATIENCE_S)


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Press Ctrl-C and wait for the program's end; press again where Python says that it has swallowed it.

    So it does with what is raised in a finalizer or in the callback of a weak reference, such as the one for the lock
    of each module that is loaded.
    """
    os.killpg(process.pid, signal.SIGINT)
    try:
        return wait_for(process)
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode()
        if "Exception ignored in" not in said or "KeyboardInterrupt" not in said:
            raise
    os.killpg(process.pid, signal.SIGINT)
    return wait_for(process)


@pytest.mark.parametrize("start_method", START_METHODS)
def test_no_worker_outlives_a_program_that_is_killed(start_method: str) -> None:
    """By SIGKILL, which nothing can be done about, by SIGTERM, as batch systems do, by SIGHUP; idle and busy."""
    cases = [
        ("idle", signal.SIGKILL),
        ("idle", signal.SIGTERM),
        ("busy", signal.SIGKILL),
        ("busy", signal.SIGTERM),
        ("waiting", signal.SIGKILL),
        ("waiting inside with", signal.SIGHUP),
    ]
    with ExitStack() as programs:
        started = [
            (programs.enter_context(running.running("ends_oddly", how, start_method, "-")), death)
            for how, death in cases
        ]
        for (process, _), (how, _) in zip(started, cases, strict=True):
            running.lines_of(process, 3 if how == "idle" else 2)
        for process, death in started:
            os.kill(process.pid, death)
        for process, death in started:
            process.wait(PATIENCE_S)
            assert process.returncode == -death
            running.assert_all_gone(process.pid)


@pytest.mark.parametrize("start_method", START_METHODS)
def test_no_worker_outlives_a_program_that_leaves_by_os_exit(start_method: str) -> None:
    """No handler of Python's is run then."""
    with running.running("ends_oddly", "os._exit", start_method, "-") as process:
        running.lines_of(process, 2)
        os.kill(process.pid, signal.SIGUSR1)
        process.wait(PATIENCE_S)
        assert process.returncode == 7
        running.assert_all_gone(process.pid)


@pytest.mark.parametrize("start_method", START_METHODS)
def test_ctrl_c_ends_a_program_with_an_executor(start_method: str) -> None:
    """SIGINT goes to the whole group, as a terminal sends it; one traceback, no false success, nothing left."""
    cases = ["busy", "waiting", "waiting inside with", "mapping inside with", "leaving with", "idle"]
    with ExitStack() as programs:
        started = [programs.enter_context(running.running("ends_oddly", how, start_method, "-")) for how in cases]
        for process, how in zip(started, cases, strict=True):
            running.lines_of(process, 3 if how == "idle" else 2)
        for process in started:
            os.killpg(process.pid, signal.SIGINT)
        for process, how in zip(started, cases, strict=True):
            _, said = wait_for(process)
            assert process.returncode in (130, -signal.SIGINT), (how, process.returncode, said)
            assert said.count("Traceback (most recent call last)") == 1, (how, said)
            assert said.rstrip().endswith("KeyboardInterrupt"), (how, said)
            running.assert_all_gone(process.pid)


@pytest.mark.parametrize("start_method", START_METHODS)
def test_ctrl_c_at_eight_moments_of_a_run(start_method: str) -> None:
    """From the first line of the program to the middle of its work."""
    with ExitStack() as programs:
        for moment in range(8):
            process = programs.enter_context(running.running("interrupted", "executor", 1, start_method))
            running.lines_of(process, 1)
            time.sleep(0.02 * moment)  # the moment is the subject; nothing is waited for
            output, said = interrupted(process)
            assert (output, process.returncode) == ("end\n", 0), (moment, said)
            running.assert_all_gone(process.pid)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("what", "times", "within_s"), [("executor", 100, 0.03), ("map", 100, 0.03), ("auto", 8, 1.2)])
def test_ctrl_c_at_many_random_moments_leaves_nothing(what: str, times: int, within_s: float) -> None:
    """Of one program, which takes each as the end of what it was doing and looks whether anything is left of it."""
    # Python swallows what is raised in a finalizer or in the callback of a weak reference, and a Ctrl-C that hits one
    # with it: some one in a thousand here. Then it is pressed again, as a user would; not more often than twice in all.
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    swallowed = 0
    with running.running("interrupted", what, times) as process:
        for turn in range(times):
            while turn and not select.select([process.stdout], [], [], 3.0)[0]:
                swallowed += 1
                os.killpg(process.pid, signal.SIGINT)
            assert running.lines_of(process, 1) == ["now"], (seed, turn)
            time.sleep(moments.random() * within_s)  # the moment is the subject; nothing is waited for
            os.killpg(process.pid, signal.SIGINT)
        while not select.select([process.stdout], [], [], 3.0)[0]:
            swallowed += 1
            os.killpg(process.pid, signal.SIGINT)
        assert swallowed <= 2, seed
        output, said = wait_for(process)
        assert (output, process.returncode) == ("end\n", 0), (seed, said)
        running.assert_all_gone(process.pid)


def test_who_waits_again_after_a_ctrl_c_waits_to_the_end(tmp_path: Path) -> None:
    """CPython before 3.13 takes a thread for dead once a Ctrl-C has broken off the wait for it."""
    said = running.run("shut_down_twice", tmp_path / "pipe").splitlines()
    assert said == ["broken off False", "True {}"]


@pytest.mark.parametrize("start_method", START_METHODS)
@pytest.mark.parametrize(
    ("how", "code"),
    [("work pending", 0), ("shut down without waiting", 0), ("dropped", 0), ("raising", 1), ("sys.exit", 5)],
)
def test_pending_work_is_done_before_the_program_ends(start_method: str, how: str, code: int, tmp_path: Path) -> None:
    """As with the standard library, whether it was shut down or not; and the program's own exit code stays."""
    path = tmp_path / "log"
    with running.running("ends_oddly", how, start_method, path) as process:
        _, said = wait_for(process)
        assert process.returncode == code, said
        assert sorted(map(int, path.read_text(encoding="ascii").split())) == list(range(50))
        assert said.count("Traceback") == (how == "raising"), said
        running.assert_all_gone(process.pid)


def test_a_program_read_from_standard_input_works() -> None:
    """There is no file that workers could import; functions and classes travel by value."""
    text = """
import multiprocessing
import corewise
class Point:
    def __init__(self, x): self.x = x
def double(point): return Point(point.x * 2)
for method in ("fork", "forkserver", "spawn"):
    with corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context(method)) as executor:
        points = [executor.submit(double, Point(1)).result(), *executor.map(double, [Point(2)])]
        print([point.x for point in points], all(type(point) is Point for point in points))
"""
    assert running.run("-", stdin=text).splitlines() == ["[2, 4] True"] * 3


@pytest.mark.parametrize("start_method", START_METHODS)
def test_a_missing_main_guard_is_explained_or_not_needed(start_method: str, tmp_path: Path) -> None:
    """Forked workers do not import the program; for the others the error says what to write, and nothing multiplies."""
    program = tmp_path / "unguarded.py"
    program.write_text(f"""
import multiprocessing
import corewise
with corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context({start_method!r})) as executor:
    print(executor.submit(abs, -5).result())
""")
    with running.running(str(program)) as process:
        output, said = wait_for(process)
        running.assert_all_gone(process.pid)
    if start_method == "fork":
        assert (output, said, process.returncode) == ("5\n", "", 0)
    else:
        assert process.returncode == 1
        assert output == ""
        assert 'if __name__ == "__main__":' in said
