"""Runs one module of CPython's own tests of `concurrent.futures` against the executors of corewise.

    python standard_tests.py MODULE KIND REPORT LIMIT_S EXCLUDED...

KIND is `threads`, `futures`, or the start method of the processes. One JSON object a line goes to the file REPORT: when
a test starts, and what came of it. A test that takes longer than LIMIT_S seconds ends the program, with all stacks;
so does an end of the program that takes so long.
"""

from __future__ import annotations

import concurrent.futures
import faulthandler
import importlib
import json
import sys
import unittest
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import corewise
from corewise._api.executors.future import CallFuture

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = "test.test_concurrent_futures"
HERE = str(Path(__file__).parent)
CHILDREN_BEGIN_WITH = f"import sys; sys.path.insert(0, {HERE!r}); import standard_tests; standard_tests.substitute()\n"


def substitute() -> None:
    """Put the executors of corewise in the place of the standard ones, for all who look for them from now on."""
    names = {"ThreadPoolExecutor": "ThreadExecutor", "ProcessPoolExecutor": "ProcessExecutor"}
    for standard, ours in names.items():
        if ours in corewise.__all__:
            executor = getattr(corewise, ours)
            setattr(concurrent.futures, standard, executor)
            setattr(concurrent.futures, ours, executor)  # programs that tests start import it by its own name


def load(module: str, kind: str) -> ModuleType:
    """Import a module of tests after the substitution, also where it starts programs of its own."""
    substitute()
    if kind == "futures":
        concurrent.futures._base.Future = CallFuture  # type: ignore[misc,attr-defined]
        concurrent.futures.Future = CallFuture  # type: ignore[misc]
    tests = importlib.import_module(f"{PACKAGE}.{module}")
    if hasattr(tests, "assert_python_ok"):
        run = tests.assert_python_ok

        def run_with_ours(option: str, program: str, *rest: str, **environment: str) -> Any:
            return run(option, CHILDREN_BEGIN_WITH + program, *rest, **environment)

        tests.assert_python_ok = run_with_ours
    return tests


def kind_of(case: unittest.TestCase) -> str:
    """Return which executor a test is about."""
    if type(case).__module__ == f"{PACKAGE}.test_future":
        return "futures"
    if not hasattr(case, "executor_type"):
        return "spawn"  # tests of what processes leave behind
    return getattr(case, "ctx", "threads")


def cases(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    """Return the tests of a suite, one by one."""
    found: list[unittest.TestCase] = []
    for part in suite:
        found.extend(cases(part) if isinstance(part, unittest.TestSuite) else [part])
    return found


class Report(unittest.TestResult):
    """Writes down each outcome as it comes, so that nothing is lost with the process."""

    def __init__(self, file: IO[str], limit_s: float) -> None:
        super().__init__()
        self._file = file
        self._limit_s = limit_s

    def tell(self, test: unittest.TestCase, outcome: str, detail: str = "") -> None:
        """Write one line."""
        self._file.write(json.dumps({"test": test.id(), "outcome": outcome, "detail": detail}) + "\n")
        self._file.flush()

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note that it began, and give it its limit."""
        super().startTest(test)
        self.tell(test, "started")
        faulthandler.dump_traceback_later(self._limit_s, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Take the limit away."""
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """It passed."""
        self.tell(test, "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        """It says itself that it does not apply."""
        self.tell(test, "skipped", reason)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """It raised, or the module could not be set up."""
        self.tell(test, "failed", self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """It found something wrong."""
        self.addError(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: N802, ARG002
        """A part of it found something wrong."""
        if err is not None:
            self.addError(test, err)


def main(module: str, kind: str, report: str, limit_s: str, *excluded: str) -> None:
    """Run the tests of a module that are about one kind of executor."""
    tests = load(module, kind)
    chosen = [case for case in cases(unittest.defaultTestLoader.loadTestsFromModule(tests)) if kind_of(case) == kind]
    with Path(report).open("w", encoding="utf-8") as file:
        result = Report(file, float(limit_s))
        for case in chosen:
            if case.id().endswith(excluded):
                result.tell(case, "excluded")
        unittest.TestSuite(case for case in chosen if not case.id().endswith(excluded)).run(result)
    faulthandler.dump_traceback_later(float(limit_s), exit=True)  # for the end of the program itself


if __name__ == "__main__":
    main(*sys.argv[1:])
