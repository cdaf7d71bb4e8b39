"""A choice in words. The choice is data; the sentence is made from it here and nowhere else."""

from __future__ import annotations

from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.choice import Choice


def explain(choice: Choice, *, forbidden: str | None = None, lost: str | None = None) -> str:
    """Return the reason for a choice as a sentence that quotes what was measured.

    Args:
        choice: what was chosen.
        forbidden: why processes could not be used, if that was the reason.
        lost: what the function does to objects outside itself, if that was the reason.
    """
    if choice.sample is None:
        return {
            "asked": "as asked for",
            "environment": "as the environment variable COREWISE_APPROACH says",
            "coroutine": "a coroutine function: its waits overlap in one event loop",
            "time-limit": "a time limit needs workers that can be killed, so nothing was tried in the caller either",
        }[choice.code]
    sample = choice.sample
    first = "the first item" if sample.items == 1 else f"the first {sample.items} items"
    measured = f"{first} took {numbers.seconds(sample.wall_s)}, {numbers.share(sample.cpu_share)} of it computing"
    if sample.remaining is None:
        left = "an unknown number remains"
    elif sample.remaining:
        left = f"about {numbers.seconds(sample.remaining * sample.item_s)} remain"
    else:
        left = "nothing remains"
    reason = {
        "too-short": "too little is left for workers to repay their start",
        "waits": "it waits more than it computes, and waits overlap in threads",
        "one-core": "it may use one core only, which a plain loop uses as well",
        "computes": "computing uses more cores in processes (in threads only if it is C code that releases the GIL, "
        "which this rule cannot tell)",
        "waits-seeded": "it waits more than it computes; with a seed each item has random numbers of its own, which "
        "threads would share, so the waits overlap in processes",
        "seeded-but-cannot-travel": "with a seed each item has random numbers of its own, which threads would share, "
        f"and {forbidden}",
        "would-be-lost": f"{lost}, which processes would do to copies of their own, so it stays in this one",
        "computes-but-cannot-travel": f"computing would gain from processes, but {forbidden}",
    }[choice.code]
    return f"{measured}; {left}; {reason}"
