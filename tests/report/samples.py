"""The one builder of made-up comparisons: rows from a few figures, cases from rows, documents from cases.

The figures are invented but consistent: median, low, high, speed-up, efficiency and busy cores follow from the rounds.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from corewise._report import document
from corewise._report.words.annotate import annotate
from corewise._report.words.lesson import lesson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corewise._types.comparison import Case, Document, Machine, Row

MEGABYTE = 1_000_000


def machine(*, cores: int = 2, gil: bool = True, load: float | None = 0.1) -> Machine:
    """Return a machine; two cores unless told otherwise."""
    return {
        "python": "3.11.7",
        "implementation": "CPython",
        "gil": gil,
        "system": "Linux",
        "release": "6.1.0",
        "cpu": "Example 9000 at 2.4 GHz",
        "cores": cores,
        "logical_cores": cores,
        "memory_bytes": 8_200 * MEGABYTE,
        "load_average": load,
    }


def row(
    label: str,
    wall_s: Sequence[float] | float,
    busy: float | None = 1.0,
    *,
    workers: int | None = None,
    startup_s: float | None = None,
    memory_mb: float | None = 31,
    runs: str = "function",
    queued_s: float | None = None,
) -> Row:
    """Return a row that ran, from its rounds and busy cores; `case` fills in what depends on the plain run."""
    approach, _, asked = label.partition(":")
    rounds = [wall_s] if isinstance(wall_s, float | int) else list(wall_s)
    median = statistics.median(rounds)
    return {
        "approach": approach,
        "label": label,
        "workers": workers or (int(asked) if asked else 1),
        "status": "ok",
        "problem": None,
        "runs": runs,
        "wall_s": [float(one) for one in rounds],
        "wall_median_s": median,
        "wall_low_s": min(rounds),
        "wall_high_s": max(rounds),
        "startup_s": startup_s,
        "cpu_s": None if busy is None else busy * median,
        "cores_busy": busy,
        "queued_s": queued_s,
        "speedup": None,
        "efficiency": None,
        "peak_memory_bytes": None if memory_mb is None else int(memory_mb * MEGABYTE),
        "use_for": "",
        "verdict": "",
    }


def failed_row(label: str, problem: str, status: str = "failed") -> Row:
    """Return a row that has a problem instead of figures."""
    blank = row(label, 1.0, None, memory_mb=None)
    nothing = dict.fromkeys(("wall_median_s", "wall_low_s", "wall_high_s"))
    return {**blank, **nothing, "status": status, "problem": problem, "wall_s": []}  # type: ignore[typeddict-item]


def case(
    name: str, rows: Sequence[Row], *, cores: int = 2, words_for: Machine | None = None, **changes: object
) -> Case:
    """Return a case of these rows, with speed-up and efficiency; annotated when a machine is given."""
    base = next((one["wall_median_s"] for one in rows if one["approach"] == "sync" and one["status"] == "ok"), None)
    filled = []
    for one in rows:
        gain = base / one["wall_median_s"] if base is not None and one["wall_median_s"] else None
        share = gain / max(1, min(one["workers"], cores)) if gain is not None else None
        filled.append({**one, "speedup": gain, "efficiency": share})
    whole = {
        "name": name,
        "about": "",
        "function": f"works.{name.replace(' ', '_')}",
        "async_function": None,
        "kind": "function",
        "items": 4,
        "items_run": 4,
        "first_item": "10000000",
        "rounds": max((len(one["wall_s"]) for one in rows), default=0),
        "warm_up_s": 0.51,
        "spent_s": 21.3,
        "budget_s": 30.0,
        "rows": filled,
        "difference": None,
        "notes": [],
        "recommendation": None,
        **changes,
    }
    return annotate(whole, words_for) if words_for else whole  # type: ignore[return-value,arg-type]


def around(middle: float, share: float = 0.01) -> list[float]:
    """Return three rounds around a time, which differ by a share of it to each side."""
    return [middle * (1 - share), middle, middle * (1 + share)]


def holding_the_gil() -> Case:
    """Computing that holds the GIL: processes gain, nothing else does."""
    return case(
        "sum of squares",
        [
            row("sync", around(2.01)),
            row("threads", around(2.04), 1.0, workers=4, startup_s=0.0004, memory_mb=32),
            row("asyncio", around(2.02), 1.0, workers=4, runs="function wrapped in a coroutine"),
            row("processes:2", around(1.02), 1.96, startup_s=0.012, memory_mb=64),
            row("processes:4", around(1.03), 1.97, startup_s=0.021, memory_mb=96),
        ],
        about="Adds up the squares below ten million, four times: computing in pure Python.",
    )


def releasing_the_gil() -> Case:
    """Computing in C code that releases the GIL: threads gain as much as processes."""
    return case(
        "hashing",
        [
            row("sync", around(1.40)),
            row("threads", around(0.72), 1.94, workers=2, startup_s=0.0003),
            row("asyncio", around(1.41), 1.0, workers=8, runs="function wrapped in a coroutine"),
            row("processes", around(0.74), 1.93, workers=2, startup_s=0.012, memory_mb=64),
        ],
        about="Hashes blocks of 16 MB with SHA-256, which is C code.",
        items=8,
        items_run=8,
        first_item="0",
    )


def waiting() -> Case:
    """Calls that wait: everything gains as much as it has workers."""
    return case(
        "calls that wait",
        [
            row("sync", around(3.02), 0.02),
            row("threads", around(0.21), 0.3, workers=16, startup_s=0.002),
            row("asyncio", around(0.20), 0.2, workers=16, runs="async function"),
            row("processes", around(1.56), 0.05, workers=2, startup_s=0.013, memory_mb=64),
        ],
        about="Calls a local server that takes 30 ms to answer.",
        items=96,
        items_run=96,
        first_item="'http://127.0.0.1/0'",
        async_function="works.fetch_async",
    )


def too_small() -> Case:
    """Work that is over before a worker has started."""
    return case(
        "a little work",
        [
            row("sync", around(0.0021)),
            row("threads", around(0.0034), 1.0, workers=4, startup_s=0.0004),
            row("asyncio", around(0.0041), 1.0, workers=4, runs="function wrapped in a coroutine"),
            row("processes", around(0.0190), 0.6, workers=2, startup_s=0.0131, memory_mb=64),
        ],
        about="Splits a hundred short lines.",
        items=100,
        items_run=100,
        first_item="'a,b,c'",
    )


def differing() -> Case:
    """Everything that can be wrong with a case: a failure, a skipped row, differing results, a share of the items."""
    return case(
        "trouble",
        [
            row("sync", [2.0, 2.1, 2.6], 0.55),
            row("threads", [0.9, 1.0, 1.4], 0.9, workers=4, startup_s=0.0004),
            failed_row("asyncio", "ValueError: no number (item 3: 'x')"),
            failed_row("processes", "the function cannot travel to another process", "skipped"),
        ],
        items=400,
        items_run=120,
        difference={
            "approach": "threads",
            "against": "sync",
            "item": 7,
            "item_repr": "'<script>alert(1)</script>'",
            "expected": "7",
            "got": "8",
        },
    )


def practical_cases() -> list[Case]:
    """Return the cases that together teach the lesson."""
    return [holding_the_gil(), releasing_the_gil(), waiting(), too_small()]


def sample(cases: Sequence[Case] | None = None, *, here: Machine | None = None) -> Document:
    """Return a document with all words; of the practical cases and one full of trouble unless others are given."""
    where = here or machine()
    spoken = [annotate(one, where) for one in (cases if cases is not None else [*practical_cases(), differing()])]
    taught = lesson(spoken, where) if len(spoken) > 1 else []
    return document.new_document(where, spoken, taught, "0.1.0", created="2026-01-02T03:04:05+00:00")
