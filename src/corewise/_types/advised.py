"""The advice document: one versioned JSON object that feeds the terminal and any script.

A change of meaning or the loss of a key raises `VERSION`; a new key does not.
"""

from __future__ import annotations

from typing import Any, TypedDict

from corewise._types.comparison import Machine  # noqa: TC001 - whoever reads the types of the keys needs it

FORMAT = "corewise-advice"
VERSION = 1


class Sampled(TypedDict):
    """What the items that were run have told. Seconds are those of the wall unless they say otherwise."""

    items: int  # that were run; their results were dropped
    wall_s: float  # all together
    first_s: float  # the first of them
    item_s: float  # one, on average, on a core of its own; the first left out where there are others
    deviation_s: float
    longest_s: float
    cpu_share: float  # of the time, for which the calling thread computed
    held_share: float | None  # of the computing, for which the GIL was held; None where that could not be told
    native_cores: float  # cores that native threads kept busy beside it
    children_cores: float  # cores that programs kept busy which the items have started
    queued_s: float  # in line for a core
    argument_bytes: float | None  # of an item on its way to another process; None where that was not measured
    result_bytes: float | None
    pickle_s: float | None  # that the caller would spend on sending one item and reading its result
    read_s: float  # that the caller spends on reading one from the input, whoever runs it; 0 for sequences


class Predicted(TypedDict):
    """What an approach is predicted to take for the whole input."""

    approach: str
    workers: int
    seconds: float
    low_s: float
    high_s: float
    start_s: float  # of these, for starting workers
    travel_s: float  # of these, the caller's for sending items and reading results
    veto: str  # stable name of what speaks against it, "" where nothing does
    why: str  # the same as a clause
    per_worker: int  # calls that each worker runs at once


class PredictedByCores(TypedDict):
    """What would be chosen on a machine like this one with another number of cores."""

    cores: int
    approach: str
    workers: int
    seconds: float
    low_s: float
    high_s: float
    per_worker: int


class Chosen(TypedDict):
    """The approach to use. `code` is stable, `why` a sentence."""

    approach: str
    workers: int
    code: str
    why: str
    per_worker: int


class NamedCost(TypedDict):
    """Something that makes the run take longer than the work itself would."""

    code: str
    share: float  # of the predicted time, that would be saved without it
    advice: str


class AdviceDocument(TypedDict):
    """A whole piece of advice."""

    format: str
    version: int
    corewise: str
    created: str  # ISO 8601, UTC
    machine: Machine
    function: str
    items: int | None  # in the input; None where its length is not known
    items_assumed: int  # that the predictions are for
    sample: Sampled
    choice: Chosen
    predictions: list[Predicted]  # the chosen one first, then by time, those that cannot be used last
    by_cores: list[PredictedByCores]
    costs: list[NamedCost]  # the largest first
    cautions: list[str]
    machine_costs: dict[str, Any]  # what this machine charges, in seconds, and whether that was measured
