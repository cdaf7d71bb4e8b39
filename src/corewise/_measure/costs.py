"""What this machine charges: guessed at first, measured when somebody asks for it, corrected by every run. Pure."""

from __future__ import annotations

from corewise._types.measurement import Costs
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Guesses, in seconds, for a machine of about 2022; replaced by what is measured as soon as there is anything.
_START_S = {"fork": 0.002, "forkserver": 0.06, "spawn": 0.08}
_MORE_S = {"fork": 0.0006, "forkserver": 0.01, "spawn": 0.02}

_RATE = 0.3  # guess: a single busy minute moves a cost by little, ten runs move it to where it belongs
_FURTHEST = 4.0  # guess: what took longer than four times the usual was something else
MEASURED = (
    "worker_start_s",
    "worker_more_s",
    "chunk_s",
    "process_item_s",
    "byte_s",
    "thread_start_s",
    "thread_item_s",
    "coroutine_s",
)


def guessed(cores: int, *, has_gil: bool, start_method: str) -> Costs:
    """Return costs for a machine of which nothing is known yet.

    Args:
        cores: cores that this process may use.
        has_gil: whether this build of Python has a global interpreter lock that is on.
        start_method: ``"fork"``, ``"forkserver"`` or ``"spawn"``.
    """
    return Costs(
        cores=cores,
        has_gil=has_gil,
        worker_start_s=_START_S[start_method],
        worker_more_s=_MORE_S[start_method],
        chunk_s=40e-6,
        process_item_s=0.4e-6,
        byte_s=0.5e-9,
        thread_start_s=150e-6,
        thread_item_s=0.1e-6,
        coroutine_s=10e-6,
    )


class Observed(Record):
    """What a finished run tells of costs; what it does not tell is left out.

    Attributes:
        workers: worker processes that were started.
        startup_s: seconds until all of them were ready; 0 where none were started.
        chunks: chunks that went to processes and came back.
        chunk_items: items in them.
        chunk_bytes: bytes that they and their results were.
        parent_s: CPU seconds of the caller's thread for all that.
    """

    workers: int = 0
    startup_s: float = 0.0
    chunks: int = 0
    chunk_items: int = 0
    chunk_bytes: int = 0
    parent_s: float = 0.0


def learn(costs: Costs, observed: Observed) -> Costs:
    """Return costs that are nearer to what a run has shown.

    What was predicted for the run is compared with what it took, and every cost that was part of the prediction is
    moved by the same factor: a run shows their sum only.

    Args:
        costs: what was believed before.
        observed: what a run has shown.
    """
    changes: dict[str, float] = {}
    if observed.workers and observed.startup_s > 0:
        predicted_s = costs.worker_start_s + (observed.workers - 1) * costs.worker_more_s
        factor = _nearer(predicted_s, observed.startup_s)
        changes["worker_start_s"] = costs.worker_start_s * factor
        changes["worker_more_s"] = costs.worker_more_s * factor
    if observed.chunks and observed.parent_s > 0:
        predicted_s = (
            observed.chunks * costs.chunk_s
            + observed.chunk_items * costs.process_item_s
            + observed.chunk_bytes * costs.byte_s
        )
        factor = _nearer(predicted_s, observed.parent_s)
        for name in ("chunk_s", "process_item_s", "byte_s"):
            changes[name] = getattr(costs, name) * factor
    return costs.replace(**changes, measured=True) if changes else costs


def _nearer(predicted_s: float, seen_s: float) -> float:
    if predicted_s <= 0:
        return 1.0
    ratio = min(_FURTHEST, max(1 / _FURTHEST, seen_s / predicted_s))
    return float(ratio**_RATE)


class Trials(Record):
    """What can be tried out to learn the costs; each returns the seconds it took. None where it cannot be tried here.

    Attributes:
        start: starts so many worker processes and waits until all are ready, then ends them; the end is not counted.
        send: hands so many chunks of so many items, each item of so many bytes, to workers that run already and do
            nothing with them, and takes in the results: the CPU seconds of the calling thread.
        threads: starts and ends so many threads.
        thread_items: runs so many items that do nothing by threads, in chunks as large as they are made for those.
        coroutines: runs so many coroutines that do nothing in an event loop that runs already.
    """

    start: Callable[[int], float] | None = None
    send: Callable[[int, int, int], float] | None = None
    threads: Callable[[int], float] | None = None
    thread_items: Callable[[int], float] | None = None
    coroutines: Callable[[int], float] | None = None


_CHUNKS, _ITEMS, _BYTES = 30, 300, 1 << 20
_WORKERS, _THREADS, _SHORT_ITEMS, _COROUTINES = 3, 8, 20_000, 500


def calibrated(costs: Costs, trials: Trials, clock: Callable[[], float], *, budget_s: float = 0.3) -> Costs:
    """Return the costs as measured.

    Every trial is made once, and then all of them again while there is time, up to three times. The median counts.

    Args:
        costs: what holds for what cannot be tried.
        trials: what can be tried.
        clock: gives seconds.
        budget_s: seconds after which no other trial is begun; what has not been tried by then stays as it was.
    """
    end = clock() + budget_s
    found: dict[str, list[float]] = {}
    for _ in range(3):
        for kind in (_of_threads, _of_starts, _of_sending, _of_coroutines):
            if clock() < end:
                for name, seconds in kind(trials).items():
                    found.setdefault(name, []).append(seconds)
    medians = {name: _median(some) for name, some in found.items()}
    return costs.replace(**medians, measured=True) if medians else costs


def _of_starts(trials: Trials) -> dict[str, float]:
    if trials.start is None:
        return {}
    one_s, several_s = trials.start(1), trials.start(_WORKERS)
    more_s = max(0.0, several_s - one_s) / (_WORKERS - 1)
    return {"worker_start_s": one_s, "worker_more_s": more_s}


def _of_sending(trials: Trials) -> dict[str, float]:
    if trials.send is None:
        return {}
    chunk_s = trials.send(_CHUNKS, 1, 0) / _CHUNKS
    item_s = (trials.send(_CHUNKS, _ITEMS, 0) / _CHUNKS - chunk_s) / (_ITEMS - 1)
    byte_s = (trials.send(4, 1, _BYTES) / 4 - chunk_s) / _BYTES
    return {"chunk_s": chunk_s, "process_item_s": max(0.0, item_s), "byte_s": max(0.0, byte_s)}


def _of_threads(trials: Trials) -> dict[str, float]:
    found: dict[str, float] = {}
    if trials.threads is not None:
        found["thread_start_s"] = trials.threads(_THREADS) / _THREADS
    if trials.thread_items is not None:
        found["thread_item_s"] = trials.thread_items(_SHORT_ITEMS) / _SHORT_ITEMS
    return found


def _of_coroutines(trials: Trials) -> dict[str, float]:
    return {} if trials.coroutines is None else {"coroutine_s": trials.coroutines(_COROUTINES) / _COROUTINES}


def _median(some: Sequence[float]) -> float:
    ordered = sorted(some)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
