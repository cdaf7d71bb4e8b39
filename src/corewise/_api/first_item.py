"""What the first item shows while it still runs, what is chosen by that, and what it tells in the end."""

from __future__ import annotations

from corewise._measure import leftover
from corewise._measure.gauge import LETS_GO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._api.decision import Decision
    from corewise._api.probe import Probe
    from corewise._dispatch.source import Source
    from corewise._types.choice import Choice
    from corewise._types.measurement import Measurement

_COMPUTES = 0.5  # share of computing from which it is no wait
# Processes beside a computation are there 0.3 to 0.5 s later, and hold it up by 0.05 to 0.1 s: so what is over by then
# is not to meet them, and most of what has taken so long takes much longer. From 0.2 s on, four items of 0.3 s took
# 0.97 s instead of 0.86 (benchmarks/choice.py, "python_300ms").
_LONG_COMPUTING_S = 0.4
# Threads are loaded in a tenth of that, and an item that lets go of the GIL is not held up by it.

# To start a program holds the GIL until that is loaded (`vfork`): next to all of the 0.9 ms that `sleep` computes on
# the machines of the benchmarks (benchmarks/choice.py, "programs"). Items that start one each take turns at it.
_STARTS_PROGRAM_S = 0.0009


class FirstItem:
    """Chooses beside a first item that runs long. Asked by another thread until the item has ended, by its own then.

    Args:
        source: what remains.
        probe: gives what runs the item; None once it is over.
        decide: makes what chooses. To load that slows down an item that computes, so not before there is anything to
            choose.

    Attributes:
        decision: what has chosen; None until something was.
    """

    def __init__(self, source: Source, probe: Callable[[], Probe | None], decide: Callable[[], Decision]) -> None:
        self.decision: Decision | None = None
        self._source = source
        self._probe = probe
        self._decide = decide
        self._loading_s = 0.0

    def choose(self) -> Choice | None:
        """Return what to do about the others; None for nothing yet."""
        probe, remaining = self._probe(), self._source.remaining
        if probe is None or not remaining or probe.gauge.items:
            return None  # behind other items, a long one says little of those that remain
        measured = probe.gauge.so_far(remaining)
        # Beside busy neighbours it may only seem to wait, while it stands in line in the midst of its loading.
        waits = measured.cpu_share < _COMPUTES and probe.gauge.sleeps()
        if probe.loaded and waits:  # what it has computed before it waited was the loading
            from corewise._choose.put_right import without_loading

            own_s = _STARTS_PROGRAM_S if probe.starts_programs and probe.gauge.has_children() else 0.0
            self._loading_s = self._loading_s or max(0.0, measured.cpu_s - own_s)
            measured = without_loading(measured, self._loading_s)
        soon, doubtful = probe.gauge.running_s() < _LONG_COMPUTING_S, leftover.is_doubtful()
        # Whoever loads modules lets go of the GIL at each file, and that says nothing of what comes then.
        if not waits and soon and (doubtful or probe.loaded or not _lets_go(measured)):
            return None
        self.decision = self.decision or self._decide()
        if waits:
            # It has not ended; and beside a wait, threads for items twice as long are no loss. What other threads
            # compute so soon is nothing but the loading for this.
            return self.decision.choose(measured.replace(items=0, native_cpu_s=0.0), nearby=True)
        if doubtful:
            measured = measured.replace(native_cpu_s=0.0)
        return _beside_computing(self.decision, measured, remaining, nearby=soon)

    def ended(self, choice: Choice, least: int, most: int, others: int) -> Choice:
        """Return a choice that was made beside the item, as it is now that this has ended and tells more.

        Args:
            choice: what was chosen.
            least: workers that there are to be at least.
            most: workers that there may be at most.
            others: items that have ended beside it.
        """
        before, probe = choice.measurement, self._probe()
        if probe is None or before is None or self.decision is None:
            return choice
        from corewise._choose.put_right import after_its_first, beside_its_first, without_loading

        measured = without_loading(probe.gauge.so_far(before.remaining), self._loading_s)
        # The CPU time of others was that of workers by then; and whoever has others beside it waits for the GIL.
        held = before.held_share
        measured = measured.replace(
            native_cpu_s=before.native_cores * measured.wall_s,
            held_s=measured.held_s if held is None else held * measured.cpu_s,
            read_s=before.read_s,
        )
        costs = self.decision.costs
        measured = _of_itself(measured, 1 + others, least + 1, costs.cores)
        if before.items and _counts(before.remaining, costs.cores):  # it was seen to compute
            return beside_its_first(choice, self.decision.weighed(measured), costs, before.wall_s)
        return after_its_first(choice, self.decision.weighed(measured), costs, least, most)


def _beside_computing(decision: Decision, measured: Measurement, remaining: int, *, nearby: bool) -> Choice:
    """Return what to do about others beside an item that computes, and keeps a core busy for some more time.

    It is as likely to be in its first half as in its second, so what remains of it may count as one more item like it.
    """
    with_it = remaining + _counts(remaining, decision.cores)
    choice = decision.choose(measured.replace(remaining=with_it), nearby=nearby, beside=True)
    weighed = choice.measurement
    return choice if weighed is None else choice.replace(measurement=weighed.replace(remaining=remaining))


def _counts(remaining: int | None, cores: int) -> bool:
    """Return whether the caller's item counts as one more: so few others would seem to gain little by themselves."""
    return remaining is not None and remaining < cores


def _of_itself(measured: Measurement, ended: int, at_once: int, cores: int) -> Measurement:
    """Return what an item is like whose programs ran beside those of others.

    Args:
        measured: what was measured meanwhile.
        ended: items whose programs are over, and counted with its own.
        at_once: how many items ran at once.
        cores: cores that they had.
    """
    children_s = measured.children_cpu_s / ended
    if at_once * children_s > cores * measured.wall_s:  # as it waited, its programs stood in line for a core
        own_s = measured.cpu_s + children_s
        measured = measured.replace(wall_s=own_s, first_s=own_s, longest_s=own_s, queued_s=0.0)
    return measured.replace(children_cpu_s=children_s)


def _lets_go(measured: Measurement) -> bool:
    """Return whether what computes is known to do so mostly without the GIL, and not on other cores already."""
    held = measured.held_share
    return held is not None and held <= LETS_GO and measured.native_cores < _COMPUTES
