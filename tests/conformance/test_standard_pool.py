"""CPython's own tests of `multiprocessing.Pool`, run against the one of corewise, once for each start method.

They come with the interpreter, where it has its test package.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "standard_pool_tests.py"
LIMIT_OF_ONE_S = 60.0  # the longest takes 2 s; beside busy neighbours anything may take ten times as long

LOOKS_INSIDE = "reads private attributes of the standard pool"
# Tests that are not run, and why not. What they are about is tested in tests/contract/test_pool*.py.
EXCLUDED = {
    "test_make_pool": f"{LOOKS_INSIDE}: _pool",
    "test_pool_worker_lifetime": f"{LOOKS_INSIDE}: _pool, _repopulate_pool",
    "test_resource_warning": f"{LOOKS_INSIDE}: _state; ours leaves nothing behind that would be worth a warning",
    "test_traceback": "demands a private class, RemoteTraceback; ours is public",
    "test_map_unplicklable": "demands the error of pickling itself; ours names the item, with that for its cause",
    "test_unpickleable_result": "demands that a lambda cannot be returned; ours can",
    "WithProcessesTestPool.test_imap_handle_iterable_exception": (
        "demands that the last items before the input raised are lost with their chunk; ours gives their results"
    ),
}


def _is_there() -> bool:
    try:
        return importlib.util.find_spec("test._test_multiprocessing") is not None
    except ModuleNotFoundError:
        return False


class Run:
    """The tests of one start method, in a program of their own.

    Args:
        method: the start method.
        folder: where to put what it tells.
    """

    def __init__(self, method: str, folder: Path) -> None:
        self._report, self._output = folder / f"{method}.jsonl", folder / f"{method}.output"
        command = [sys.executable, str(PROGRAM), method, str(self._report), str(LIMIT_OF_ONE_S), *EXCLUDED]
        with self._output.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    def told(self) -> list[dict[str, str]]:
        """Return what it has said of each test."""
        lines = self._report.read_text("utf-8").splitlines() if self._report.exists() else []
        return [json.loads(line) for line in lines]

    def printed(self) -> str:
        """Return the end of what it has printed."""
        return self._output.read_text("utf-8", errors="replace")[-20_000:]

    def problems(self) -> list[str]:
        """Wait for its end, and return what was wrong."""
        exitcode = self.process.wait()
        printed = self.printed()
        ended = {line["test"]: line for line in self.told() if line["outcome"] != "started"}
        outcomes = [line["outcome"] for line in ended.values()]
        problems = [f"{test}: {line['detail']}" for test, line in ended.items() if line["outcome"] == "failed"]
        lost = [line["test"] for line in self.told() if line["test"] not in ended]
        problems += [f"{test} did not end; the program printed:\n{printed}" for test in lost]
        if exitcode or "Dangling" in printed or outcomes.count("passed") <= len(EXCLUDED):
            problems.append(f"the program ended with exit code {exitcode}; it printed:\n{printed}")
        if outcomes.count("excluded") != len(EXCLUDED):
            problems.append("an exclusion has lost its test")
        return problems

    def end(self) -> None:
        """Kill what a test that hung has left."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.skipif(not _is_there(), reason="this Python comes without test._test_multiprocessing")
@pytest.mark.timeout(300)
def test_the_standard_tests_of_pools_pass(tmp_path: Path) -> None:
    """Each one that is not excluded passes, or says itself that it does not apply, with every start method."""
    # Side by side, as these tests sleep most of the time.
    runs = {method: Run(method, tmp_path) for method in multiprocessing.get_all_start_methods()}
    try:
        problems = [f"{method}: {problem}" for method, run in runs.items() for problem in run.problems()]
    finally:
        for run in runs.values():
            run.end()
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)
