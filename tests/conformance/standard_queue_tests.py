"""Runs CPython's own tests of `multiprocessing`'s queues against the queues of corewise.

    python standard_queue_tests.py START_METHOD REPORT LIMIT_S EXCLUDED...

The report is that of `standard_tests`. Children that are spawned import this file to find the tests, and get the queues
as arguments.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import sys
import unittest
from pathlib import Path

from test import _test_multiprocessing as standard

import corewise

sys.path.insert(0, str(Path(__file__).parent))
from standard_tests import Report, cases

multiprocessing.Queue = corewise.Queue  # type: ignore[assignment,misc]
multiprocessing.JoinableQueue = corewise.JoinableQueue  # type: ignore[assignment,misc]
multiprocessing.SimpleQueue = corewise.SimpleQueue  # type: ignore[assignment,misc]


class TestQueue(standard._TestQueue, standard.ProcessesMixin, unittest.TestCase):  # type: ignore[misc,name-defined]
    """The tests of `Queue` and `JoinableQueue`."""

    Queue = staticmethod(corewise.Queue)
    JoinableQueue = staticmethod(corewise.JoinableQueue)


class TestSimpleQueue(standard.TestSimpleQueue):  # type: ignore[misc,name-defined]
    """Those of `SimpleQueue`."""


def main(method: str, report: str, limit_s: str, *excluded: str) -> None:
    """Run the tests with one start method."""
    multiprocessing.set_start_method(method, force=True)  # the tests have set one as they were imported
    with Path(report).open("w", encoding="utf-8") as file:
        result = Report(file, float(limit_s))
        for kind in (TestQueue, TestSimpleQueue):
            for case in cases(unittest.defaultTestLoader.loadTestsFromTestCase(kind)):
                if case.id().endswith(excluded):
                    result.tell(case, "excluded")
                else:
                    case.run(result)
    faulthandler.dump_traceback_later(float(limit_s), exit=True)  # for the end of the program itself


if __name__ == "__main__":
    import standard_queue_tests  # under the name by which children find it

    standard_queue_tests.main(*sys.argv[1:])
