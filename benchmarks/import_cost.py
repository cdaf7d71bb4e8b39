"""What `import corewise` costs beyond a bare interpreter, beside modules that it does without.

Every module is imported by many fresh interpreters. The rounds are interleaved, so that a busy minute of the machine
falls on all of them alike, and each figure is the median of the differences to the bare interpreter of its round.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
from time import perf_counter

import _results

BARE = "(bare interpreter)"
SUBJECTS = {
    "corewise": "the front door, which every worker opens first",
    "corewise and map": "the front door and the first verb",
    "a call": "the first call, of a built-in function over one item",
    "a call, imported as usual": "the same without the short way to the modules (corewise._machine.modules)",
    "a call by processes": "two workers included",
    "the same, imported as usual": "without the short way",
    "dataclasses": "not loaded: records are written without it",
    "typing": "not loaded: annotations are for the type checker alone",
    "threading": "loaded by the first call that starts threads",
    "multiprocessing": "loaded by the first call that starts processes",
    "concurrent.futures": "not loaded before a worker dies",
    "asyncio": "loaded by the first call that runs coroutines",
    "click": "loaded by the command",
    "rich": "loaded by the first table or bar",
    "rich.table": "loaded by the first table",
    "cloudpickle": "loaded by the first function that plain pickle cannot send",
    "joblib": "for comparison, where it is installed",
    "numpy": "for comparison, where it is installed",
}
LIMIT_S = 0.010


_USUAL = "import sys, corewise; sys.meta_path[:] = [one for one in sys.meta_path if 'corewise' not in repr(one)]; "
_CALL = "import corewise; corewise.map(abs, [1])"
_PROCESSES = "import corewise; corewise.map(abs, [1, 2], approach='processes', workers=2)"
PROGRAMS = {
    BARE: "pass",
    "a call": _CALL,
    "a call, imported as usual": _USUAL + _CALL,
    "a call by processes": _PROCESSES,
    "the same, imported as usual": _USUAL + _PROCESSES,
}


def _program(subject: str) -> str:
    if subject in PROGRAMS:
        return PROGRAMS[subject]
    module, _, verb = subject.partition(" and ")
    return f"import {module}; {module}.{verb}" if verb else f"import {module}"


def _installed(subject: str) -> bool:
    package = subject.partition(" ")[0].partition(".")[0]
    return subject in PROGRAMS or importlib.util.find_spec(package) is not None


def _run_once(subject: str) -> tuple[float, float]:
    """Wall seconds and CPU seconds of one fresh interpreter, from before its start to its end."""
    # Isolated: no PYTHON* variable of the caller's shell may switch off what is measured, such as stored bytecode.
    command = [sys.executable, "-I", "-c", _program(subject)]
    begin = perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return wall_s, usage.ru_utime + usage.ru_stime


def _measure(subjects: list[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    samples: dict[str, dict[str, list[float]]] = {subject: {"wall_s": [], "cpu_s": []} for subject in subjects}
    for subject in subjects:
        _run_once(subject)  # untimed: writes bytecode, fills the file cache
    for _ in range(rounds):
        for subject in subjects:
            wall_s, cpu_s = _run_once(subject)
            samples[subject]["wall_s"].append(wall_s)
            samples[subject]["cpu_s"].append(cpu_s)
    return samples


def _beyond(samples: dict[str, list[float]], bare: dict[str, list[float]]) -> dict[str, float]:
    """Medians and quartiles of what `samples` took beyond the bare interpreter of the same round."""
    wall_s = [took_s - bare_s for took_s, bare_s in zip(samples["wall_s"], bare["wall_s"], strict=True)]
    cpu_s = [took_s - bare_s for took_s, bare_s in zip(samples["cpu_s"], bare["cpu_s"], strict=True)]
    low_s, median_s, high_s = statistics.quantiles(wall_s, n=4)
    return {"wall_s": median_s, "wall_low_s": low_s, "wall_high_s": high_s, "cpu_s": statistics.median(cpu_s)}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write benchmarks/results/import_cost.json and print a table.

    Returns:
        0, or 1 if `import corewise` costs more than its limit.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="fresh interpreters per module (default: 40)")
    rounds = parser.parse_args(arguments).rounds

    subjects = [BARE, *filter(_installed, SUBJECTS)]
    samples = _measure(subjects, rounds)
    bare = samples.pop(BARE)
    costs = {subject: _beyond(samples[subject], bare) for subject in samples}
    figures = {
        "rounds": rounds,
        "limit_s": LIMIT_S,
        "bare_interpreter": {key: statistics.median(values) for key, values in bare.items()},
        "beyond_bare": costs,
    }
    print(f"{'beyond a bare interpreter':28}{'median':>10}{'quartiles':>22}{'CPU':>11}   what it is")
    for subject, cost in costs.items():
        spread = f"{cost['wall_low_s'] * 1e3:.2f} to {cost['wall_high_s'] * 1e3:.2f}"
        row = f"{cost['wall_s'] * 1e3:>7.2f} ms{spread:>19} ms{cost['cpu_s'] * 1e3:>8.2f} ms"
        print(f"{subject:28}{row}   {SUBJECTS[subject]}")
    print("written to", _results.write("import_cost", figures))
    return 0 if costs["corewise"]["wall_s"] < LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
