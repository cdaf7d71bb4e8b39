"""The advice document, made of the records that the choice is made of."""

from __future__ import annotations

from corewise._types.advised import FORMAT, VERSION
from corewise._types.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from corewise._types.advised import AdviceDocument, Chosen, Predicted, PredictedByCores, Sampled
    from corewise._types.choice import Choice
    from corewise._types.comparison import Machine
    from corewise._types.measurement import Estimate, Measurement


def new_document(machine: Machine, advice: Mapping[str, Any], assumed: int) -> AdviceDocument:
    """Return the document of an advice.

    Args:
        machine: facts of the machine.
        advice: the fields of a `corewise.Advice`, its costs as dictionaries.
        assumed: number of items that the predictions are for.
    """
    from datetime import UTC, datetime

    choice: Choice = advice["choice"]
    if choice.measurement is None:
        raise ValueError("an advice holds a measurement")
    return {
        "format": FORMAT,
        "version": VERSION,
        "corewise": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "function": advice["function"],
        "items": advice["items"],
        "items_assumed": assumed,
        "sample": _sampled(choice.measurement),
        "choice": _chosen(choice),
        "predictions": [_predicted(one) for one in advice["estimates"]],
        "by_cores": [_by_cores(cores, one) for cores, one in advice["by_cores"]],
        "costs": list(advice["costs"]),
        "cautions": list(advice["cautions"]),
        "machine_costs": advice["machine_costs"].as_dict(),
    }


def _sampled(measured: Measurement) -> Sampled:
    return {
        "items": measured.items,
        "wall_s": measured.wall_s,
        "first_s": measured.first_s,
        "item_s": measured.item_s,
        "deviation_s": measured.deviation_s,
        "longest_s": measured.longest_s,
        "cpu_share": measured.cpu_share,
        "held_share": measured.held_share,
        "native_cores": measured.native_cores,
        "children_cores": measured.children_cores,
        "queued_s": measured.queued_s,
        "argument_bytes": measured.argument_bytes,
        "result_bytes": measured.result_bytes,
        "pickle_s": measured.pickle_s,
        "read_s": measured.read_s,
    }


def _chosen(choice: Choice) -> Chosen:
    return {
        "approach": choice.approach,
        "workers": choice.workers,
        "code": choice.code,
        "why": choice.why,
        "per_worker": choice.per_worker,
    }


def _predicted(one: Estimate) -> Predicted:
    return {
        "approach": one.approach,
        "workers": one.workers,
        "seconds": one.seconds,
        "low_s": one.low_s,
        "high_s": one.high_s,
        "start_s": one.start_s,
        "travel_s": one.travel_s,
        "veto": one.veto,
        "why": one.why,
        "per_worker": one.per_worker,
    }


def _by_cores(cores: int, one: Estimate) -> PredictedByCores:
    return {
        "cores": cores,
        "approach": one.approach,
        "workers": one.workers,
        "per_worker": one.per_worker,
        "seconds": one.seconds,
        "low_s": one.low_s,
        "high_s": one.high_s,
    }
