"""CPython's own tests of `multiprocessing`'s queues, run against those of corewise, with each start method."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "standard_queue_tests.py"
LIMIT_OF_ONE_S = 60.0  # the longest takes 3 s; beside busy neighbours anything may take ten times as long
TESTS = 10  # of 14 at least that there are

# Tests that are not run, and why not.
EXCLUDED = {
    "test_queue_feeder_donot_stop_onexc": "demands that `put` takes what cannot be pickled and drops it; ours raises",
    "test_queue_feeder_on_queue_feeder_error": "is about a private hook of the thread behind the standard queue",
    "test_closed_queue_empty_exceptions": "demands an error for asking a closed queue; ours may still hold items",
    "test_empty_exceptions": "the same, of `SimpleQueue`",
    "test_closed": "reads private attributes of the standard queue",
}


def _has_tests() -> bool:
    try:
        return importlib.util.find_spec("test._test_multiprocessing") is not None
    except ModuleNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not _has_tests(), reason="this Python comes without its tests")


@pytest.mark.timeout(600)
def test_the_standard_tests_pass(tmp_path: Path) -> None:
    """Each one that is not excluded, with each start method; all of them at once, as they sleep most of the time."""
    methods = multiprocessing.get_all_start_methods()
    problems: list[str] = []
    with ExitStack() as running:
        programs = {method: _start(method, tmp_path, running) for method in methods}
        for method, program in programs.items():
            program.wait()
            problems += _problems(method, program.returncode, tmp_path)
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def _start(method: str, folder: Path, running: ExitStack) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(PROGRAM), method, str(folder / method), str(LIMIT_OF_ONE_S), *EXCLUDED]
    output = running.enter_context((folder / f"{method}.output").open("wb"))
    own_folder = folder / f"{method}.files"
    own_folder.mkdir()
    program = running.enter_context(
        subprocess.Popen(
            command, cwd=own_folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    )
    running.callback(_end, program.pid)
    return program


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)  # what a test that hung has left


def _problems(method: str, exitcode: int, folder: Path) -> list[str]:
    report = folder / method
    told = [json.loads(line) for line in report.read_text("utf-8").splitlines()] if report.exists() else []
    failed = [f"{method}: {line['test']}: {line['detail']}" for line in told if line["outcome"] == "failed"]
    passed = sum(line["outcome"] == "passed" for line in told)
    if not failed and (exitcode or passed < TESTS):
        output = (folder / f"{method}.output").read_text("utf-8", errors="replace")[-20_000:]
        failed = [f"{method}: {passed} passed, and the program ended with exit code {exitcode}; it printed:\n{output}"]
    return failed


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the names are those of Python 3.13")
def test_every_exclusion_names_a_test() -> None:
    """An exclusion that has lost its test goes."""
    spec = importlib.util.find_spec("test._test_multiprocessing")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text("utf-8")
    assert [name for name in EXCLUDED if f"def {name}(" not in source] == []
