"""The chooser behind ``approach="auto"``: of the approaches that can be used, the simplest of those predicted fastest.

It is pure: a measurement, the costs of this machine and what was asked for come in, a `Choice` comes out. Each choice
holds the prediction for every approach and the reasons against those that cannot be used; `explain` makes words of it.
"""

from __future__ import annotations

from corewise._choose import model
from corewise._choose.undecided import GAIN_S, GAIN_SHARE, GAIN_SHARE_OF_ANY, nothing_left
from corewise._choose.vetoes import Veto, Wishes, vetoes
from corewise._types.choice import APPROACHES, Choice
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corewise._types.measurement import Costs, Estimate, Measurement

NATIVE = 0.5  # cores that hidden threads keep busy, from which they are named as the reason
MOSTLY = 0.5  # a share from which something is named as what an item mostly does
# Vetoes that say nothing against an approach that would have gained something.
_NO_LOSS = ("plain-function", "not-allowed", "proved-slower")
_ANYTHING = Wishes()


def choose(
    measurement: Measurement,
    costs: Costs,
    wishes: Wishes = _ANYTHING,
    *,
    travel: Veto | None = None,
    nearby: bool = False,
) -> Choice:
    """Choose how to run what remains.

    Args:
        measurement: what the first items told.
        costs: what this machine charges.
        wishes: what was asked for.
        travel: why nothing can be sent to another process, if that was tried, see `vetoes.cannot_travel`.

        nearby: whether to leave out processes where threads can be used: too little is known for them yet.

    Returns:
        The choice, with the words for it left to `explain`. Never an approach that `wishes` or `travel` forbid.

    Raises:
        OptionError: when all approaches are forbidden.
    """
    against = vetoes(wishes, travel)
    if len(against) == len(APPROACHES):
        reasons = "; ".join(f"{name}: {veto.why}" for name, veto in against.items())
        raise OptionError(f"no approach can run this. {reasons}")
    plainly = "sync" not in against
    if plainly and measurement.remaining == 0:
        return nothing_left(measurement)
    if plainly and measurement.items and model.left(measurement, costs) * measurement.item_s <= GAIN_S:
        return _choice(measurement, "sync", 1, "too-short")  # nothing could gain enough to be preferred
    estimates = predictions(measurement, costs, wishes, against)
    nearby = nearby and "threads" not in against
    able = [one for one in estimates if not one.veto and not (nearby and one.approach == "processes")]
    best = preferred(able, GAIN_SHARE_OF_ANY if measurement.remaining is None else GAIN_SHARE)
    rest = sorted((one for one in estimates if one is not best), key=lambda one: (bool(one.veto), one.seconds))
    code = _code(measurement, costs, wishes, best, estimates)
    choice = _choice(measurement, best.approach, best.workers, code, (best, *rest))
    return choice.replace(per_worker=best.per_worker)


def predictions(measurement: Measurement, costs: Costs, wishes: Wishes, against: Mapping[str, Veto]) -> list[Estimate]:
    """Return what each approach is predicted to take with the number of workers that suits it, the simplest first.

    Args:
        measurement: what the first items told.
        costs: what this machine charges.
        wishes: what was asked for.
        against: why approaches cannot be used; their prediction says so.
    """
    found = []
    for approach in APPROACHES:
        workers = model.workers_for(measurement, costs, approach=approach, asked=wishes.workers)
        workers = workers if wishes.limit is None else min(workers, wishes.limit)
        one = model.predict(measurement, costs, approach=approach, workers=workers, coroutine=wishes.coroutine)
        if approach == "processes" and wishes.several_each:
            number, each = model.calls_each(measurement, costs, coroutine=wishes.coroutine)
            several = model.predict(measurement, costs, approach=approach, workers=number, each=each)
            # Where both are as fast, a process for each call would hold more memory.
            if each > 1 and (one.workers > number or model.clearly_less(several.seconds, one.seconds)):
                one = one if model.clearly_less(one.seconds, several.seconds) else several
        veto = against.get(approach)
        found.append(one if veto is None else one.replace(veto=veto.code, why=veto.why))
    return found


def preferred(estimates: Sequence[Estimate], share: float = GAIN_SHARE) -> Estimate:
    """Return the fastest, or a simpler one if that is about as fast.

    A more complicated approach has to gain such a share and four milliseconds, and to gain something even if the items
    that remain are as short as the band of the prediction allows.

    Args:
        estimates: predictions, the simplest approach first; at least one.
        share: of the time that the simpler one takes.
    """
    best = simplest = estimates[0]
    for one in estimates[1:]:
        if model.clearly_less(one.seconds, best.seconds, share) and (
            best is not simplest or simplest.approach != "sync" or one.low_s < simplest.low_s
        ):
            best = one
    return best


def _choice(
    measurement: Measurement, approach: str, workers: int, code: str, estimates: tuple[Estimate, ...] = ()
) -> Choice:
    return Choice(
        approach=approach,
        workers=workers,
        asked="auto",
        code=code,
        why="",
        measurement=measurement,
        estimates=estimates,
    )


def _code(measurement: Measurement, costs: Costs, wishes: Wishes, best: Estimate, estimates: Sequence[Estimate]) -> str:
    """Return the name of the reason: what speaks against the others, or for the one chosen."""
    ideal = preferred([one for one in estimates if not one.veto or one.veto not in _NO_LOSS])
    if ideal.veto and model.clearly_less(ideal.seconds, best.seconds):
        return "veto"
    if best.approach == "sync":
        return _code_of_plain(measurement, costs, wishes, estimates)
    plain = next(one for one in estimates if one.approach == "sync")
    if plain.veto == "not-allowed" and not model.clearly_less(best.seconds, plain.seconds):
        return "allowed"
    waits = 1.0 - min(1.0, measurement.cpu_share)
    if best.approach == "asyncio":
        return "coroutine"
    if best.approach == "processes":
        if waits >= MOSTLY or best.per_worker > 1:
            return "computes-and-waits"
        ours = wishes.workers is None  # the number is
        return "computes-evenly" if ours and model.shares_cores(measurement, costs, best.workers) else "computes"
    if waits >= MOSTLY:
        return "waits"
    return "releases" if costs.has_gil else "no-gil"


def _code_of_plain(measurement: Measurement, costs: Costs, wishes: Wishes, estimates: Sequence[Estimate]) -> str:
    if model.left(measurement, costs) == 1:
        return "one-item"
    if 1 in (wishes.workers, wishes.limit):
        return "one-worker"
    if measurement.native_cores >= NATIVE:
        return "native-threads"
    if costs.cores == 1 and measurement.cpu_share >= MOSTLY:
        return "one-core"
    return _code_of_no_gain(estimates)


def _code_of_no_gain(estimates: Sequence[Estimate]) -> str:
    """Return why nothing else is preferred to the plain loop, by the predictions alone."""
    plain, apart = (next(one for one in estimates if one.approach == name) for name in ("sync", "processes"))
    faster = {one.veto for one in estimates if model.clearly_less(one.seconds, plain.seconds)}
    if "proved-slower" in faster:
        return "proved-slower"
    if "" in faster:  # it may be slower as well, by its band
        return "unsure"
    if apart.travel_s >= MOSTLY * plain.seconds:
        return "travel"
    others = [one for one in estimates if one.approach != "sync" and not one.veto]
    if any(model.clearly_less(one.seconds - one.start_s, plain.seconds) for one in others):
        return "too-short"
    return "no-gain"
