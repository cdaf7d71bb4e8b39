"""Runs CPython's own tests of `multiprocessing.Pool` against the one of corewise.

    python standard_pool_tests.py METHOD REPORT LIMIT_S EXCLUDED...

METHOD is the start method. REPORT and LIMIT_S are those of `standard_tests.py`.
"""

from __future__ import annotations

import faulthandler
import importlib
import multiprocessing
import sys
import unittest
from pathlib import Path
from typing import Any

from standard_tests import Report, cases

import corewise

CLASSES = {
    "WithProcessesTestPool": "",
    "WithProcessesTestPoolWorkerErrors": "",
    "WithProcessesTestPoolWorkerLifetime": "",
    "TestInitializers": "test_pool_initializer",
    "TestStdinBadfiledescriptor": "test_pool_in_process",
}


def pool(*args: Any, **kwargs: Any) -> corewise.Pool:
    """Return a pool whose workers are started by the method under test."""
    kwargs.setdefault("context", multiprocessing.get_context())
    return corewise.Pool(*args, **kwargs)


# Here, so that children which import this program find it all as well.
multiprocessing.Pool = pool  # type: ignore[assignment]
_test_multiprocessing: Any = importlib.import_module("test._test_multiprocessing")
_test_multiprocessing.install_tests_in_module_dict(globals(), sys.argv[1])


def main(report: str, limit_s: str, *excluded: str) -> None:
    """Run the tests of pools."""
    loader = unittest.defaultTestLoader
    suites = [loader.loadTestsFromTestCase(globals()[name]) for name in CLASSES]
    chosen = [
        case
        for case in cases(unittest.TestSuite(suites))
        if CLASSES[type(case).__name__] in ("", case.id().rpartition(".")[2])
    ]
    with Path(report).open("w", encoding="utf-8") as file:
        result = Report(file, float(limit_s))
        for case in chosen:
            if case.id().endswith(excluded):
                result.tell(case, "excluded")
        unittest.TestSuite(case for case in chosen if not case.id().endswith(excluded)).run(result)
    faulthandler.dump_traceback_later(float(limit_s), exit=True)  # for the end of the program itself


if __name__ == "__main__":
    main(*sys.argv[2:])
