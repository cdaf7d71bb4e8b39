"""Whether a fork is safe now: each program below has the threads in question, really running."""

from __future__ import annotations

import ctypes.util
import importlib.util
import sys

import own_process
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="native threads are counted in /proc")

# Starts native threads that Python knows nothing of, and that stay until the process ends.
NATIVE = """
import ctypes
libc = ctypes.CDLL(None)
def start_native_thread():
    handle = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(handle), None, ctypes.cast(libc.pause, ctypes.c_void_p), None) == 0
"""
ASK = "from corewise._machine.native_threads import why_not_fork\n"


def test_a_program_with_one_thread_may_fork() -> None:
    """Nothing is in the way, also with most of the library loaded."""
    assert (
        own_process.run(f"import corewise, multiprocessing.pool; corewise.map(abs, [1])\n{ASK}print(why_not_fork())")
        == "None"
    )


@pytest.mark.parametrize(
    ("threads", "reason"), [(1, "1 other Python thread is running"), (2, "2 other Python threads are running")]
)
def test_a_second_python_thread_is_in_the_way(threads: int, reason: str) -> None:
    """It may hold any lock; when it has ended, it is no longer."""
    program = f"""
import threading
{ASK}
end = threading.Event()
started = [threading.Thread(target=end.wait) for _ in range({threads})]
for thread in started:
    thread.start()
print(why_not_fork())
end.set()
for thread in started:
    thread.join()
print(why_not_fork())
"""
    assert own_process.run(program).splitlines() == [reason, "None"]


def test_a_native_thread_that_nobody_knows_is_in_the_way() -> None:
    """What it would do in a fork cannot be told. That it stays is known from then on, and not waited for again."""
    program = f"""
{NATIVE}{ASK}
from corewise._machine import native_threads
for _ in range(2):
    start_native_thread()
    print(why_not_fork())
    print(len(native_threads._staying))
"""
    one, knows_one, two, knows_two = own_process.run(program).splitlines()
    assert "1 native thread " in one
    assert "2 native threads " in two
    assert (knows_one, knows_two) == ("1", "2")


def test_a_thread_that_has_to_stand_in_line_to_end_is_not_in_the_way() -> None:
    """It was joined, and is behind others who want the same core: a fork server would take longer to start."""
    program = f"""
import os, subprocess, sys, threading, time
{ASK}
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
busy = "print(flush=True)\\nwhile True: pass"
neighbor = subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE)
neighbor.stdout.readline()
def give_way():
    os.setpriority(os.PRIO_PROCESS, 0, 16)  # this thread alone
answers, end = set(), time.monotonic() + 1.5  # some dozen times the neighbor comes in between
try:
    while time.monotonic() < end:
        thread = threading.Thread(target=give_way)
        thread.start()
        thread.join()
        answers.add(why_not_fork())
finally:
    neighbor.kill()
    neighbor.wait()
print(answers)
"""
    assert own_process.run(program) == "{None}"


@pytest.mark.skipif(ctypes.util.find_library("gomp") is None, reason="there is no GNU OpenMP here")
def test_openmp_with_threads_is_in_the_way_and_without_is_not() -> None:
    """A parallel region in the child would wait for threads that are not there."""
    name = ctypes.util.find_library("gomp")
    program = f"{NATIVE}{ASK}ctypes.CDLL({name!r}); print(why_not_fork()); start_native_thread(); print(why_not_fork())"
    before, after = own_process.run(program).splitlines()
    assert before == "None"
    assert after.startswith("libgomp ")


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs numpy")
def test_numpy_with_its_threads_is_not_in_the_way() -> None:
    """OpenBLAS has threads running after a product of matrices, and arms itself anew in a child."""
    program = f"""
import os
import numpy
import corewise
{ASK}
matrix = numpy.ones((300, 300))
product = matrix @ matrix
threads = len(os.listdir("/proc/self/task"))
def entry(number):
    return float((matrix @ matrix * number)[0, 0])
results = corewise.map(entry, range(4), approach="processes", workers=2)
print(why_not_fork(), threads > 1, list(results))
"""
    blas = own_process.run("import numpy; print(numpy.show_config(mode='dicts')['Build Dependencies']['blas']['name'])")
    if "openblas" not in blas:
        pytest.skip(f"numpy stands on {blas} here")
    assert own_process.run(program, OPENBLAS_NUM_THREADS="2") == "None True [0.0, 300.0, 600.0, 900.0]"
