"""CPython's own tests of `concurrent.futures`, run against the executors of corewise.

They come with the interpreter, where it has its test package (from Python 3.12 on, whose tests are one file for each
subject). A module of them runs in a program of its own, once for threads and once for each start method.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import corewise

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent / "standard_tests.py"
LIMIT_OF_ONE_S = 60.0  # the longest takes 6 s; beside busy neighbours anything may take ten times as long

BREAKS = "demands that what fails while it is unpickled ends the pool; ours raises that very error, and goes on"
LOOKS_INSIDE = "reads private attributes of the standard pool"
# Tests of the standard process pool that are not run against ours, and why not.
NOT_OF_PROCESSES = {
    "test_killed_child": "demands that the death of a worker ends the pool; ours goes on",
    "test_error_at_task_unpickle": BREAKS,
    "test_exit_at_task_unpickle": BREAKS,
    "test_error_during_result_unpickle_in_result_handler": BREAKS,
    "test_exit_during_result_unpickle_in_result_handler": BREAKS,
    "test_saturation": f"{LOOKS_INSIDE}: _processes",
    "test_idle_process_reuse_one": f"{LOOKS_INSIDE}: _processes",
    "test_idle_process_reuse_multiple": f"{LOOKS_INSIDE}: _processes",
    "test_max_tasks_per_child": f"{LOOKS_INSIDE}: _processes",
    "test_max_tasks_per_child_defaults_to_spawn_context": f"{LOOKS_INSIDE}: _mp_context",
    "test_python_finalization_error": "replaces a private function of threading, and demands a broken pool",
    "test_traceback": "demands a private class, _RemoteTraceback; ours is public",
    "test_processes_terminate": f"{LOOKS_INSIDE}: _processes",
    "test_context_manager_shutdown": f"{LOOKS_INSIDE}: _processes",
    "test_del_shutdown": f"{LOOKS_INSIDE}: _executor_manager_thread, _processes, _call_queue",
    "test_shutdown_no_wait": f"{LOOKS_INSIDE}: _executor_manager_thread, _processes, _call_queue",
    "test_shutdown_deadlock_pickle": f"{LOOKS_INSIDE}: _executor_manager_thread",
    "test_gh105829_should_not_deadlock_if_wakeup_pipe_full": "replaces private classes of the standard pool",
}
OF_THE_LOG = "reads what a worker has logged the moment the pool is broken; ours says so before that has come"
NOT_OF_SPAWN = {
    "FailingInitializerTest.test_initializer": OF_THE_LOG,
    "FailingInitializerResourcesTest.test_spawn": OF_THE_LOG,
    "FailingInitializerResourcesTest.test_forkserver": OF_THE_LOG,
}
NAMES_THE_CLASS = "demands that the class is called Future"
NOT_OF_FUTURES = {
    "test_cancel": "reads the private state, which says here that those who wait have been told",
    "test_repr": NAMES_THE_CLASS,
    "test_multiple_set_exception": NAMES_THE_CLASS,
    "test_multiple_set_result": NAMES_THE_CLASS,
}
EXCLUDED: dict[str, dict[str, str]] = {
    "threads": {},
    "futures": NOT_OF_FUTURES,
    **dict.fromkeys(("fork", "forkserver", "spawn"), NOT_OF_PROCESSES),
    "spawn": {**NOT_OF_PROCESSES, **NOT_OF_SPAWN},
}


def _modules() -> list[str]:
    try:
        package = importlib.util.find_spec("test.test_concurrent_futures")
    except ModuleNotFoundError:
        return []
    folders = (package.submodule_search_locations if package is not None else None) or []
    return sorted(file.stem for folder in folders for file in Path(folder).glob("test_*.py"))


def _runs() -> Iterator[object]:
    kinds = ["threads", *multiprocessing.get_all_start_methods()]
    without = {
        "test_future": kinds,
        "test_thread_pool": kinds[1:],
        "test_process_pool": ["threads"],
        "test_deadlock": ["threads"],
    }
    no_processes = pytest.mark.skipif(
        "ProcessExecutor" not in corewise.__all__, reason="corewise has no ProcessExecutor yet"
    )
    for module in _modules():
        for kind in ["futures", *kinds]:
            if (kind == "futures") == (module == "test_future") and kind not in without.get(module, []):
                marks = [no_processes] if kind in kinds[1:] else []
                yield pytest.param(module, kind, id=f"{module}-{kind}", marks=marks)


def _run(module: str, kind: str, report: Path) -> tuple[list[dict[str, str]], int, str]:
    """Return what was told of each test, the exit code, and the end of what the program printed."""
    command = [sys.executable, str(PROGRAM), module, kind, str(report), str(LIMIT_OF_ONE_S), *EXCLUDED[kind]]
    output = report.with_suffix(".output")
    with (
        output.open("wb") as file,
        subprocess.Popen(
            command, cwd=report.parent, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        ) as process,
    ):
        try:
            process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what a test that hung has left
    told = report.read_text("utf-8").splitlines() if report.exists() else []
    return (
        [json.loads(line) for line in told],
        process.returncode,
        output.read_text("utf-8", errors="replace")[-20_000:],
    )


@pytest.mark.skipif(not _modules(), reason="this Python comes without test.test_concurrent_futures as a package")
def test_this_python_brings_its_tests() -> None:
    """So the tests below are not none."""
    assert {"test_as_completed", "test_init", "test_shutdown", "test_thread_pool", "test_wait"} <= set(_modules())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("module", "kind"), list(_runs()))
def test_the_standard_tests_pass(module: str, kind: str, tmp_path: Path) -> None:
    """Each one that is not excluded passes, or says itself that it does not apply."""
    told, exitcode, output = _run(module, kind, tmp_path / "report.jsonl")
    outcomes = [line for line in told if line["outcome"] not in {"started", "excluded"}]
    problems = [f"{line['test']}: {line['detail']}" for line in outcomes if line["outcome"] == "failed"]
    begun = Counter(line["test"] for line in told if line["outcome"] == "started")
    ended = Counter(line["test"] for line in outcomes)
    problems += [f"{test} did not end; the program printed:\n{output}" for test in begun - ended]
    if exitcode and not problems:
        problems = [f"the program ended with exit code {exitcode}; it printed:\n{output}"]
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)
    assert any(line["outcome"] == "passed" for line in outcomes), output


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the names are those of Python 3.13")
def test_every_exclusion_names_a_test() -> None:
    """An exclusion that has lost its test goes."""
    package = importlib.util.find_spec("test.test_concurrent_futures")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0])
    sources = "\n".join(file.read_text("utf-8") for file in folder.glob("test_*.py"))
    assert [name for name in [*NOT_OF_PROCESSES, *NOT_OF_FUTURES] if f"def {name}(" not in sources] == []
