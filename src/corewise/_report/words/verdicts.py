"""The verdict on one row: a sentence or two that follow from its figures.

The figures decide what is said; the name of the approach only decides how it is explained, since the same figures
come about differently among threads, which share one interpreter, and processes, which share nothing.
"""

from __future__ import annotations

from corewise._report.words.figures import (
    COMPUTING_SHARE,
    DENIED_SHARE,
    FULL_SHARE,
    SEVERAL_CORES,
    Facts,
    high,
    low,
    wanted_cores,
)
from corewise._types import numbers

# Limits of the explanations, all of them guesses: from here on a cause is large enough to be named.
STARTUP_SHARE = 0.1  # start-up as a part of the row's wall time
STARTUP_OF_WORK_SHARE = 0.5  # start-up as a part of the plain run, from which the work is too short for it
PAIR = 2  # cores, of which one says "both"
STARTUP_OF_LOSS_SHARE = 0.3  # start-up as a part of what was lost against the plain run
SHORT_ITEM_S = 200e-6  # an item below this may cost more to hand out than to run
CPU_GROWTH = 1.3  # CPU seconds as a multiple of the plain run's
ALL_SHARE = 0.995  # part of the possible gain that rounds to all of it
MEMORY_GROWTH = 2.0  # peak memory as a multiple of the plain run's
MEMORY_GROWTH_BYTES = 10_000_000  # and in bytes, so that a small program's few megabytes are not worth a sentence


def verdict(facts: Facts) -> str:
    """Return what the figures of one row say, in words.

    Args:
        facts: the row beside the plain run.

    Returns:
        One or two sentences. A gain is called one only outside the spread of the rounds.
    """
    if facts.outcome in ("failed", "skipped"):
        return f"{facts.outcome}: {facts.row['problem'] or 'no reason was recorded'}".rstrip(".") + "."
    if facts.outcome == "baseline":
        return f"{_baseline(facts)}."
    if facts.outcome == "alone":
        return (
            f"{numbers.seconds(facts.wall_s)}{_busy_aside(facts)}; no plain run ended that it could be compared with."
        )
    if facts.outcome == "unclear":
        return f"{_unclear(facts)}."
    explain = {"gain": _why_gain, "same": _why_same, "loss": _why_loss}[facts.outcome]
    return f"{headline(facts)}: {explain(facts)}.{_memory(facts)}"


def headline(facts: Facts) -> str:
    """Return what became of the time, without a reason: ``"1.97 times faster"``."""
    one_round = " in its one round" if facts.rounds == 1 else ""
    if facts.outcome == "gain":
        return f"{numbers.factor(facts.gain)} times faster{one_round}"
    if facts.outcome == "same":
        return f"no faster ({numbers.times(facts.gain)}){one_round}"
    if facts.outcome == "loss":
        return f"slower, {numbers.factor(1 / facts.gain)} times as long{one_round}"
    return f"unclear ({numbers.times(facts.gain)})"


def busy_words(busy: float) -> str:
    """Return a number of busy cores in words: ``"1.0 core"``, ``"1.9 cores"``."""
    return f"{numbers.cores(busy)} {'core' if numbers.cores(busy) == '1.0' else 'cores'}"


def worked_at_once(facts: Facts) -> str:
    """Return how many of the cores that could be used worked at once, in words."""
    busy, usable = facts.busy, facts.usable_cores
    if busy is None:
        return f"{usable} cores could work at once"
    if busy < FULL_SHARE * usable:
        return f"{numbers.cores(busy)} of {usable} cores worked at once"
    return "both cores worked at once" if usable == PAIR else f"all {usable} cores worked at once"


def _baseline(facts: Facts) -> str:
    busy = facts.busy
    if busy is None:
        return "the plain run that the others are compared with"
    if facts.work == "several cores":
        return f"the plain run keeps {busy_words(busy)} busy by itself: native code in it runs threads of its own"
    if facts.disturbed:
        return (
            f"the plain run computes {numbers.share(min(busy, 1.0))} of the time, and for another "
            f"{numbers.share(facts.denied)} it stood in line for a core that other programs had"
        )
    if facts.work == "computing":
        return f"the plain run computes {numbers.share(min(busy, 1.0))} of the time, on one core"
    if facts.work == "waiting":
        return f"the plain run waits {numbers.share(1 - busy)} of the time and leaves the cores idle"
    return f"the plain run computes {numbers.share(busy)} of the time and waits for the rest"


def _unclear(facts: Facts) -> str:
    if facts.wrapped:
        return (
            f"no gain of its own ({numbers.times(facts.gain)}): a plain function never awaits, so its calls ran one "
            "after another and the difference is chance, a cache or a warm-up"
        )
    base = facts.base or facts.row
    mine, plain = numbers.span(low(facts.row), high(facts.row)), numbers.span(low(base), high(base))
    return (
        f"unclear: {numbers.times(facts.gain)} by the medians, but the rounds overlap ({mine} against {plain} "
        "plainly), so it may be chance; repeat it on a quiet machine"
    )


# ---- faster


def _why_gain(facts: Facts) -> str:
    busy = facts.busy
    if facts.work == "waiting":
        return _waits_overlapped(facts)
    if facts.work == "mixed":
        if busy is not None and busy >= SEVERAL_CORES:
            return f"its waits overlapped, and {worked_at_once(facts)}"
        return "its waits overlapped; the computing in between stayed on one core"
    if facts.work == "unknown" or busy is None:
        return f"up to {numbers.count(facts.at_once, 'item')} ran at once"
    if facts.work == "computing" and busy < SEVERAL_CORES:
        if (wanted_cores(facts.row) or busy) >= SEVERAL_CORES:
            return f"its workers ran at once where they could{_denied(facts)}"
        if facts.plain_denied >= DENIED_SHARE:
            return (
                f"but other programs took {numbers.share(facts.plain_denied)} of the plain run's time; compare again "
                "when the machine is quiet, before relying on it"
            )
        return (
            f"but only {busy_words(busy)} busy, so it was not the cores that saved the time; look for a cache or a "
            "warm-up before relying on it"
        )
    return _computed_at_once(facts)


def _waits_overlapped(facts: Facts) -> str:
    at_once = facts.at_once
    place = {"asyncio": " on one core", "processes": ", one in each worker process"}.get(facts.row["approach"], "")
    who = f"the waits overlapped, up to {numbers.count(at_once, 'call')} at once{place}"
    part = facts.gain / at_once
    if part >= FULL_SHARE:
        return f"{who} ({numbers.share(min(1.0, part))} of what {at_once} can give)"
    return f"{who}{_startup(facts) or '; what it waits for, or the work in between, keeps it from gaining more'}"


def _computed_at_once(facts: Facts) -> str:
    worked = worked_at_once(facts)
    efficiency = facts.gain / facts.usable_cores
    if facts.row["approach"] == "threads":
        how = "the computing releases the GIL" if facts.gil else "there is no GIL in the way"
        worked = f"{how}, so {worked}"
    if efficiency >= FULL_SHARE:
        more = _more_workers_than_cores(facts)
        part = "all" if efficiency >= ALL_SHARE else f"{numbers.share(efficiency)} of what"
        return f"{worked}, {part} {numbers.count(facts.usable_cores, 'core')} can give{more}"
    lost = _startup(facts) or _denied(facts) or _uneven(facts) or _grown(facts) or _idle(facts)
    most = f"what {numbers.count(facts.usable_cores, 'core')} can give"
    return f"{worked}, but it gained only {numbers.share(efficiency)} of {most}{lost}{_more_workers_than_cores(facts)}"


def _more_workers_than_cores(facts: Facts) -> str:
    if facts.row["workers"] <= facts.cores or facts.items <= facts.cores:
        return ""
    return f"; {facts.row['workers']} workers share {numbers.count(facts.cores, 'core')}, and more of them gain nothing"


def _startup(facts: Facts) -> str:
    if facts.startup_s < STARTUP_SHARE * facts.wall_s:
        return ""
    return (
        f"; start-up took {numbers.seconds(facts.startup_s)}, "
        f"{numbers.share(min(1.0, facts.startup_s / facts.wall_s))} of the time, which longer work would repay"
    )


def _denied(facts: Facts) -> str:
    if facts.busy is None or not facts.disturbed:
        return ""
    could, got = numbers.cores(facts.busy + facts.denied), numbers.cores(facts.busy)
    return (
        f"; {could} cores could have been used and {got} were to be had, since other programs took the rest; compare "
        "again when the machine is quiet"
    )


def _uneven(facts: Facts) -> str:
    rounds = -(-facts.items // facts.usable_cores)
    best = facts.items / rounds
    if best > FULL_SHARE * facts.usable_cores or facts.gain < FULL_SHARE * best:
        return ""
    return (
        f"; {numbers.count(facts.items, 'item')} do not share out evenly over {facts.usable_cores} cores, where "
        f"{numbers.factor(best)} times is the most"
    )


def _grown(facts: Facts) -> str:
    growth = facts.cpu_growth
    if growth is None or growth < CPU_GROWTH:
        return ""
    if facts.row["approach"] == "processes":
        cause = "to move the data, or because the cores share memory or a busy machine"
    else:
        cause = "because the cores share memory or a busy machine, or the workers get in one another's way"
    return f"; it spent {numbers.factor(growth)} times the CPU seconds of the plain run, {cause}"


def _idle(facts: Facts) -> str:
    busy = facts.busy
    if busy is not None and busy < FULL_SHARE * facts.usable_cores:
        return "; the rest idled, because one item holds much of the work, or the items wait for one another"
    return "; busy cores were slower than one alone, as when they share a physical core, memory or a busy machine"


# ---- no faster, or slower


def _why_same(facts: Facts) -> str:
    return _too_little(facts) or _wrapped(facts) or _kept_apart(facts)


def _why_loss(facts: Facts) -> str:
    reason = _too_little(facts)
    if reason:
        return reason
    growth = facts.cpu_growth
    if facts.row["approach"] == "processes" and growth is not None and growth >= CPU_GROWTH and facts.work != "waiting":
        return (
            f"it spent {numbers.factor(growth)} times the CPU seconds of the plain run, most likely on moving the "
            "data: packing and copying it costs more than the other cores gain"
        )
    return f"{_wrapped(facts) or _kept_apart(facts)}{_startup(facts)}"


def _too_little(facts: Facts) -> str:
    """Return why there was nothing to gain, whatever the approach, or nothing."""
    plain_s = (facts.base["wall_median_s"] if facts.base else None) or 0.0
    lost_s = max(0.0, facts.wall_s - plain_s)
    if facts.startup_s >= STARTUP_OF_WORK_SHARE * plain_s and facts.startup_s >= STARTUP_OF_LOSS_SHARE * lost_s:
        return (
            f"not worth it here, start-up took {numbers.seconds(facts.startup_s)} against "
            f"{numbers.seconds(plain_s)} of work"
        )
    item_s = plain_s / max(1, facts.items)
    if facts.outcome == "loss" and item_s < SHORT_ITEM_S:
        return (
            f"not worth it here, an item takes {numbers.seconds(item_s)} and handing it out "
            f"{numbers.seconds(lost_s / max(1, facts.items))} more"
        )
    if facts.items == 1:
        return "there is one item, so nothing can run beside it"
    if facts.row["workers"] <= 1 and not facts.wrapped:
        return "there is one worker, so nothing runs beside it"
    return ""


def _wrapped(facts: Facts) -> str:
    if not facts.wrapped:
        return ""
    return "nothing in the function awaits, so nothing overlaps: one call after another, on one core"


def _kept_apart(facts: Facts) -> str:
    """Return what kept the workers from working, or from waiting, at the same time."""
    busy = facts.busy
    if facts.work == "waiting":
        if facts.row["approach"] == "asyncio":
            return (
                "the work waits but nothing overlapped: it blocks where it should await, or calls wait for one another"
            )
        return (
            "the work waits but nothing overlapped: calls wait for one another, or the other side serves one at a time"
        )
    if facts.work == "several cores":
        return "the plain run keeps several cores busy by itself, which leaves little to gain from more workers"
    if busy is None or facts.work == "unknown":
        return "nothing was gained by running items side by side"
    if busy >= SEVERAL_CORES:
        cost = (
            _denied(facts)
            or _grown(facts)
            or "; they were in one another's way, or shared a physical core or a busy machine"
        )
        return f"{busy_words(busy)} were busy and yet it took no less time{cost}"
    if facts.work == "mixed":
        return f"neither waits nor computing overlapped ({busy_words(busy)} busy), so the items wait for one another"
    return _took_turns(facts, busy)


def _took_turns(facts: Facts, busy: float) -> str:
    kept = f"{busy_words(busy)} busy"
    name = facts.row["approach"]
    wanted = wanted_cores(facts.row) or busy
    if wanted >= SEVERAL_CORES:
        return f"the {name} wanted several cores at once{_denied(facts)}"
    if wanted < COMPUTING_SHARE:
        return (
            f"not even one core was kept busy ({kept}): handing over the items, or waiting for one another, cost more"
        )
    if name == "asyncio":
        return f"it computes more than it awaits, and an event loop computes on one core ({kept})"
    if name == "threads" and facts.gil:
        return f"the threads took turns ({kept}), as they must while the computing holds the GIL"
    return f"the {name} took turns ({kept}): one item holds most of the work, or they wait for one another"


def _busy_aside(facts: Facts) -> str:
    return "" if facts.busy is None else f", {busy_words(facts.busy)} busy"


def _memory(facts: Facts) -> str:
    mine, plain = facts.row["peak_memory_bytes"], facts.base["peak_memory_bytes"] if facts.base else None
    if mine is None or not plain or mine < MEMORY_GROWTH * plain or mine - plain < MEMORY_GROWTH_BYTES:
        return ""
    return f" It took {numbers.bytes_(mine)} of memory, the plain run {numbers.bytes_(plain)}."
