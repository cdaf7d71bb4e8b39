"""Threads of BLAS and its kin are held to the cores that a worker owns, unless the user has said otherwise."""

from __future__ import annotations

import os
import sys

import own_process
import pytest

# Eight cores and as many threads of NumPy's BLAS, whatever the machine has.
EIGHT = """
import json, os, sys
from corewise._machine import native_limits
native_limits._every_core = lambda: 8
"""
WITH_BLAS = (
    EIGHT
    + """
import numpy, threadpoolctl
threadpoolctl.threadpool_limits(8)
def threads():
    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]
assert threads() == [8]
"""
)
NAMES = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without the user's wishes."""
    for name in (*NAMES, "GOTO_NUM_THREADS", native_limits_mark()):
        monkeypatch.delenv(name, raising=False)


def native_limits_mark() -> str:
    """Name the variable that says which ones are ours."""
    from corewise._machine import native_limits

    return native_limits._MARK


def _environment(program: str, **environment: str) -> dict[str, str]:
    show = f"\nprint({{name: os.environ[name] for name in {NAMES} if name in os.environ}})"
    shown: dict[str, str] = eval(own_process.run(EIGHT + program + show, **environment))
    return shown


def test_libraries_that_are_loaded_later_are_told_by_the_environment() -> None:
    """All that are known, and programs that the worker starts."""
    assert _environment("native_limits.limit(2)") == dict.fromkeys(NAMES, "2")


def test_what_the_user_has_set_stays() -> None:
    """Also what stands for others: most libraries heed OpenMP's variable when they find none of their own."""
    shown = _environment("native_limits.limit(2)", MKL_NUM_THREADS="5", POLARS_MAX_THREADS="6")
    assert shown == {**dict.fromkeys(NAMES, "2"), "MKL_NUM_THREADS": "5", "POLARS_MAX_THREADS": "6"}
    shown = _environment("native_limits.limit(2)", OMP_NUM_THREADS="5")
    others = ["VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"]
    assert shown == {"OMP_NUM_THREADS": "5", **dict.fromkeys(others, "2")}


def test_a_worker_that_owns_every_core_is_left_alone() -> None:
    """There is nothing to hold."""
    assert _environment("native_limits.limit(8)") == {}


def test_an_inner_worker_gets_less_and_the_users_wish_still_stays() -> None:
    """What the outer worker has set is not the user's; what a function changed since is."""
    program = "native_limits.limit(4); os.environ['MKL_NUM_THREADS'] = '3'; native_limits.limit(1)"
    assert _environment(program, POLARS_MAX_THREADS="4") == {
        **dict.fromkeys(NAMES, "1"),
        "MKL_NUM_THREADS": "3",
        "POLARS_MAX_THREADS": "4",
    }


def test_a_started_interpreter_holds_its_libraries_to_it() -> None:
    """NumPy's BLAS, loaded after the limit was set."""
    program = (
        "native_limits.limit(1); import numpy, threadpoolctl; print(threadpoolctl.threadpool_info()[0]['num_threads'])"
    )
    assert own_process.run(EIGHT + program) == "1"


def test_numba_is_not_confused_once_it_is_loaded() -> None:
    """It raises when its variable changes after its threads were started."""
    program = "sys.modules['numba'] = sys.modules['json']; native_limits.limit(2)"
    assert "NUMBA_NUM_THREADS" not in _environment(program)


@pytest.mark.parametrize("call", ["native_limits.limit(1)", "native_limits.lowered(1).__enter__()"])
def test_nothing_is_loaded_in_a_program_without_such_a_library(call: str) -> None:
    """Looking for one is dear."""
    assert (
        own_process.run(f"{EIGHT}\n{call}\nprint({{'threadpoolctl', 'numpy', 'ctypes'}} & {{*sys.modules}})") == "set()"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_a_fork_inherits_the_limit_and_starts_no_thread_for_it() -> None:
    """The parent has its number back at once; none of its threads spins meanwhile where OpenBLAS exports its number."""
    program = """
with native_limits.lowered(1):
    pid = os.fork()
if not pid:
    native_limits.limit(1)
    begun = len(os.listdir("/proc/self/task"))
    numpy.ones((300, 300)) @ numpy.ones((300, 300))
    print(threads(), begun, len(os.listdir("/proc/self/task")), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
exported = hasattr(threadpoolctl.ThreadpoolController().lib_controllers[0].dynlib, "blas_cpu_number")
print(threads(), len(os.listdir("/proc/self/task")) == (1 if exported else 8))
numpy.ones((300, 300)) @ numpy.ones((300, 300))
print(len(os.listdir("/proc/self/task")))
"""
    assert own_process.run(WITH_BLAS + program).splitlines() == ["[1] 1 1", "[8] True", "8"]


def test_a_library_that_is_loaded_already_is_limited_where_it_was_not() -> None:
    """As in a worker that its fork server has given a loaded module."""
    assert own_process.run(WITH_BLAS + "native_limits.limit(2); print(threads())") == "[2]"


def test_a_number_that_is_low_already_is_not_raised() -> None:
    """The program itself may have limited the library."""
    program = """
threadpoolctl.threadpool_limits(2)
with native_limits.lowered(4):
    print(threads())
native_limits.limit(4)
print(threads())
"""
    assert own_process.run(WITH_BLAS + program).splitlines() == ["[2]", "[2]"]


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "GOTO_NUM_THREADS"])
def test_a_loaded_library_whose_variable_the_user_has_set_is_left_alone(name: str) -> None:
    """It is the user's wish."""
    program = """
with native_limits.lowered(1):
    print(threads())
native_limits.limit(1)
print(threads())
"""
    assert own_process.run(WITH_BLAS + program, **{name: "8"}).splitlines() == ["[8]", "[8]"]


def test_overlapping_limits_end_in_any_order() -> None:
    """The lowest holds, and the last to end restores what was."""
    program = """
one, two = native_limits.lowered(4), native_limits.lowered(2)
no_error = (None, None, None)
for step in (one.__enter__, two.__enter__, lambda: one.__exit__(*no_error), lambda: two.__exit__(*no_error)):
    step()
    print(threads())
"""
    assert own_process.run(WITH_BLAS + program).splitlines() == ["[4]", "[2]", "[2]", "[8]"]


def test_a_limit_ends_with_a_failure_too() -> None:
    """Whatever is raised inside."""
    program = """
try:
    with native_limits.lowered(1):
        raise LookupError
except LookupError:
    print(threads())
"""
    assert own_process.run(WITH_BLAS + program) == "[8]"


@needs_fork
def test_a_limit_works_in_a_worker_forked_while_another_thread_sets_one() -> None:
    """A lock that was held at the moment of the fork would stay held in the child for ever."""
    program = """
native_limits._lock.acquire()
pid = os.fork()
if not pid:
    native_limits.limit(1)
    with native_limits.lowered(1):
        print(threads(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    assert own_process.run(WITH_BLAS + program) == "[1]"


@pytest.mark.skipif(sys.platform != "linux", reason="affinity as Linux has it")
def test_affinity_counts_as_the_library_counts_it() -> None:
    """A process that may use one core only has a single thread by itself."""
    program = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from corewise._machine import native_limits
native_limits.limit(1)
print("OMP_NUM_THREADS" in os.environ)
"""
    assert own_process.run(program) == "False"


@pytest.mark.parametrize(
    ("by_itself", "lasts_s", "looked"), [(True, 0.04, False), (False, 0.04, True), (True, 0.06, True)]
)
def test_threads_look_for_libraries_where_items_need_it_or_the_run_lasts(
    *, by_itself: bool, lasts_s: float, looked: bool
) -> None:
    """What looks takes longer to load than many a run. The clock is the test's own."""
    program = f"""
import time, numpy
from corewise._approaches import threads as module
from corewise._approaches.base import Terms
from corewise._work.chunk import Chunk
now_s = 1.0
module.monotonic = lambda: now_s
threads = module.Threads(Terms(fn=time.sleep, workers=2, keep_going=False, by_itself={by_itself}))
for number in range(2):
    threads.submit(Chunk(number, [0.002], star=False))
now_s += {lasts_s}
while threads._outstanding:
    threads.collect(None)
threads.close(kill=False)
print("threadpoolctl" in sys.modules)
"""
    assert own_process.run(EIGHT + program) == str(looked)
