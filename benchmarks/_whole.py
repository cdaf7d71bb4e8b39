"""Whole programs, from the start of the interpreter to their end: the smallest sensible one with each library."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from threading import Timer
from time import perf_counter

BARE = "bare interpreter"
_ITEMS = "[1, 2, 3, 4]"
_PROGRAMS = {
    BARE: "results = 0",
    "corewise": f"import corewise\nresults = corewise.map(abs, {_ITEMS}, approach='processes', workers=2)",
    "Pool": f"from multiprocessing import Pool\nwith Pool(2) as pool:\n    results = pool.map(abs, {_ITEMS})",
    "ProcessPoolExecutor": "from concurrent.futures import ProcessPoolExecutor\n"
    f"with ProcessPoolExecutor(2) as pool:\n    results = list(pool.map(abs, {_ITEMS}))",
    "joblib": f"from joblib import Parallel, delayed\nresults = Parallel(n_jobs=2)(delayed(abs)(n) for n in {_ITEMS})",
    "loky": "from loky import get_reusable_executor\n"
    f"results = list(get_reusable_executor(max_workers=2).map(abs, {_ITEMS}))",
    "mpire": f"from mpire import WorkerPool\nwith WorkerPool(2) as pool:\n    results = pool.map(abs, {_ITEMS})",
    "Dask": "from distributed import Client, LocalCluster\n"
    "with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:\n"
    f"    client = Client(cluster)\n    results = client.gather(client.map(abs, {_ITEMS}))\n    client.close()",
    "Ray": "import ray\nray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)\n"
    f"task = ray.remote(lambda n: abs(n))\nresults = ray.get([task.remote(n) for n in {_ITEMS}])\nray.shutdown()",
}
# What follows a program's results tells this process that they are there. In a ``with`` program that is behind the
# block, so the pool has ended by then; the end of the process is what counts.
_TELL = "\nimport os; os.write({fd}, b'x' if results in (0, {items}) else b'?')"


def run_whole(library: str, limit_s: float) -> dict[str, object]:
    """Run a fresh interpreter that runs one small map and ends.

    Args:
        library: whose program.
        limit_s: seconds after which it is killed.

    Returns:
        `figure`, the seconds to its end, and `result_s`, the seconds to its results.

    Raises:
        subprocess.TimeoutExpired: when it took longer.
        subprocess.CalledProcessError: when it failed or its results were wrong.
    """
    ours, theirs = os.pipe()
    program = _PROGRAMS[library] + _TELL.format(fd=theirs, items=_ITEMS)
    # Isolated: no PYTHON* variable of the caller's shell may switch off what is measured, such as stored bytecode.
    command = [sys.executable, "-I", "-c", program]
    begin = perf_counter()
    process = subprocess.Popen(
        command,
        pass_fds=[theirs],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    # Not `wait` with a time limit: it looks at its child in ever longer naps, and the last nap would be measured.
    killer = Timer(limit_s, os.killpg, (process.pid, signal.SIGKILL))
    killer.start()
    try:
        told = os.read(ours, 1) if select.select([ours], [], [], limit_s)[0] else b""
        result_s = perf_counter() - begin
        process.wait()
        figure = perf_counter() - begin
    finally:
        killer.cancel()
        os.close(ours)
    if process.returncode == -signal.SIGKILL:
        raise subprocess.TimeoutExpired(command, limit_s)
    if process.returncode or told != b"x":
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"figure": figure, "result_s": result_s}
