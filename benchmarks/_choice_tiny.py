"""A tiny work by the plain loop and by corewise in turns, in this fresh process. `choice.py` starts it; prints JSON.

    _choice_tiny.py MODULE WORK

Here corewise is loaded already: of a program that has imported it, each further call is what counts. What the import
and the first call cost is told beside it.
"""

from __future__ import annotations

import gc
import sys
from statistics import median
from time import perf_counter

from _choice_ways import AUTO, PLAIN, WAYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _choice_work import Work

_LAST_S, _MOST, _LEAST = 1.2, 400, 7  # seconds of turns; most and least turns


def run_tiny(module: str, name: str) -> dict[str, object]:
    """Return the medians of both, and what the first call took."""
    work: Work = __import__(module).WORKS[name]
    begin = perf_counter()
    import corewise

    corewise.map  # noqa: B018 - loaded by being asked for
    import_s = perf_counter() - begin
    first_s = _once(work, AUTO)
    figures: dict[str, list[float]] = {PLAIN: [], AUTO: []}
    end = perf_counter() + _LAST_S
    while (turns := len(figures[AUTO])) < _MOST and (perf_counter() < end or turns < _LEAST):
        for way in (PLAIN, AUTO) if turns % 2 else (AUTO, PLAIN):
            figures[way].append(_once(work, way))
    return {
        "plain_s": median(figures[PLAIN]),
        "auto_s": median(figures[AUTO]),
        "first_s": first_s,
        "import_s": import_s,
        "turns": turns,
    }


def _once(work: Work, way: str) -> float:
    case = work.make()
    gc.collect()
    begin = perf_counter()
    results = WAYS[way](case.fn, case.items)
    seconds = perf_counter() - begin
    if len(results) != case.count:
        raise SystemExit("results are missing")
    return seconds


if __name__ == "__main__":
    answer = run_tiny(*sys.argv[1:3])
    import json

    print(json.dumps(answer))
