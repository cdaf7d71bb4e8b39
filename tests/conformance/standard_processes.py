"""Runs CPython's own tests of `multiprocessing` with the processes and pipes of corewise.

    python standard_processes.py START_METHOD REPORT LIMIT_S CLASSES [EXCLUDED...]

CLASSES are names of test classes, separated by commas. REPORT and the limit of each test are those of `standard_tests`.
The substitution is made when this file is imported, so that children that are not forked make it as well.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from standard_tests import Report, cases

import corewise

multiprocessing.Process = corewise.Process  # type: ignore[misc]
multiprocessing.Pipe = corewise.Pipe  # type: ignore[assignment]

from test import _test_multiprocessing as standard  # noqa: E402 - looks for the names above


def _own(name: str) -> type[unittest.TestCase]:
    """Return a class of tests that is found by its name in the main module, as children look for it there."""
    base = getattr(standard, name)
    bases = (base,) if issubclass(base, unittest.TestCase) else (base, standard.ProcessesMixin, unittest.TestCase)
    return type(name, bases, {"__module__": "__main__", "__qualname__": name})


CLASSES = [name for name in sys.argv[4].split(",") if hasattr(standard, name)]  # some came with later versions
for one in CLASSES:
    globals()[one] = _own(one)


def main(start_method: str, report: str, limit_s: str, _: str, *excluded: str) -> None:
    """Run the tests of some classes, with processes that are started in one way."""
    multiprocessing.set_start_method(start_method, force=True)
    loader = unittest.defaultTestLoader
    chosen = cases(unittest.TestSuite(loader.loadTestsFromTestCase(globals()[name]) for name in CLASSES))
    with Path(report).open("w", encoding="utf-8") as file:
        result = Report(file, float(limit_s))
        for case in chosen:
            if case.id().endswith(excluded):
                result.tell(case, "excluded")
        unittest.TestSuite(case for case in chosen if not case.id().endswith(excluded)).run(result)
    faulthandler.dump_traceback_later(float(limit_s), exit=True)  # for the end of the program itself


if __name__ == "__main__":
    main(*sys.argv[1:])
