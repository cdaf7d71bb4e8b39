"""Measurements and costs for the tests of the model: works of known nature on a machine of known prices."""

from __future__ import annotations

import hypothesis.strategies as st

from corewise._types.measurement import Costs, Effect, Measurement

COSTS = Costs(
    cores=4,
    has_gil=True,
    worker_start_s=0.005,
    worker_more_s=0.001,
    chunk_s=50e-6,
    process_item_s=0.2e-6,
    byte_s=1e-9,
    thread_start_s=60e-6,
    thread_item_s=0.1e-6,
    coroutine_s=30e-6,
    measured=True,
)

WRITES = Effect(kind="global", name="seen", how="appends to", file="/home/me/work.py", line=3, certain=True)


def measured(
    *,
    item_s: float = 0.01,
    computes: float = 1.0,
    held: float | None = 1.0,
    items: int = 5,
    remaining: int | None = 100,
    **more: float | None,
) -> Measurement:
    """Return what some even items told: by default computing that holds the GIL, with a second of it left.

    Args:
        item_s: seconds of an item.
        computes: share of it that is computing.
        held: share of the computing that holds the GIL.
        items: items run.
        remaining: items left.
        more: other fields.
    """
    wall_s = items * item_s
    fields: dict[str, object] = {
        "items": items,
        "wall_s": wall_s,
        "first_s": item_s,
        "deviation_s": 0.0,
        "longest_s": item_s,
        "cpu_s": wall_s * computes,
        "native_cpu_s": 0.0,
        "held_s": None if held is None else wall_s * computes * held,
        "queued_s": 0.0,
        "remaining": remaining,
        **more,
    }
    return Measurement(**fields)  # type: ignore[arg-type]


SECONDS = st.just(0.0) | st.floats(1e-8, 1e3)
PRICES = st.floats(1e-9, 1.0)

ANY_COSTS = st.builds(
    Costs,
    cores=st.integers(1, 128),
    has_gil=st.booleans(),
    worker_start_s=PRICES,
    worker_more_s=PRICES,
    chunk_s=PRICES,
    process_item_s=PRICES,
    byte_s=st.floats(1e-12, 1e-6),
    thread_start_s=PRICES,
    thread_item_s=PRICES,
    coroutine_s=PRICES,
    measured=st.booleans(),
)
# However odd: clocks of their own, more CPU than time, a first item that took more than all of them.
ANY_MEASUREMENT = st.builds(
    Measurement,
    items=st.integers(0, 1000),
    wall_s=SECONDS,
    first_s=SECONDS,
    deviation_s=SECONDS,
    longest_s=SECONDS,
    cpu_s=SECONDS,
    native_cpu_s=SECONDS,
    held_s=SECONDS | st.none(),
    queued_s=SECONDS,
    remaining=st.integers(0, 10**7) | st.none(),
    argument_bytes=st.floats(0, 1e9) | st.none(),
    result_bytes=st.floats(0, 1e9) | st.none(),
    pickle_s=SECONDS | st.none(),
    read_s=SECONDS,
)
