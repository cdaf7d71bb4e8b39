"""The process engine beside its peers, at the work that people complain about.

Every library runs each row in fresh processes with two workers and its own defaults; the rounds are interleaved, so a
busy minute falls on all alike, and medians are compared. Peers that are not installed are left out and named
(`make bench` makes an environment that has them). docs/explanation/benchmarks.md says what each row means.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import _results
from _bare import BarePair
from _libraries import CLUSTERS, LIBRARIES, OURS, WORKERS, absent
from _rows import ROWS, Row, judge, median
from _table import show_row, show_summary
from _whole import run_whole

FOLDER = Path(__file__).parent
# Workers of every kind find `_works`, and the same copy of this library as this program.
PYTHON_PATH = os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")]))
PYTHON_VARIABLES = {"PYTHONPATH": PYTHON_PATH, "PYTHONWARNINGS": "ignore"}
LIMIT_S = 60.0  # a library that needs longer for one round takes no further part in its row
HEAVY_SHARE, CLUSTER_SHARE = 0.6, 0.2  # of the rounds; guesses that keep the whole table near ten minutes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Series:
    """What one library did at one row, round by round."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, object]] = []
        self.why_none = ""

    @property
    def figures(self) -> list[float]:
        """The figures of all rounds."""
        return [float(one["figure"]) for one in self.rounds]  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, object]:
        """Return it for the document."""
        if not self.rounds:
            return {"missing": self.why_none}
        figures = self.figures
        return {"median": median(figures), "low": min(figures), "high": max(figures), "rounds": self.rounds}


@contextmanager
def _contained() -> Iterator[None]:
    """Have modules compiled once, and clusters keep their files in a folder that goes away and their figures of use."""
    # What is installed has been compiled. Without this, only what lies here as source would be compiled in every round.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Short: sockets are made in it, whose paths may have some 100 characters.
    with tempfile.TemporaryDirectory(prefix="cw-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "RAY_TMPDIR": folder,
            "RAY_AUTH_MODE": "disabled",  # it would write a token to the home directory
            "RAY_USAGE_STATS_ENABLED": "0",
            "DASK_TEMPORARY_DIRECTORY": folder,
        }
        yield


def _rounds_per_s() -> float:
    """How often a loop turns in a second at best while both cores turn one, so that work can be cut in seconds."""
    pair = BarePair()
    try:
        trial = 5000
        pair.turn(trial)
        return trial / min(pair.turn(trial) for _ in range(15))
    finally:
        pair.close()


def _in_child(row: str, library: str, rounds_per_s: float) -> dict[str, object]:
    command = [sys.executable, str(FOLDER / "_one.py"), row, library, str(rounds_per_s)]
    process = subprocess.Popen(
        command,
        env=os.environ | PYTHON_VARIABLES,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, errors = process.communicate(timeout=LIMIT_S)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, out, errors)
    answer: dict[str, object] = json.loads(out.splitlines()[-1])
    return answer


def _measure(row: str, library: str, rounds_per_s: float, series: Series) -> None:
    """Run one round of one library, and take note of what came of it."""
    try:
        answer = run_whole(library, LIMIT_S) if row == "start" else _in_child(row, library, rounds_per_s)
    except subprocess.TimeoutExpired:
        series.why_none = f"over {LIMIT_S:.0f} s"
        series.rounds.clear()
        return
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines()
        series.why_none = f"failed: {lines[-1] if lines else error}"
        series.rounds.clear()
        return
    if "missing" in answer:
        series.why_none = str(answer["missing"])
    else:
        series.rounds.append(answer)


def _rounds_of(row: Row, library: str, rounds: int) -> int:
    share = (HEAVY_SHARE if row.heavy else 1.0) * (CLUSTER_SHARE if library in CLUSTERS else 1.0)
    return max(row.least, round(rounds * share)) * (row.ours_times if library == OURS else 1)


def _run_row(name: str, libraries: list[str], rounds: int, rounds_per_s: float) -> dict[str, Series]:
    row = ROWS[name]
    asked = [*libraries, *([row.limit] if row.limit else [])]
    table = {library: Series() for library in asked}
    for number in range(_rounds_of(row, OURS, rounds)):
        shift = number % len(asked)
        for library in [*asked[shift:], *asked[:shift]]:
            series = table[library]
            if not series.why_none and number < _rounds_of(row, library, rounds):
                _measure(name, library, rounds_per_s, series)
    return table


def _document(tables: dict[str, dict[str, Series]], rounds: int, seconds: float) -> dict[str, object]:
    rows = {}
    for name, table in tables.items():
        row = ROWS[name]
        medians = {
            library: median(series.figures)
            for library, series in table.items()
            if series.rounds and library != row.limit
        }
        rows[name] = {
            "title": row.title,
            "unit": row.unit,
            "scale": row.scale,
            "verdict": judge(row, medians).as_dict(),
            "limit": row.limit or None,
            "figures": {library: series.as_dict() for library, series in table.items()},
        }
    return {"workers": WORKERS, "rounds": rounds, "took_s": seconds, "absent": absent(), "rows": rows}


def main() -> int:
    """Measure, print the table, store benchmarks/results/peers.json.

    Returns:
        0, whatever the figures are; a target that is not met stands in the table.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the quick rows (default: 5)")
    parser.add_argument("--row", choices=ROWS, action="append", help="only this one; may be given more than once")
    parser.add_argument("--library", choices=LIBRARIES, action="append", help="only this one, and so on")
    parser.add_argument("--output", help="name of the result file (default: peers for a whole table, else none)")
    arguments = parser.parse_args()
    missing = absent()
    libraries = [name for name in arguments.library or LIBRARIES if name not in missing]
    if missing:
        print(f"not installed, so left out: {', '.join(missing)}")
    begin = perf_counter()
    tables = {}
    with _contained():
        rounds_per_s = _rounds_per_s()
        for name in arguments.row or ROWS:
            tables[name] = _run_row(name, libraries, arguments.rounds, rounds_per_s)
            show_row(ROWS[name], {library: series.as_dict() for library, series in tables[name].items()})
    document = _document(tables, arguments.rounds, perf_counter() - begin)
    show_summary(document["rows"])  # type: ignore[arg-type]
    whole = not arguments.row and not arguments.library
    if output := arguments.output or ("peers" if whole else None):
        print("written to", _results.write(output, document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
