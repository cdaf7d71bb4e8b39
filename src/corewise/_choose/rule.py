"""The rule behind ``approach="auto"``: short, honest about what it does not know, and pure.

It looks at the first items, which the caller has run as real work: how long they took and how much of that was
computing. It cannot tell C code that releases the GIL from code that holds it; such work goes to processes, which
serve both.
"""

from __future__ import annotations

from corewise._types.choice import Choice, Sample

# Below this, what remains is over before workers would repay their start and their share of the sample.
WORTH_S = 0.05
WAITS_BELOW = 0.5  # CPU share under which an item waits more than it computes
THREADS = 32  # as many waits at once as the standard library's thread pool allows itself at most


def threads_by_default(items: int | None) -> int:
    """Return the number of threads when none was asked for: enough to overlap waits, at most one per item."""
    return THREADS if items is None else max(1, min(THREADS, items))


def processes_by_default(cores: int, items: int | None) -> int:
    """Return the number of processes when none was asked for: one per core, no more than there are items."""
    return cores if items is None else max(1, min(cores, items))


def coroutines_by_default(items: int | None) -> int:
    """Return how many coroutines run at once when no number was asked for: as common clients allow connections."""
    return 100 if items is None else max(1, min(100, items))


def choose(
    sample: Sample,
    *,
    cores: int,
    workers: int | None,
    forbidden: str | None,
    threads: bool = True,
    lost: str | None = None,
) -> Choice:
    """Choose how to run what remains.

    Args:
        sample: what the first items told.
        cores: cores this process may use.
        workers: workers asked for; None for the default of what is chosen.
        forbidden: why processes cannot be used; None when they can.
        threads: whether threads may be used; with a seed they may not, as they share one generator.
        lost: what the function does to objects outside itself, which would be lost in processes; None for nothing.

    Returns:
        The choice, with the words for it left to `explain`.
    """
    left_s = None if sample.remaining is None else sample.remaining * sample.item_s

    def made(approach: str, number: int, code: str) -> Choice:
        return Choice(approach=approach, workers=number, asked="auto", code=code, why="", sample=sample)

    if sample.remaining == 0 or (left_s is not None and left_s < WORTH_S):
        return made("sync", 1, "too-short")
    waits = sample.cpu_share < WAITS_BELOW
    if waits and threads:
        return made("threads", workers or threads_by_default(sample.remaining), "waits")
    if (workers or cores) == 1:
        return made("sync", 1, "one-core")
    if lost is not None:
        return made("sync", 1, "would-be-lost")
    if forbidden is not None and not threads:
        return made("sync", 1, "seeded-but-cannot-travel")
    if forbidden is not None:
        return made("threads", workers or processes_by_default(cores, sample.remaining), "computes-but-cannot-travel")
    number = workers or processes_by_default(cores, sample.remaining)
    if waits:
        return made("processes", number, "waits-seeded")
    return made("processes", number, "computes")
