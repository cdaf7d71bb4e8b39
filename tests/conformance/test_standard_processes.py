"""CPython's own tests of `multiprocessing` processes and connections, run against those of corewise.

They come with the interpreter, where it has its test package. Several programs, which differ in start method and
subject, run them at the same time, as they wait for the most part.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

PROGRAM = Path(__file__).parent / "standard_processes.py"
LIMIT_OF_ONE_S = 60.0
OF_PIPES = ["_TestConnection", "_TestSubclassingProcess", "_TestPicklingConnections"]
# What runs in one program: a start method, and classes of tests.
RUNS = {
    "fork, processes": ["_TestProcess"],
    "fork, pipes": [*OF_PIPES, "_TestPollEintr", "_TestAtExit"],
    "fork, waiting": ["TestWait", "TestIgnoreEINTR"],
    "fork, polling": ["_TestPoll", "_TestListenerClient"],
    "forkserver": [*OF_PIPES, "TestNoForkBomb"],
    "spawn": [*OF_PIPES, "TestNoForkBomb"],
}
FEWEST = 4  # tests that pass in each of them
EXCLUDED = {
    "test_parent_process": "demands that a process goes on when its parent is killed; ours ends with it",
}


class Run(NamedTuple):
    """A program that runs tests."""

    program: subprocess.Popen[bytes]
    report: Path
    output: Path


def _start(name: str, folder: Path) -> Run:
    folder.mkdir()
    method = name.partition(",")[0]
    report, output = folder / "report.jsonl", folder / "output"
    classes = ",".join(RUNS[name])
    command = [sys.executable, str(PROGRAM), method, str(report), str(LIMIT_OF_ONE_S), classes, *EXCLUDED]
    with output.open("wb") as file:
        program = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    return Run(program, report, output)


def _problems(run: Run) -> list[str]:
    """Wait for a program, and say what went wrong in it."""
    program, report, output = run
    program.wait()
    told = [json.loads(line) for line in report.read_text("utf-8").splitlines()] if report.exists() else []
    said = output.read_text("utf-8", errors="replace")[-20_000:]
    outcomes = [line for line in told if line["outcome"] not in {"started", "excluded"}]
    problems = [f"{line['test']}: {line['detail']}" for line in outcomes if line["outcome"] == "failed"]
    begun = Counter(line["test"] for line in told if line["outcome"] == "started")
    problems += [f"{test} did not end:\n{said}" for test in begun - Counter(line["test"] for line in outcomes)]
    if program.returncode and not problems:
        problems = [f"the program ended with exit code {program.returncode}; it printed:\n{said}"]
    if sum(line["outcome"] == "passed" for line in outcomes) < FEWEST:
        problems.append(f"of so many tests only {len(outcomes)} were run:\n{said}")
    return problems


@pytest.mark.skipif(
    importlib.util.find_spec("test") is None or importlib.util.find_spec("test._test_multiprocessing") is None,
    reason="this Python comes without its tests of multiprocessing",
)
@pytest.mark.timeout(300)
def test_the_standard_tests_pass(tmp_path: Path) -> None:
    """Each one that is not excluded passes, or says itself that it does not apply."""
    runs: dict[str, Run] = {}
    try:
        for name in RUNS:
            runs[name] = _start(name, tmp_path / name)
        problems = [f"{name}: {problem}" for name, run in runs.items() for problem in _problems(run)]
    finally:
        for run in runs.values():
            with suppress(ProcessLookupError):
                os.killpg(run.program.pid, signal.SIGKILL)  # what a test that hung has left
            run.program.wait()
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def test_every_exclusion_names_a_test() -> None:
    """An exclusion that has lost its test goes."""
    found = importlib.util.find_spec("test._test_multiprocessing") if importlib.util.find_spec("test") else None
    if found is None or found.origin is None:
        pytest.skip("this Python comes without its tests of multiprocessing")
    source = Path(found.origin).read_text("utf-8")
    assert [name for name in EXCLUDED if f"def {name}(" not in source] == []
