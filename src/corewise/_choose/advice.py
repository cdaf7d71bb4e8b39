"""What would make a run faster: the largest costs by name, and what other numbers of cores would give."""

from __future__ import annotations

from corewise._choose import model, rule
from corewise._choose.vetoes import Veto, Wishes, vetoes
from corewise._types import numbers
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs, Estimate, Measurement

LARGE = 0.2  # a part of the predicted time from which on a cost is worth advice (guess)
LEAST_READ_S = 3e-7  # guess: for so long any generator takes to give an item
SMALL_BYTES = 1000  # guess: to send less than that costs what any item costs, whatever its size
_ANYTHING = Wishes()


class Cost(Record):
    """Something that makes a run take longer than the work itself would.

    Attributes:
        code: short stable name: ``"gil"``, ``"giant"``, ``"few-items"``, ``"start"``, ``"travel"``,
            ``"reading"``, ``"native-threads"`` or ``"short-items"``.
        share: the part of the predicted time that would be saved without it, from 0 to 1; roughly.
        advice: what it is, and what would help, in a sentence.
    """

    code: str
    share: float
    advice: str


def by_cores(
    measurement: Measurement,
    costs: Costs,
    cores: Iterable[int] = (2, 4, 8, 16),
    *,
    wishes: Wishes = _ANYTHING,
    travel: Veto | None = None,
) -> list[tuple[int, Estimate]]:
    """Return what would be chosen with other numbers of cores, and what it is predicted to take.

    Args:
        measurement: what the first items told.
        costs: what this machine charges; all but the number of cores is taken to be the same.
        cores: numbers of cores.
        wishes: what was asked for.
        travel: why nothing can be sent to another process, if that was tried.

    Returns:
        Pairs of a number of cores and a prediction; none where native threads compute, as those would take more cores
        for themselves, and nobody knows how well.
    """
    if measurement.native_cores >= rule.NATIVE:
        return []
    found: list[tuple[int, Estimate]] = []
    against = vetoes(wishes, travel)
    for number in cores:
        other = model.scaled(costs, number)
        estimates = rule.predictions(measurement, other, wishes, against)
        best = rule.preferred([one for one in estimates if not one.veto])
        # With more cores nobody has to start more workers.
        if found and number >= found[-1][0] and best.seconds > found[-1][1].seconds:
            best = found[-1][1]
        found.append((number, best))
    return found


def largest_cost(choice: Choice, costs: Costs) -> Cost | None:
    """Return what costs most beyond the work itself; None where nothing is large."""
    found = costs_of(choice, costs)
    return found[0] if found else None


def advice(choice: Choice, costs: Costs) -> list[str]:
    """Return what would make it faster, in sentences, what gains most first; empty where nothing stands out."""
    return [one.advice for one in costs_of(choice, costs)]


def costs_of(choice: Choice, costs: Costs) -> list[Cost]:
    """Return what makes the chosen run take longer than it would without that, the largest first.

    Each is taken away in turn and everything predicted again: what the best of the approaches that can be used would
    save then is what it costs.

    Args:
        choice: an automatic choice; for one without predictions there is nothing to say.
        costs: the costs that it was made with.
    """
    measured = choice.measurement
    if measured is None or not choice.estimates or choice.estimates[0].seconds <= 0:
        return []
    found = [one for rule_ in _RULES if (one := rule_(choice, measured, costs)) is not None and one.share >= LARGE]
    return sorted(found, key=lambda one: -one.share)


def _saved(choice: Choice, measured: Measurement, costs: Costs) -> float:
    """Return the part of the predicted time that would be saved with other figures, by what can be used."""
    coroutine = any(one.approach == "asyncio" and one.veto != "plain-function" for one in choice.estimates)
    able = [one for one in choice.estimates if not one.veto]
    best_s = min(
        model.predict(
            measured, costs, approach=one.approach, workers=one.workers, each=one.per_worker, coroutine=coroutine
        ).seconds
        for one in able
    )
    # Against the fastest, which is not the one chosen where it is hardly faster.
    return max(0.0, 1.0 - best_s / min(one.seconds for one in able))


def _native(choice: Choice, measured: Measurement, costs: Costs) -> Cost | None:  # noqa: ARG001 - as the others
    if measured.native_cores < rule.NATIVE:
        return None
    cores = numbers.cores(measured.native_cores + measured.cpu_share)
    return Cost(
        code="native-threads",
        share=measured.native_cores / (measured.native_cores + measured.cpu_share),
        advice=f"With a library's native threads (such as those of BLAS) {cores} cores are busy already, so workers "
        "have little left to gain. Larger inputs to each call of the library use the cores better.",
    )


def _gil(choice: Choice, measured: Measurement, costs: Costs) -> Cost | None:
    share = _saved(choice, measured.replace(held_s=0.0), costs)
    apart = next((one for one in choice.estimates if one.approach == "processes"), None)
    if apart is None or not apart.veto:
        return None  # processes are a way around it; what they cost has names of its own
    way = ""
    if model.clearly_less(apart.seconds, choice.estimates[0].seconds):
        way = f" Processes would take {numbers.seconds(apart.seconds)}{_if_it_could(apart)}."
    return Cost(
        code="gil",
        share=share,
        advice=f"The computing holds the GIL, so only one thread at a time gets on.{way} A library that computes whole "
        "arrays at once (such as NumPy) lets go of the GIL meanwhile.",
    )


def _if_it_could(apart: Estimate) -> str:
    """Return what would have to be different for an approach to be used."""
    if apart.veto == "effect":
        return ", if the function returned what is to be kept, and changed nothing that belongs to the caller"
    return f", but cannot be used: {apart.why}"


def _giant(choice: Choice, measured: Measurement, costs: Costs) -> Cost:
    return Cost(
        code="giant",
        share=_saved(choice, measured.replace(longest_s=0.0), costs),
        advice=f"One item took {numbers.seconds(measured.longest_s)}, and no run can be shorter than its longest item. "
        "Split the long ones, and put them first in the input.",
    )


def _few_items(choice: Choice, measured: Measurement, costs: Costs) -> Cost | None:  # noqa: ARG001 - as the others
    items = measured.remaining
    if not items or items >= costs.cores or measured.cpu_share < rule.MOSTLY or measured.native_cores >= rule.NATIVE:
        return None
    return Cost(
        code="few-items",
        share=1.0 - items / costs.cores,
        advice=f"{numbers.count(items, 'item')} for {costs.cores} cores: more and smaller items would use all of them.",
    )


def _start(choice: Choice, measured: Measurement, costs: Costs) -> Cost | None:
    apart = next((one for one in choice.estimates if one.approach == "processes"), None)
    if apart is None:
        return None
    return Cost(
        code="start",
        share=_saved(choice, measured, costs.replace(worker_start_s=0.0, worker_more_s=0.0)),
        advice=f"Starting {numbers.count(apart.workers, 'worker')} takes {numbers.seconds(apart.start_s)}. An executor "
        "(`corewise.ProcessExecutor`) starts them once for many calls; or hand over more work in one call.",
    )


def _travel(choice: Choice, measured: Measurement, costs: Costs) -> Cost | None:
    apart = next((one for one in choice.estimates if one.approach == "processes"), None)
    if apart is None:
        return None
    nothing = measured.replace(argument_bytes=0.0, result_bytes=0.0, pickle_s=0.0)
    there, back = measured.argument_bytes or 0.0, measured.result_bytes or 0.0
    if max(there, back) < SMALL_BYTES:
        return None  # it is their number that costs, see `_short_items`
    what, size = ("a result", back) if back >= there else ("an item", there)
    cure = "Return only what is needed of it: a figure, an array instead of a list, or the name of a file."
    if what == "an item":
        cure = "Pass something small (the name of a file, a range) and let the worker load the rest."
    return Cost(
        code="travel",
        share=_saved(choice, nothing, costs),
        advice=f"Sending items and reading results takes the caller {numbers.seconds(apart.travel_s)}; {what} is "
        f"{numbers.bytes_(size)}. {cure}",
    )


def _reading(choice: Choice, measured: Measurement, costs: Costs) -> Cost:
    return Cost(
        code="reading",
        share=_saved(choice, measured.replace(read_s=min(measured.read_s, LEAST_READ_S)), costs),
        advice=f"To read an item from the input takes {numbers.seconds(measured.read_s)}, and only the caller can do "
        "that, one after the other. Pass something small (a number, the name of a file) and make the rest in the "
        "function.",
    )


def _short_items(choice: Choice, measured: Measurement, costs: Costs) -> Cost:
    free = costs.replace(process_item_s=0.0, thread_item_s=0.0, coroutine_s=0.0, chunk_s=0.0)
    small = max(measured.argument_bytes or 0.0, measured.result_bytes or 0.0) < SMALL_BYTES
    return Cost(
        code="short-items",
        share=_saved(choice, measured.replace(pickle_s=0.0) if small else measured, free),
        advice=f"An item takes {numbers.seconds(measured.item_s)}, too little beside what it takes to hand it over. "
        "Let one item stand for many: pass ranges or lists, and loop inside the function.",
    )


_RULES = (_native, _gil, _giant, _few_items, _start, _travel, _reading, _short_items)
