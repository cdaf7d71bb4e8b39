"""A choice in words. The choice is data; the sentence is made from it here and nowhere else."""

from __future__ import annotations

from corewise._choose import model, undecided
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.choice import Choice
    from corewise._types.measurement import Estimate, Measurement

# Where something was measured, by `Choice.code`: why it is this one.
REASONS = {
    "nothing-left": "nothing remains",
    "too-short": "there is too little to do to repay the start of workers",
    "one-item": "one item remains, and an item cannot be shared out",
    "one-worker": "one worker was asked for, and a plain loop does what one worker does",
    "one-core": "there is one core to compute on, and a plain loop uses it as well",
    "native-threads": "native threads of a library use the cores already",
    "travel": "sending items and results would take longer than it saves",
    "proved-slower": "what else was tried in this run proved no faster",
    "unsure": "the figures are too rough to be sure that anything else would gain",
    "no-gain": "nothing else is predicted to be clearly faster",
    "waits": "waits overlap in threads",
    "releases": "computing that lets go of the GIL uses several cores in threads",
    "no-gil": "without a GIL, threads use several cores",
    "coroutine": "waits of coroutines overlap in one event loop",
    "computes": "each process has a GIL of its own, so they use several cores",
    "computes-evenly": "each process has a GIL of its own, and somewhat more of them than cores leave none idle",
    "computes-and-waits": "processes overlap the waits and use several cores",
    "allowed": "it gains nothing, but a plain loop is not allowed",
    "veto": "the best of the approaches that can be used",
}
ROUGHLY = 2.0  # a band that is so many times as high at its upper end: the figure is rough
LARGE = 0.3  # a part of the time from which on it is named
_HARDLY = 0.005  # a share of the GIL below which it would read as 0 %
SHORT_WAIT, LONG_WAIT = 0.1, 0.9  # shares of waiting beyond which the rest is not worth a word
_ASIDES = 2  # other approaches that a sentence mentions; more would bury the point
_SILENT = ("plain-function", "not-allowed", "one-worker", "nothing-left")


def explain(choice: Choice) -> str:
    """Return the reason for a choice as a sentence that quotes what was measured and predicted.

    Returns:
        Such as ``"computing that holds the GIL 92 % of the time; predicted 1.04 s against 2.01 s plainly: each process
        has a GIL of its own, so they use several cores; threads would take 2.03 s, since ..."``.
    """
    measured = choice.measurement
    if measured is None:
        return undecided.REASONS[choice.code]
    if choice.code == "nothing-left":
        done = "its one item" if measured.items == 1 else f"all {measured.items:,} items"
        return f"{REASONS['nothing-left']}: {done} took {numbers.seconds(measured.wall_s)} in the caller"
    if not choice.estimates:
        return f"{_little(measured)}: too little for workers to gain anything that one would notice"
    own = choice.estimates[0]
    plain = next((one for one in choice.estimates if one.approach == "sync"), None)
    if choice.approach == "sync":
        predicted = f"{_predicted(own)} plainly"
    elif plain is None:
        predicted = _predicted(own)
    else:
        predicted = f"{_predicted(own)} against {numbers.seconds(plain.seconds)} plainly"
    if measured.items <= 1:
        predicted += ", going by one item"
    return "; ".join([nature(measured), f"{predicted}: {REASONS[choice.code]}", *_asides(choice)])


def nature(measured: Measurement) -> str:
    """Return what an item does with its time, in words."""
    waits = max(0.0, 1.0 - measured.cpu_share)
    if waits >= LONG_WAIT:
        words = f"waiting {numbers.share(waits)} of the time"
    elif waits >= SHORT_WAIT:
        words = f"waiting {numbers.share(waits)} of the time and computing in between{_gil(measured, ', which')}"
    else:
        words = f"computing{_gil(measured, ' that')}"
    if measured.native_cores >= LARGE:
        words += f", beside native threads that keep {numbers.cores(measured.native_cores)} more cores busy"
    if measured.children_cores >= LARGE:
        words += f", also for programs that keep {numbers.cores(measured.children_cores)} cores busy"
    return words


def _gil(measured: Measurement, which: str) -> str:
    held = measured.held_share
    if held is None:
        return f"{which} may hold the GIL (that could not be told)"
    if held < _HARDLY:
        return f"{which} does not hold the GIL"
    return f"{which} holds the GIL {numbers.share(held)} of the time"


def _little(measured: Measurement) -> str:
    """Return how little there is to do."""
    item, number = numbers.seconds(measured.item_s), measured.remaining
    if number is None or number == 1:
        return f"one item takes {item}"
    return f"{numbers.count(number, 'item')} of {item} each take {numbers.seconds(number * measured.item_s)}"


def _predicted(one: Estimate) -> str:
    roughly = "roughly " if one.high_s > ROUGHLY * one.low_s else ""
    return f"predicted {roughly}{numbers.seconds(one.seconds)}"


def _asides(choice: Choice) -> list[str]:
    """Return remarks on the other approaches: first on the one that would have been faster, if there is one."""
    if choice.code in _SILENT:
        return []
    own = choice.estimates[0]
    others = [one for one in choice.estimates[1:] if one.approach != "sync" and one.veto not in _SILENT]
    others.sort(key=lambda one: not (one.veto and one.seconds < own.seconds))
    return [_aside(one, choice) for one in others[:_ASIDES]]


def _aside(one: Estimate, choice: Choice) -> str:
    seconds = numbers.seconds(one.seconds)
    if one.veto == "proved-slower":
        return f"{one.approach} were predicted to take {seconds}, and in this run proved no faster than the plain loop"
    if one.veto and model.clearly_less(one.seconds, choice.estimates[0].seconds):
        return f"{one.approach} would take {seconds} but cannot be used: {one.why}"
    if one.veto:
        return f"{one.approach} cannot be used: {one.why}"
    return f"{one.approach} would take {seconds}{_since(one, choice)}"


def _since(one: Estimate, choice: Choice) -> str:
    """Return why an approach would take so long, and that it was not chosen though it would take somewhat less."""
    own_s = choice.estimates[0].seconds
    if one.start_s >= LARGE * one.seconds:
        reason = f", {numbers.seconds(one.start_s)} of it to start {numbers.count(one.workers, 'worker')}"
    elif model.clearly_less(one.seconds, own_s):
        # What is rough was as rough before; else the figures are newer than the choice.
        reason = "" if choice.code == "unsure" else ", which was not known yet when this was chosen"
    elif one.travel_s >= LARGE * one.seconds:
        reason = f", since the caller would spend {numbers.seconds(one.travel_s)} on sending items and reading results"
    else:
        reason = _since_the_items(one, choice)
    hardly = one.seconds < own_s and not model.clearly_less(one.seconds, own_s)
    return f"{', hardly less' if hardly else ''}{reason}"


def _since_the_items(one: Estimate, choice: Choice) -> str:
    """Return what it is about the items that makes an approach take so long."""
    measured = choice.measurement
    if measured is None:
        return ""
    held = measured.held_share
    turns_s = measured.item_s * measured.cpu_share * (1.0 if held is None else held)
    reading_s = measured.read_s * (measured.remaining or 0)
    if reading_s >= LARGE * one.seconds and measured.read_s > turns_s:
        return f", {numbers.seconds(reading_s)} of it to read the input, which the caller has to do by itself"
    if measured.native_cores >= LARGE:
        told = choice.code == "native-threads" or not model.clearly_less(choice.estimates[0].seconds, one.seconds)
        return "" if told else ", since native threads use the cores already"
    if one.approach == "threads" and measured.cpu_share >= LARGE and (held is None or held >= LARGE):
        return ", since what holds the GIL takes turns" + (", as this may" if held is None else "")
    if one.approach == "asyncio" and measured.cpu_share >= LARGE:
        return ", since computing in an event loop takes turns"
    at_once = one.workers * one.per_worker
    return f" with {numbers.count(at_once, 'item')} at once" if at_once < choice.workers * choice.per_worker else ""
