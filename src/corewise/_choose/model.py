"""The cost model: what each approach is predicted to take for the items that remain.

It is arithmetic on a `Measurement` and on the `Costs` of this machine. An item is taken apart into CPU seconds that
hold the GIL, CPU seconds that do not, CPU seconds of hidden native threads, and waiting; an approach is a rule on which
of these can overlap. The formulas stand in docs/explanation/choosing.md, with what they leave out.
"""

from __future__ import annotations

from math import ceil, floor, inf, sqrt

from corewise._choose.undecided import ASSUMED, COROUTINES, GAIN_S, GAIN_SHARE
from corewise._types.measurement import Costs, Estimate, Measurement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# As many waits at once as a program starts with where nothing speaks for fewer; `climb.ThreadClimb` then follows what
# the calls tell. More would be quicker where calls get in nobody's way, and flood a server that does less the more it
# is asked to: 4,000 calls of one that is at its best with 24 took 1.19 times as long as with those, begun with 100, and
# 1.4 to 1.7 times, begun with 200 (benchmarks/waiting.py), while 600 calls of 20 ms took the same.
FIRST_THREADS = 100
# Worker processes that wait part of the time leave cores idle, so there may be more of them; each costs memory (guess).
PROCESSES_PER_CORE = 4
# Calls at once in a worker process, times as many as would do if all went evenly. Threads that are through with their
# waits stand in line for the GIL, the longer the more there are; coroutines do not. By two processes with 8, 16 and 32
# calls each 300 calls of 20 ms waiting and 5 ms computing took 0.90, 0.96 and 1.12 s, 600 coroutines of 5 and 2 ms
# 0.89, 0.72 and 0.68 s (benchmarks/both.py).
_THREADS_EACH, _COROUTINES_EACH = 2, 6
# A thread takes so much longer than its start: it is woken, hands over and ends. With 600 calls of 20 ms by 30 to 300
# threads, 400 of 5 ms by 20 to 400 and 400 of 50 ms by 50 to 400, each thread took 0.15 to 0.23 ms, however many there
# were; to start one and wait for its end, 0.11 to 0.16.
_THREAD_IN_ALL = 1.3
_HARDLY_COMPUTES = 0.03  # guess: a share of computing by which a hundred calls at once keep a core or two busy
# And they take so much longer than their computing, for which the GIL goes from hand to hand; as do the cores where
# there are more processes than cores: eight of them took 1.11 s for the same calls (benchmarks/both.py).
_HANDED_ON = 1.2
# Where they compute all the time, cores lose little by being shared: three items of 20, 100 and 300 ms took 1.63, 1.53
# and 1.54 times as long as one by three processes on two cores, and twice as long by two.
_SHARED_CORE = 1.03
# A chunk lasts about so long (`_engine/schedule.py` aims at it).
_CHUNK_S = 0.03
# A thread that waits for the GIL wakes up so late after it was let go, and the one that let it go may have it again by
# then. Measured on two cores with loops of 9 to 2,700 µs between hashes of 2 to 5,000 µs: threads lost
# min(this, free part) of an item times the share of it that holds the GIL.
_WAKE_S = 50e-6
# What the mean of the items seen says about the others: one item alone may have been up to four times as long as they
# (imports, caches) and is not likely to be less than half as long; more items narrow it (guess).
_FIRST_LOW, _FIRST_HIGH = 0.25, 2.0
_SURE, _UNSURE = 0.05, 0.3
_DEVIATIONS = 2.0
_MOST_ERROR = 0.75
# A little waiting may be no such thing: the host of a virtual machine takes its cores away without a word. And where it
# is true, threads would not gain much by it.
_COMPUTES_ALL = 0.75
_GUESSED_COST_ERROR = 0.5  # of start and travel, where the costs of this machine were not measured


class Nature:
    """One item of those that remain, and how many there are.

    Args:
        measurement: what the first items told.
        costs: what this machine charges.
        factor: by which an item is taken to be longer than those seen.
        held_if_unknown: share of the computing that holds the GIL, where that could not be told.

    Attributes:
        items: items that remain; an assumption where the length is unknown, see `left`.
        item_s: seconds of one, plainly.
        held_s: CPU seconds of it that hold the GIL.
        free_s: CPU seconds of it that do not.
        native_s: CPU seconds of native threads meanwhile, and of programs that it starts.
        waits_s: seconds for which it waits, unless for these.
        pickle_s: seconds that the caller spends on sending and receiving it.
        read_s: seconds that the caller spends on reading it from the input, which nobody can do for it.
        longest_s: seconds of the longest item to be expected.
        under_way_s: seconds still to come of the item that the caller is at; only before the first one has ended.
    """

    __slots__ = (
        "free_s",
        "held_s",
        "item_s",
        "items",
        "longest_s",
        "native_s",
        "pickle_s",
        "read_s",
        "under_way_s",
        "waits_s",
    )

    def __init__(
        self, measurement: Measurement, costs: Costs, *, factor: float = 1.0, held_if_unknown: float = 1.0
    ) -> None:
        self.items = left(measurement, costs)
        item_s, share = max(0.0, measurement.item_s * factor), min(1.0, measurement.cpu_share)
        if share >= _COMPUTES_ALL:
            share = 1.0
        self.under_way_s = 0.0
        longest_s = measurement.longest_s * measurement.own_share
        if not measurement.items:
            # Whoever comes upon something that goes on does so half-way through it, on average.
            self.under_way_s = measurement.wall_s * factor
            item_s = longest_s = 2 * self.under_way_s
        held = measurement.held_share
        held = (held_if_unknown if held is None else held) if costs.has_gil else 0.0
        self.item_s = item_s
        self.held_s = item_s * share * held
        self.free_s = item_s * share - self.held_s
        self.native_s = item_s * (measurement.native_cores + measurement.children_cores)
        self.waits_s = item_s * max(0.0, 1.0 - share - measurement.children_cores)
        size = (measurement.argument_bytes or 0.0) + (measurement.result_bytes or 0.0)
        self.pickle_s = (measurement.pickle_s or 0.0) + size * costs.byte_s
        self.read_s = measurement.read_s
        self.longest_s = max(item_s, min(longest_s * factor, self.items * item_s))

    @property
    def cpu_s(self) -> float:
        """CPU seconds of an item, on whatever core."""
        return self.held_s + self.free_s + self.native_s

    @property
    def with_caller(self) -> float:
        """How many items compute while workers do: those that remain, and the rest of the one under way."""
        return self.items + (self.under_way_s / self.item_s if self.item_s > 0 else 0.0)

    @property
    def plain_s(self) -> float:
        """Seconds for all that remains, one after another in the caller."""
        return self.under_way_s + self.items * (self.read_s + self.item_s)


def left(measurement: Measurement, costs: Costs) -> int:
    """Return how many items to reckon with.

    Where the length of the input is unknown: as many again as were done. That is what to expect of something that one
    comes upon at no particular time, and it is put right as the run goes on. At first as many as make `ASSUMED`: items
    that are worth workers at such a number last longer than the start of these, which is all that is lost if there are
    fewer.
    """
    if measurement.remaining is not None:
        return measurement.remaining
    return max(measurement.items, ASSUMED - measurement.items, 2 * costs.cores)


def scaled(costs: Costs, cores: int) -> Costs:
    """Return the costs of a machine that is like this one but for its number of cores."""
    return costs.replace(cores=cores)


def predict(
    measurement: Measurement, costs: Costs, *, approach: str, workers: int, each: int = 1, coroutine: bool = False
) -> Estimate:
    """Return what an approach is predicted to take for the items that remain.

    Args:
        measurement: what the first items told.
        costs: what this machine charges.
        approach: ``"sync"``, ``"threads"``, ``"asyncio"`` or ``"processes"``.
        workers: number of workers.
        each: calls that each of them runs at once, where they are processes.
        coroutine: whether it is a coroutine function: only then asyncio overlaps anything.

    Returns:
        The prediction, and its error band: what it would be if the items that remain were as different from those
        seen as these let expect, and what could not be measured turned out good or bad.
    """
    way = _WAYS[approach] if each == 1 else _by_several_each(each)
    if approach == "asyncio" and not coroutine:
        way = _by_blocked_loop
    seconds, start_s, travel_s = way(Nature(measurement, costs), costs, workers)
    low, high = spread(measurement)
    low_s = way(Nature(measurement, costs, factor=low, held_if_unknown=0.0), costs, workers)[0]
    bad = Nature(measurement, costs, factor=high)
    if measurement.pickle_s is None:
        bad.pickle_s += bad.item_s  # as dear to send as to make
    high_s = way(bad, costs, workers)[0]
    charged_s = 0.0 if costs.measured else _GUESSED_COST_ERROR * start_s
    return Estimate(
        approach=approach,
        workers=workers,
        seconds=seconds,
        low_s=max(0.0, min(low_s, seconds) - charged_s),
        high_s=max(high_s, seconds) + charged_s,
        start_s=start_s,
        travel_s=travel_s,
        per_worker=each,
    )


def spread(measurement: Measurement) -> tuple[float, float]:
    """Return by which factors the mean of the items that remain may be shorter and longer than that of those seen."""
    known = measurement.items - 1
    if known < 1:
        return _FIRST_LOW, _FIRST_HIGH
    mean_s = (measurement.wall_s - measurement.first_s) / known
    relative = measurement.deviation_s / mean_s if mean_s > 0 else 0.0
    error = min(_MOST_ERROR, _SURE + _UNSURE / known + _DEVIATIONS * relative / sqrt(known))
    return 1.0 - error, 1.0 + error


def workers_for(measurement: Measurement, costs: Costs, *, approach: str, asked: int | None = None) -> int:
    """Return the number of workers to use with an approach.

    Args:
        measurement: what the first items told.
        costs: what this machine charges.
        approach: the approach.
        asked: what the user asked for, which is taken as it is; None for the number that the model finds best.
    """
    if approach == "sync":
        return 1
    if asked is not None:
        return asked
    nature = Nature(measurement, costs)
    # An unknown number of items may be larger than what is assumed of it, so it bounds nothing.
    most = int(1e9) if measurement.remaining is None else max(1, measurement.remaining)
    if approach == "asyncio":
        return min(most, COROUTINES)
    if approach == "threads":
        return _threads(nature, costs, most)
    return _processes(nature, costs, most)


def _threads(nature: Nature, costs: Costs, most: int) -> int:
    """Return how many threads: as many as keep the GIL or the cores busy, and as repay their start."""
    busy_s = max(nature.held_s, nature.cpu_s / costs.cores)
    # Twice as many as would do if all went evenly. What computes all the time needs no more than there are cores.
    useful = inf if busy_s <= 0 else 2 * nature.item_s / busy_s if _waits(nature) else 0.0
    if nature.under_way_s and nature.waits_s > nature.cpu_s:
        useful = inf  # what the first one computes is mostly loading, and how long it will wait is not known
    number = round(max(costs.cores, min(useful, FIRST_THREADS)))
    if most > nature.items:
        return number
    return _in_waves(nature, costs, min(number, most))


def _in_waves(nature: Nature, costs: Costs, most: int) -> int:
    """Return by how many threads, as many as that at most, the items are over soonest.

    They come in waves, as many at once as there are threads: with fewer in all but the last wave it takes no longer.
    """
    fewest = ceil(nature.items / most)
    best = sqrt(nature.items * thread_s(costs) / nature.item_s) if nature.item_s > 0 else 0.0
    waves = (max(fewest, min(nature.items, floor(best))), max(fewest, min(nature.items, ceil(best))))
    return min(
        (ceil(nature.items / number) for number in waves),
        key=lambda threads: ceil(nature.items / threads) * nature.item_s + threads * thread_s(costs),
    )


def thread_s(costs: Costs) -> float:
    """Return the seconds that a thread costs, beside what it runs."""
    return _THREAD_IN_ALL * costs.thread_start_s


def _processes(nature: Nature, costs: Costs, most: int) -> int:
    """Return how many processes: one for each core, unless more or fewer are clearly better."""
    best = min(most, costs.cores)
    best_s = _by_processes(nature, costs, best)[0]
    for_each = nature.item_s / nature.cpu_s if nature.cpu_s > 0 else inf  # core: the others wait meanwhile
    useful = min(most, round(costs.cores * min(for_each, PROCESSES_PER_CORE)))
    others = [useful] if useful > best else []
    if most <= nature.items:
        # So many that no core is left without an item in the last wave: three on two cores share them.
        even = ceil(nature.items / max(1, nature.items // costs.cores))
        others += [even] if even > best else []
    half = best // 2
    while half > 1:  # fewer start sooner
        others.append(half)
        half //= 2
    for number in others:
        seconds = _by_processes(nature, costs, number)[0]
        if clearly_less(seconds, best_s):
            best, best_s = number, seconds
    return best


def calls_each(measurement: Measurement, costs: Costs, *, coroutine: bool = False) -> tuple[int, int]:
    """Return how many processes, and how many calls at once in each, keep all cores busy while calls wait.

    Returns:
        Both numbers; the second is 1 where there is little to wait for, or only as much to do as there are processes.
    """
    nature = Nature(measurement, costs)
    number = max(1, min(nature.items, costs.cores))
    # What waits nearly all the time hardly keeps one core busy, however many calls one process runs at once.
    if not _waits(nature) or nature.cpu_s < _HARDLY_COMPUTES * nature.item_s:
        return number, 1
    times = _COROUTINES_EACH if coroutine else _THREADS_EACH
    useful = times * nature.item_s / nature.cpu_s
    return number, max(1, round(min(useful, FIRST_THREADS, ceil(nature.items / number))))


def clearly_less(one_s: float, than_s: float, share: float = GAIN_SHARE) -> bool:
    """Return whether a prediction is so much shorter than another that it is worth a change."""
    return than_s - one_s > GAIN_S and one_s < (1.0 - share) * than_s


# -- one rule for each approach: seconds in all, of these the start of workers, and the caller's seconds to send items


def _plainly(nature: Nature, costs: Costs, workers: int) -> tuple[float, float, float]:  # noqa: ARG001 - as the others
    return nature.plain_s, 0.0, 0.0


def _by_threads(nature: Nature, costs: Costs, workers: int) -> tuple[float, float, float]:
    number, items = _at_once(nature, workers)
    at_once = min(number, costs.cores)
    clash_s = min(_WAKE_S, nature.free_s) * nature.held_s / nature.item_s if number > 1 and nature.item_s > 0 else 0.0
    # What holds the GIL goes one after another, and what does not is spread over the cores behind it, not beside it:
    # measured, see `_WAKE_S`.
    turns_s = items * (nature.read_s + clash_s + costs.thread_item_s)
    turns_s += nature.with_caller * (nature.held_s + nature.free_s / at_once)
    cores_s = (items * nature.read_s + nature.with_caller * nature.cpu_s) / costs.cores
    start_s = costs.thread_first_s + number * thread_s(costs)
    return start_s + _longest_of(nature, number, max(turns_s, cores_s) + nature.waits_s), start_s, 0.0


def _by_asyncio(nature: Nature, costs: Costs, workers: int) -> tuple[float, float, float]:
    number, items = _at_once(nature, workers)
    turns_s = items * (nature.read_s + nature.held_s + nature.free_s + costs.coroutine_s)
    return _longest_of(nature, number, turns_s + nature.waits_s), 0.0, 0.0


def _by_blocked_loop(nature: Nature, costs: Costs, workers: int) -> tuple[float, float, float]:  # noqa: ARG001 - as the others
    """A plain function in a coroutine: it never gives way to another."""
    return nature.plain_s + nature.items * costs.coroutine_s, 0.0, 0.0


def _by_several_each(each: int) -> Callable[[Nature, Costs, int], tuple[float, float, float]]:
    return lambda nature, costs, workers: _by_processes(nature, costs, workers, each)


def _by_processes(nature: Nature, costs: Costs, workers: int, each: int = 1) -> tuple[float, float, float]:
    number, items = _at_once(nature, workers)
    if not items:
        return nature.under_way_s, 0.0, 0.0
    start_s = costs.worker_start_s + (number - 1) * costs.worker_more_s + (each - 1) * costs.thread_start_s
    in_chunk = max(1.0, min(_CHUNK_S / nature.item_s if nature.item_s > 0 else inf, items / (2 * number * each)))
    travel_s = items * (nature.pickle_s + costs.process_item_s) + ceil(items / in_chunk) * costs.chunk_s
    caller_s = travel_s + items * nature.read_s
    # A worker unpickles what the caller pickles, and the other way round: the same work once more, on its own core.
    worker_s = items * (nature.cpu_s + nature.pickle_s) * _stretched(nature, costs, number * each)
    beside_s = (nature.with_caller - items) * nature.cpu_s
    cores_s = max(worker_s / min(number, costs.cores), (worker_s + caller_s + beside_s) / costs.cores)
    last_s = nature.waits_s if each > 1 else 0.0  # else it is in the waves of items
    apart_s = _longest_of(nature, number * each, max(cores_s, caller_s + min(nature.item_s, _CHUNK_S)) + last_s)
    return start_s + apart_s, start_s, travel_s


def shares_cores(measurement: Measurement, costs: Costs, workers: int) -> bool:
    """Return whether there are more processes than cores for items that hardly wait, so that these come out even."""
    return workers > costs.cores and not _waits(Nature(measurement, costs))


def _waits(nature: Nature) -> bool:
    return nature.waits_s > 0.1 * nature.item_s


def _stretched(nature: Nature, costs: Costs, at_once: int) -> float:
    """Return by which factor computing takes longer where there may be more calls at once than cores."""
    if at_once <= costs.cores:
        return 1.0
    return _HANDED_ON if _waits(nature) else _SHARED_CORE


_WAYS = {"sync": _plainly, "threads": _by_threads, "asyncio": _by_asyncio, "processes": _by_processes}


def _at_once(nature: Nature, workers: int) -> tuple[int, int]:
    return max(1, min(workers, nature.items)), nature.items


def _longest_of(nature: Nature, workers: int, together_s: float) -> float:
    """Return the longest of what all need together, whole waves of items, and the longest item."""
    if not nature.items:
        return nature.under_way_s
    waves_s = ceil(nature.items / workers) * nature.item_s
    return max(together_s, waves_s, nature.longest_s, nature.under_way_s)
