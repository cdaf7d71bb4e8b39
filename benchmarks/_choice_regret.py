"""What the figures of the suite say of the automatic choice. Pure: figures in, verdicts out."""

from __future__ import annotations

from statistics import geometric_mean, median

from corewise._types.record import Record

MEAN_AT_MOST, WORST_AT_MOST = 1.10, 1.5
TINY_TIMES, TINY_FIXED_S = 1.1, 100e-6
PREDICTED_WITHIN, PREDICTED_SHARE = 0.25, 0.8


class Verdict(Record):
    """How the automatic choice did at one work.

    Attributes:
        best: the fixed choice that was fastest; empty where none has a figure.
        best_s: its median.
        auto_s: the median of the automatic choice; None without a figure.
        regret: `auto_s` / `best_s`; None without figures, or where the outcome was wrong.
        off: by which share the prediction missed what happened, such as -0.2 for a fifth too little; None without one.
    """

    best: str
    best_s: float | None
    auto_s: float | None
    regret: float | None
    off: float | None


class Summary(Record):
    """How it did on the whole.

    Attributes:
        works: how many works have a regret that counts; tiny ones do not.
        mean: geometric mean of their regrets.
        floored_mean: the same with nothing counted below 1, so that a fast engine makes up for no wrong choice.
        worst: the work of the largest regret.
        above: works above the limit for a single one, the worst first.
        predictions: how many predictions there are.
        near: how many of them are near enough.
        met: whether all that is asked of regret and predictions is reached; None where there are no regrets.
    """

    works: int
    mean: float | None
    floored_mean: float | None
    worst: str
    above: list[str]
    predictions: int
    near: int
    met: bool | None


def judge(
    fixed: dict[str, list[float]], auto: list[float], predicted: list[tuple[float, float]], *, right: bool = True
) -> Verdict:
    """Judge one work.

    Args:
        fixed: seconds of each fixed choice, round by round; empty lists for those that could not run it.
        auto: seconds of the automatic choice, round by round.
        predicted: predicted seconds and those that it took, round by round.
        right: whether the automatic choice gave the results of the plain loop.
    """
    medians = {way: median(figures) for way, figures in fixed.items() if figures}
    best = min(medians, key=medians.__getitem__, default="")
    best_s = medians.get(best)
    auto_s = median(auto) if auto else None
    regret = auto_s / best_s if auto_s is not None and best_s and right else None
    off = median(said / took - 1 for said, took in predicted) if predicted else None
    return Verdict(best=best, best_s=best_s, auto_s=auto_s, regret=regret, off=off)


def summarize(verdicts: dict[str, Verdict], tiny: set[str], *, wrong: bool = False) -> Summary:
    """Judge the whole.

    Args:
        verdicts: of each work, by name.
        tiny: names of works that are judged by `tiny_met` alone.
        wrong: whether any outcome was wrong, with which nothing is met.
    """
    regrets = {
        name: verdict.regret for name, verdict in verdicts.items() if verdict.regret is not None and name not in tiny
    }
    offs = [verdict.off for name, verdict in verdicts.items() if verdict.off is not None and name not in tiny]
    near = sum(abs(off) <= PREDICTED_WITHIN for off in offs)
    above = sorted((name for name in regrets if regrets[name] > WORST_AT_MOST), key=lambda name: -regrets[name])
    mean = geometric_mean(regrets.values()) if regrets else None
    met = None
    if mean is not None:
        foreseen = bool(offs) and near >= PREDICTED_SHARE * len(offs)
        met = mean <= MEAN_AT_MOST and not above and foreseen and not wrong
    return Summary(
        works=len(regrets),
        mean=mean,
        floored_mean=geometric_mean(max(1.0, one) for one in regrets.values()) if regrets else None,
        worst=max(regrets, key=regrets.__getitem__, default=""),
        above=above,
        predictions=len(offs),
        near=near,
        met=met,
    )


def tiny_met(plain_s: float, auto_s: float) -> bool:
    """Return whether tiny work costs little more than the plain loop: a tenth, and a fixed 100 µs."""
    return auto_s <= TINY_TIMES * plain_s + TINY_FIXED_S


def still_in(first_round: dict[str, float], times: float) -> set[str]:
    """Return the choices that may turn out to be the best: those within `times` of the best of the first round."""
    limit_s = times * min(first_round.values(), default=0.0)
    return {way for way, figure in first_round.items() if figure <= limit_s}
