"""What the automatic choice loses against the best fixed one, at works of different nature.

Each work is run by a plain loop, by threads and processes of the standard library, by asyncio where it is a coroutine
function, and by `corewise.map` without a hint: each time in a fresh interpreter, from just before the call to its
results. The start of workers is included, and so is loading what the choice needs (`concurrent.futures`,
`multiprocessing`, `asyncio`, `corewise`). Rounds are interleaved, medians are compared, and the outcome has to be the
plain loop's. Regret is the time of the automatic choice by that of the best fixed one.
docs/explanation/benchmarks.md says how to read the table.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import _choice_regret as regret
import _choice_table as table
import _results
from _choice_ways import AUTO, FIXED, PLAIN
from _choice_works import MODULES, WORKS

import corewise

FOLDER, PACKAGE = Path(__file__).parent, Path(corewise.__file__).parent
LIMIT_S = 60.0
PATIENCE, GRACE_S = 3.0, 2.0  # a choice may take three times as long as the plain loop's process, and two seconds
STAYS_WITHIN = 2.0  # what took longer than twice the best one's time in the first round takes no further part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Series:
    """What one choice did at one work, round by round."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, Any]] = []
        self.why_none = ""

    @property
    def figures(self) -> list[float]:
        """Its seconds."""
        return [one["seconds"] for one in self.rounds]

    def as_dict(self) -> dict[str, object]:
        """Return it for the document."""
        if not self.rounds:
            return {"missing": self.why_none}
        return {"median": median(self.figures), "rounds": self.figures}


def _environment() -> dict[str, str]:
    """Return one in which no variable of the caller's shell changes what is measured, such as stored bytecode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COREWISE_"))}
    return kept | {"PYTHONPATH": f"{FOLDER}{os.pathsep}{PACKAGE.parent}"}


def _in_child(limit_s: float, *command: str) -> dict[str, Any]:
    """Run one program of this folder, and return what it prints or why there is nothing."""
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / command[0]), *command[1:]],
        env=_environment(),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, errors = process.communicate(timeout=limit_s)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return {"missing": f"over {limit_s:.0f} s"}
        raise
    if process.returncode:
        lines = errors.strip().splitlines()
        return {"missing": f"failed: {lines[-1] if lines else process.returncode}"}
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def _round(name: str, ways: list[str], of: dict[str, Series], limit_s: float, times: int) -> float:
    """Run one round of a work. Return how long any choice may take."""
    for way in ways:
        begin = perf_counter()
        answer = _in_child(limit_s, "_choice_one.py", MODULES[name], name, way, str(times))
        if way == PLAIN:
            limit_s = min(LIMIT_S, PATIENCE * (perf_counter() - begin) + GRACE_S)
        wrong = of[PLAIN].rounds and "digest" in answer and answer["digest"] != of[PLAIN].rounds[0]["digest"]
        if wrong and way != AUTO:
            answer = {"missing": "its outcome is not the plain loop's"}
        if "missing" in answer:
            of[way].why_none = str(answer["missing"])
            of[way].rounds.clear()
        elif not of[way].why_none:
            of[way].rounds.append(answer)
    return limit_s


def measure(name: str, rounds: int, end: float, times: int = 1) -> dict[str, Any]:
    """Measure one work.

    Args:
        name: of the work.
        rounds: how many at most.
        end: reading of the clock behind which no further round begins; the first one is always run.
        times: how many times its items are run, one time after the other.

    Returns:
        Its part of the document.
    """
    of = {way: Series() for way in (*FIXED, AUTO)}
    limit_s = _round(name, [*of], of, LIMIT_S, times)
    staying = regret.still_in({way: of[way].figures[0] for way in FIXED if of[way].rounds}, STAYS_WITHIN) | {AUTO}
    for number in range(1, rounds):
        if perf_counter() > end:
            break
        ways = [way for way in of if way in staying and not of[way].why_none]
        shift = number * 2 % len(ways) if ways else 0
        limit_s = max(limit_s, _round(name, [*ways[shift:], *ways[:shift]], of, limit_s, times))
    return row_of(name, of)


def row_of(name: str, of: dict[str, Series]) -> dict[str, Any]:
    """Return a work's part of the document."""
    auto = of[AUTO].rounds
    right = bool(of[PLAIN].rounds) and all(one["digest"] == of[PLAIN].rounds[0]["digest"] for one in auto)
    predicted = [(one["predicted_s"], one["happened_s"]) for one in auto if one["predicted_s"] is not None]
    verdict = regret.judge({way: of[way].figures for way in FIXED}, of[AUTO].figures, predicted, right=right)
    told = of[AUTO].as_dict()
    if auto:
        told |= {
            "right": right,
            "chose": [f"{one['approach']}, {one['workers']}" for one in auto],
            "why": auto[-1]["why"],
            "import_s": median(one["import_s"] for one in auto),
            "predicted_s": median(said for said, _ in predicted) if predicted else None,
            "happened_s": median(one["happened_s"] for one in auto),
        }
    return {
        "title": WORKS[name].title,
        "items": of[PLAIN].rounds[0]["items"] if of[PLAIN].rounds else None,
        "tiny": WORKS[name].tiny,
        "verdict": verdict.as_dict(),
        "auto": told,
        "fixed": {way: of[way].as_dict() for way in FIXED},
    }


def measure_tiny(name: str, rounds: int) -> dict[str, Any]:
    """Measure a tiny work by the plain loop and by corewise in turns, in several interpreters."""
    answers = [_in_child(LIMIT_S, "_choice_tiny.py", MODULES[name], name) for _ in range(rounds)]
    if missing := [one["missing"] for one in answers if "missing" in one]:
        raise SystemExit(f"{name}: {missing[0]}")
    row: dict[str, Any] = {key: median(one[key] for one in answers) for key in answers[0]}
    return row | {"met": regret.tiny_met(row["plain_s"], row["auto_s"])}


def document(works: dict[str, Any], tiny: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    """Return the whole document of what was measured."""
    wrong = [name for name, row in works.items() if not row["auto"].get("right", True)]
    verdicts = {name: regret.Verdict(**row["verdict"]) for name, row in works.items()}
    failed = [name for name, row in works.items() if "missing" in row["auto"]]
    summary = regret.summarize(verdicts, {name for name in works if works[name]["tiny"]}, wrong=bool(wrong or failed))
    return {
        "summary": summary.as_dict(),
        "wrong": wrong,
        "failed": failed,
        "left_out": left_out,
        "tiny": tiny,
        "works": works,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each work (default: 3)")
    parser.add_argument("--work", choices=WORKS, action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds for all of it (default: 480)")
    parser.add_argument(
        "--longer",
        type=int,
        default=1,
        metavar="N",
        help="run the items N times, one time after the other (default: 1)",
    )
    parser.add_argument("--list", action="store_true", help="list the works and end")
    parser.add_argument("--output", help="name of the result file (default: choice for a whole table, else none)")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.longer < 1:
        parser.error("--rounds, --longer: at least 1")
    return arguments


def main() -> int:
    """Measure, print the table, store benchmarks/results/choice.json.

    Returns:
        1 where the automatic choice failed or gave another outcome than the plain loop; else 0, whatever the regret is.
    """
    arguments = _arguments()
    if arguments.list:
        print("\n".join(f"{name:18}  {work.title}" for name, work in WORKS.items()))
        return 0
    compileall.compile_dir(PACKAGE, quiet=2)
    compileall.compile_dir(FOLDER, maxlevels=0, quiet=2)
    # Tiny works are about being tiny.
    names = [name for name in arguments.work or WORKS if arguments.longer == 1 or not WORKS[name].tiny]
    _in_child(
        LIMIT_S, "_choice_one.py", MODULES["python_1ms"], "python_1ms", AUTO
    )  # what is kept for later calls is there
    begin = perf_counter()
    works: dict[str, Any] = {}
    print(table.line(table.HEAD))
    for number, name in enumerate(names):
        now = perf_counter()
        left_s = begin + arguments.budget - now
        if left_s <= 0:
            break
        works[name] = measure(name, arguments.rounds, now + left_s / (len(names) - number), arguments.longer)
        print(table.work_line(name, works[name]), flush=True)
    tiny = {name: measure_tiny(name, arguments.rounds) for name in works if WORKS[name].tiny}
    whole = document(works, tiny, [name for name in names if name not in works])
    for name, row in tiny.items():
        print(table.tiny_line(name, row))
    print("\n".join(table.summary_lines(whole)))
    figures = {"rounds": arguments.rounds, "longer": arguments.longer, "took_s": perf_counter() - begin, **whole}
    usual = "choice" if arguments.longer == 1 else "choice_longer"
    if output := arguments.output or (None if arguments.work else usual):
        print("written to", _results.write(output, figures))
    return 1 if whole["wrong"] or whole["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
