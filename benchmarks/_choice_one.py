"""One figure: one work run one way, in this fresh process. `choice.py` starts it; it prints JSON.

    _choice_one.py MODULE WORK WAY [TIMES]

With TIMES the items are run so many times, one time after the other.

Everything that is loaded here before the clock runs costs nobody anything, so it is next to nothing.
"""

from __future__ import annotations

import gc
import sys
from time import perf_counter

from _choice_ways import AUTO, WAYS, NotOffered
from _choice_work import longer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from _choice_work import Case


def run_one(module: str, work: str, way: str, times: str = "1") -> dict[str, object]:
    """Return the figures of one work run one way, or why there are none."""
    case = longer(__import__(module).WORKS[work], int(times))
    try:
        return _timed(case, way)
    except NotOffered as error:
        return {"missing": str(error)}
    except Exception as error:  # noqa: BLE001 - a way that cannot run the work is none of its choices
        return {"missing": f"{type(error).__name__}: {error}".partition("\n")[0]}
    finally:
        if case.close is not None:
            case.close()


def _timed(case: Case, way: str) -> dict[str, object]:
    gc.collect()
    begin = perf_counter()
    if way == AUTO:
        import corewise

        corewise.map  # noqa: B018 - loaded by being asked for
    import_s = perf_counter() - begin
    results = WAYS[way](case.fn, case.items)
    seconds = perf_counter() - begin

    from _choice_digest import digest

    left = None if case.after is None else case.after()
    figures: dict[str, object] = {"seconds": seconds, "digest": digest([list(results), left]), "items": case.count}
    if way == AUTO:
        figures |= {"import_s": import_s, **_of_choice(results)}
    return figures


def _of_choice(results: Any) -> dict[str, object]:
    """Return what was chosen, what was predicted for the rest of the run then, and what that took by its own count."""
    choice, stats = results.choice, results.stats
    return {
        "approach": choice.approach,
        "workers": choice.workers,
        "code": choice.code,
        "why": choice.why,
        "happened_s": stats.wall_s if stats.predicted_s is None else stats.chosen_s,
        "predicted_s": stats.predicted_s,
    }


if __name__ == "__main__":
    answer = run_one(*sys.argv[1:5])
    import json

    print(json.dumps(answer))
