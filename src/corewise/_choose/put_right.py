"""Measurements and choices put right by what was learnt since: pure arithmetic on records."""

from __future__ import annotations

from corewise._choose import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs, Estimate, Measurement


def times(measurement: Measurement, factor: float) -> Measurement:
    """Return the measurement of items that take so many times as long, but are alike otherwise."""
    held_s = measurement.held_s
    return measurement.replace(
        wall_s=measurement.wall_s * factor,
        first_s=measurement.first_s * factor,
        deviation_s=measurement.deviation_s * factor,
        longest_s=measurement.longest_s * factor,
        cpu_s=measurement.cpu_s * factor,
        native_cpu_s=measurement.native_cpu_s * factor,
        children_cpu_s=measurement.children_cpu_s * factor,
        held_s=None if held_s is None else held_s * factor,
        queued_s=measurement.queued_s * factor,
    )


def without_loading(measurement: Measurement, loading_s: float) -> Measurement:
    """Return the measurement of one item as if it had not computed for so long, which no later one will."""
    item_s, cpu_s, held_s = measurement.wall_s - loading_s, measurement.cpu_s - loading_s, measurement.held_s
    if loading_s <= 0 or item_s <= 0:
        return measurement
    return measurement.replace(
        wall_s=item_s,
        cpu_s=max(0.0, cpu_s),
        first_s=item_s,
        longest_s=item_s,
        held_s=None if held_s is None else max(0.0, held_s - loading_s),
    )


def behind_the_first(
    measurement: Measurement,
    items: float,
    wall_s: float,
    cpu_s: float,
    queued_s: float,
    native_cpu_s: float,
    seen_s: float,
    held_s: float,
) -> Measurement:
    """Return the measurement of several items without the first of them, which tells nothing of the others.

    Args:
        measurement: of all of them.
        items: how many others there are.
        wall_s: seconds of these.
        cpu_s: CPU seconds of these.
        queued_s: seconds of these in line for a core.
        native_cpu_s: CPU seconds of native threads meanwhile.
        seen_s: CPU seconds of these that were looked at for the GIL.
        held_s: those of them for which it was held.
    """
    known = measurement.held_s is not None and seen_s > 0
    return measurement.replace(
        items=int(items),
        wall_s=wall_s,
        first_s=wall_s / items,
        cpu_s=cpu_s,
        native_cpu_s=max(0.0, native_cpu_s),
        children_cpu_s=measurement.children_cpu_s * items / measurement.items,
        held_s=min(1.0, max(0.0, held_s / seen_s)) * cpu_s if known else None,
        queued_s=max(0.0, min(queued_s, wall_s - cpu_s)),
    )


def after_its_first(choice: Choice, measurement: Measurement, costs: Costs, least: int, most: int) -> Choice:
    """Return a choice that was made beside the first item, now that this has ended: what was predicted, and workers.

    Args:
        choice: what was chosen.
        measurement: what the item has told, and how many remained when the choice was made.
        costs: what this machine charges.
        least: workers that there are to be at least.
        most: workers that there may be at most. In between it is as many as such items call for.
    """
    if least < most and choice.estimates:
        workers = min(most, max(least, model.workers_for(measurement, costs, approach=choice.approach)))
        first, *others = choice.estimates
        choice = choice.replace(workers=workers, estimates=(first.replace(workers=workers), *others))
    return re_estimated(choice, measurement, costs)


def beside_its_first(choice: Choice, measurement: Measurement, costs: Costs, ran_s: float) -> Choice:
    """Return a choice that was made beside a first item that computed, now that this has ended: what was predicted.

    The item kept a core busy, so to share out those that remain has to wait for it, or for workers to start beside it;
    the plain loop would have gone on with it.

    Args:
        choice: what was chosen.
        measurement: what the item has told, and how many remained when the choice was made.
        costs: what this machine charges.
        ran_s: seconds for which the item had run by then.
    """
    with_it = measurement.replace(remaining=None if measurement.remaining is None else measurement.remaining + 1)
    choice = re_estimated(choice, with_it, costs)
    estimates = tuple(_begun(one, ran_s) if one.approach == "sync" else one for one in choice.estimates)
    return choice.replace(measurement=measurement, estimates=estimates)


def _begun(estimate: Estimate, ran_s: float) -> Estimate:
    """Return a prediction for items of which one had run for so long by then."""
    return estimate.replace(
        seconds=max(0.0, estimate.seconds - ran_s),
        low_s=max(0.0, estimate.low_s - ran_s),
        high_s=max(0.0, estimate.high_s - ran_s),
    )


def re_estimated(choice: Choice, measurement: Measurement, costs: Costs, *, coroutine: bool = False) -> Choice:
    """Return the same choice with the predictions that follow from newer figures.

    For showing what remains, and for comparing predictions with what came about: approach, workers, vetoes and the
    reason stay as they were.

    Args:
        choice: what was chosen.
        measurement: what items told lately, and how many remain.
        costs: what this machine charges.
        coroutine: whether it is a coroutine function.
    """
    estimates = tuple(
        model.predict(
            measurement, costs, approach=one.approach, workers=one.workers, each=one.per_worker, coroutine=coroutine
        ).replace(veto=one.veto, why=one.why)
        for one in choice.estimates
    )
    return choice.replace(measurement=measurement, estimates=estimates)
