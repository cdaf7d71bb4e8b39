"""Strategies for hypothesis: comparisons with any figures that a measurement could deliver, and some beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from report import samples

if TYPE_CHECKING:
    from corewise._types.comparison import Case, Row

SECONDS = st.floats(min_value=1e-7, max_value=1e4)
LABELS = ("threads", "threads:8", "asyncio", "processes", "processes:2", "processes:4", "interpreters")
RUNS = ("function", "async function", "function wrapped in a coroutine", "coroutine run to its end")


@st.composite
def rows(draw: st.DrawFn, label: str) -> Row:
    """Return a row, or one that failed."""
    if draw(st.integers(0, 9)) == 0:
        return samples.failed_row(label, draw(st.text(max_size=30)), draw(st.sampled_from(["failed", "skipped"])))
    middle_s = draw(SECONDS)
    rounds = [middle_s * draw(st.floats(0.5, 2.0)) for _ in range(draw(st.integers(1, 5)))]
    return samples.row(
        label,
        rounds,
        draw(st.none() | st.floats(0.0, 8.0)),
        workers=draw(st.integers(1, 64)),
        startup_s=draw(st.none() | st.floats(0.0, 1.0)),
        memory_mb=draw(st.none() | st.integers(1, 100_000)),
        runs=draw(st.sampled_from(RUNS)),
        queued_s=draw(st.none() | st.floats(0.0, 4.0).map(lambda cores: cores * middle_s)),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a case of any rows, with or without a plain run."""
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True, max_size=5))
    if draw(st.integers(0, 9)):
        labels = ["sync", *labels]
    items = draw(st.integers(1, 10_000))
    made = [draw(rows(label)) for label in labels]
    difference = None
    if made and draw(st.integers(0, 9)) == 0:
        difference = {
            "approach": draw(st.sampled_from([row["label"] for row in made])),
            "against": "sync",
            "item": draw(st.integers(0, items - 1)),
            "item_repr": draw(st.text(max_size=40)),
            "expected": draw(st.text(max_size=200)),
            "got": "8",
        }
    return samples.case(
        draw(st.text(max_size=60)),
        made,
        about=draw(st.text(max_size=200)),
        items=items,
        items_run=draw(st.integers(1, items)),
        first_item=draw(st.text(max_size=40)),
        difference=difference,
    )


MACHINES = st.builds(
    samples.machine,
    cores=st.integers(1, 64),
    gil=st.booleans(),
    load=st.none() | st.floats(0.0, 100.0),
)
