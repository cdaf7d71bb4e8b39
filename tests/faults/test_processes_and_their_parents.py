"""Programs with processes of their own: what becomes of these when the program goes, and how they start."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest
import running

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

METHODS = multiprocessing.get_all_start_methods()
PATIENCE_S = 15.0


def numbers_of(process: subprocess.Popen[str]) -> list[int]:
    """Read the numbers of the processes that the program has started, and of those that they have."""
    return [int(number) for line in running.lines_of(process, 2) for number in line.split()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["joining", "waiting", "result"])
def test_none_outlives_a_program_that_is_killed(method: str, how: str) -> None:
    """Nor do the processes that they have started."""
    with running.running("runs_processes", method, how) as process:
        numbers = numbers_of(process)
        process.kill()
        process.wait(PATIENCE_S)
        running.assert_ended(numbers)


@pytest.mark.parametrize("how", ["os._exit", "daemons"])
def test_none_outlives_a_program_that_ends_without_them(how: str) -> None:
    """As daemons, or because the program gives nobody the time to wait for them."""
    with running.running("runs_processes", "fork", how) as process:
        numbers = numbers_of(process)
        assert process.wait(PATIENCE_S) == 0
        running.assert_ended(numbers)


def test_a_killed_process_takes_its_own_along() -> None:
    """And nobody else's."""
    with running.running("runs_processes", "fork", "waiting") as process:
        one, its_own, other, its_other = numbers_of(process)
        os.kill(one, signal.SIGKILL)
        running.assert_ended([one, its_own])
        assert set(running.in_session(process.pid)) == {process.pid, other, its_other}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["joining", "result"])
def test_ctrl_c_ends_a_program_with_processes(method: str, how: str) -> None:
    """It goes to all of them, as a terminal sends it, and is raised where the program waits."""
    with running.running("runs_processes", method, how) as process:
        numbers = numbers_of(process)
        # Python looks for a Ctrl-C between two instructions, and none that comes just before it falls asleep is heard.
        running.wait_until_asleep([process.pid, *numbers])
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (130, -signal.SIGINT), said
        assert "KeyboardInterrupt" in said
        running.assert_ended(numbers)


@pytest.mark.parametrize("method", METHODS)
def test_a_program_needs_no_guard(method: str) -> None:
    """It is not run again in the child, whatever way that is started."""
    assert running.run("without_guard", method) == "the program runs\n42 True\n"


def test_a_module_that_starts_a_process_on_import_is_told_what_to_write(tmp_path: Path) -> None:
    """It has to be imported by the child, where the start would be met again."""
    with running.running("starts_on_import", tmp_path) as process:
        output, said = process.communicate(timeout=PATIENCE_S)
    assert output == "exit code 1\n"
    assert 'if __name__ == "__main__":' in said


def test_a_program_from_standard_input_needs_no_file() -> None:
    """What it defines is sent by value."""
    program = (
        "import corewise\n"
        "def work(x):\n    return x + 1\n"
        "for method in ('fork', 'forkserver', 'spawn'):\n"
        "    process = corewise.Process(target=work, args=(1,), start_method=method)\n"
        "    process.start(); print(process.result(20)); process.join()\n"
    )
    assert running.run("-", stdin=program) == "2\n2\n2\n"
