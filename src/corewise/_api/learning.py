"""What a sample tells, and all else that advice or a prediction follows from."""

from __future__ import annotations

from corewise._api.calibration import calibrate
from corewise._api.decision import Decision
from corewise._api.sample import SAMPLE_S, take_sample
from corewise._types.choice import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.decision import Known
    from corewise._api.request import Request
    from corewise._api.sample import Sample
    from corewise._types.measurement import Measurement

_UNCHANGING = (bool, bytes, complex, float, int, str, type(None))


def learn(
    request: Request, *, most_s: float = SAMPLE_S, calibrates: bool = True
) -> tuple[Measurement, int | None, Known]:
    """Run a sample, and find out what a choice follows from.

    Args:
        request: what was asked for.
        most_s: seconds after which no other item is begun.
        calibrates: whether what this machine charges is to be measured, if this program has not done so.

    Returns:
        What the sample told, with what sending takes; how many items there are in all, None where that is not known;
        and the rest.
    """
    processes = Choice(approach="processes", workers=1, asked="auto", code="", why="")
    # Made first: the sample lets go of the input, which forked workers would inherit, and then nothing of it is sent.
    terms = request.terms(processes, streams=False)
    sample = take_sample(request, most_s=most_s)
    if calibrates:
        calibrate(request.options.start_method)
    decision = Decision(request.fn, request.workers, request.options, lambda: terms)
    decision.costs  # noqa: B018 - looked up first, as it depends on how processes are started what an item weighs
    decision.look((lambda: (sample.items, sample.results)) if sample.items else None)
    known = decision.known
    if not _gives_back(sample):
        effects = [one for one in known.wishes.effects if one.certain or one.kind != "returns-argument"]
        known = known.replace(wishes=known.wishes.replace(effects=effects))
    return decision.weighed(sample.measurement), sample.total, known


def _gives_back(sample: Sample) -> bool:
    """Return whether any result of the sample is an object that came with its item, and that can change."""
    return any(
        result is part and not isinstance(result, _UNCHANGING)
        for item, result in zip(sample.items, sample.results, strict=True)
        for part in (item if isinstance(item, tuple) else (item,))
    )
