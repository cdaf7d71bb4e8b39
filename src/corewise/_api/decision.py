"""Where the two wings meet: what was measured becomes a choice."""

from __future__ import annotations

import sys

from corewise._approaches import why_not_processes
from corewise._choose import rule
from corewise._choose.undecided import loading_s
from corewise._choose.vetoes import Wishes, cannot_travel
from corewise._machine.cpus import cpu_count
from corewise._types.choice import APPROACHES
from corewise._types.record import Record
from corewise._work.coroutines import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from corewise._approaches.base import Terms
    from corewise._choose.vetoes import Veto
    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs, Effect, Measurement
    from corewise._types.options import Options

    # Gives some items that were run lately, and their results.
    Latest = Callable[[], tuple[Sequence[Any], Sequence[Any]]]

_WEIGHED = 5  # guess: items that are weighed to tell what sending one takes
# Plain values travel together. Of five short ones, to call the pickler is most of what is weighed; so it is these many
# where nobody waits for the choice.
_WEIGHED_AT_LEISURE = 1000
# Guess: by so much a computation is held up if processes are loaded and started beside it.
_BESIDE_S = 0.05


class Known(Record):
    """What a choice follows from beside the measurement.

    Attributes:
        costs: what this machine charges.
        wishes: what was asked for, and what the function does to objects outside itself.
        travel: why nothing can be sent to another process, if that was tried.
    """

    costs: Costs
    wishes: Wishes
    travel: Veto | None


class Decision:
    """Chooses, for one call, by what was measured; looks up only what a choice turns out to depend on.

    Args:
        fn: the user's function.
        workers: workers asked for; None for as many as suit the work.
        options: what else was asked for.
        terms: gives what processes would be run on; asked only if they would be the choice.

    Attributes:
        workers: workers asked for.
    """

    def __init__(
        self, fn: Callable[..., Any], workers: int | None, options: Options, terms: Callable[[], Terms]
    ) -> None:
        self.workers = workers
        self._fn = fn
        self._wishes = Wishes(
            approaches=options.approaches or APPROACHES,
            workers=workers,
            limit=options.limit,
            seed=options.seed is not None,
            timeout=options.timeout is not None,
            coroutine=is_coroutine_function(fn),
        )
        self._terms = terms
        self._travel: Veto | None = None
        self._weight: dict[str, float] | None = None
        self._looked = self._tried = False
        self._method = ""
        self._costs: Costs | None = None

    @property
    def cores(self) -> int:
        """Cores that this process may use."""
        return cpu_count()

    @property
    def costs(self) -> Costs:
        """What this machine charges, as far as is known."""
        if self._costs is None:
            self._method, self._believed = costs_charged(self._terms().start_method)
            self._costs = self._with_loading(self._believed)
        return self._costs

    @staticmethod
    def _with_loading(costs: Costs) -> Costs:
        """Return costs with what is still to be loaded added to them."""
        return costs.replace(
            worker_start_s=costs.worker_start_s + loading_s("processes", sys.modules),
            thread_first_s=loading_s("threads", sys.modules),
        )

    @property
    def known(self) -> Known:
        """All that choices follow from, but the measurement."""
        return Known(costs=self.costs, wishes=self._wishes, travel=self._travel)

    def choose(
        self, measurement: Measurement, latest: Latest | None = None, *, nearby: bool = False, beside: bool = False
    ) -> Choice:
        """Return the choice for what remains, its words left out.

        Args:
            measurement: what was measured; what sending takes is added to it.
            latest: gives some items that were run lately and their results; asked only if it matters what these take
                to be sent.
            nearby: whether to leave out processes where threads can be used.
            beside: whether workers are started while an item computes in the caller, which is held up by that, but does
                not wait for it.
        """
        choice = self._chosen(measurement, nearby=nearby, beside=beside)
        if choice.approach == "processes" and not self._looked:
            self._look_closely(latest)
            choice = self._chosen(measurement, beside=beside)
        if choice.approach == "processes" and not self._tried:
            self._try()
            choice = self._chosen(measurement, beside=beside)
        return choice

    def _chosen(self, measurement: Measurement, *, nearby: bool = False, beside: bool = False) -> Choice:
        costs = self.costs
        if beside:
            costs = costs.replace(worker_start_s=min(costs.worker_start_s, _BESIDE_S), worker_more_s=0.0)
        return rule.choose(self.weighed(measurement), costs, self._wishes, travel=self._travel, nearby=nearby)

    def look(self, latest: Latest | None = None) -> None:
        """Look up what speaks against processes, at leisure: what the function does to others, and what cannot travel.

        Args:
            latest: as for `choose`.
        """
        self._look_closely(latest, most=_WEIGHED_AT_LEISURE)
        self._try()

    def _look_closely(self, latest: Latest | None, most: int = _WEIGHED) -> None:
        """Look up what the function does to others, and what it takes to send its items and results."""
        self._looked = True
        from corewise._measure.effects import effects_of  # only where processes are about to be chosen

        self._wishes = self._wishes.replace(effects=_as_seen(effects_of(self._fn), latest))
        if self._wishes.coroutine:
            from corewise._measure.live import live_object

            self._wishes = self._wishes.replace(live=live_object(self._fn) or "")
        if latest is not None:
            self._weigh(*latest(), most)

    def _try(self) -> None:
        """See whether worker processes could be opened. It comes last: to load what runs them takes 10 ms."""
        self._tried = True
        why = why_not_processes(self._terms())
        if self._costs is not None:  # what was loaded for that is no cost of the run any more
            self._costs = self._with_loading(self._believed)
        if why is not None:
            self._travel = cannot_travel(why)

    def learn(self, workers: int, startup_s: float) -> None:
        """Take in what the start of worker processes took, for the choices to come."""
        from corewise._measure.costs import Observed
        from corewise._measure.known_costs import learn_from

        if self._costs is not None and startup_s > 0:
            learn_from(Observed(workers=workers, startup_s=startup_s), self._believed, self._method)

    def never_again(self, approach: str) -> None:
        """Do not choose an approach any more, which has not done what it was chosen for."""
        self._wishes = self._wishes.replace(proved_slower=(*self._wishes.proved_slower, approach))

    def _weigh(self, items: Sequence[Any], results: Sequence[Any], most: int) -> None:
        """Note what an item and a result take on their way."""
        from corewise._measure.travel import weigh

        inherited = self._method == "fork" and self._terms().inherit is not None
        there = None if inherited else weigh(_last(items, most), "an item")
        back = weigh(_last(results, most), "a result")
        for travel in (there, back):
            if travel is not None and travel.refusal and self._travel is None:
                self._travel = cannot_travel(travel.refusal)
        self._weight = {
            "argument_bytes": 0.0 if there is None else there.size_bytes,
            "result_bytes": back.size_bytes,
            "pickle_s": (0.0 if there is None else there.pickle_s) + back.unpickle_s,
        }

    def weighed(self, measurement: Measurement) -> Measurement:
        """Return a measurement with what sending takes added to it, if that is known."""
        return measurement if self._weight is None else measurement.replace(**self._weight)


def _last(values: Sequence[Any], most: int) -> Sequence[Any]:
    """Return the latest of some items or results, no more than are weighed together or one by one."""
    from corewise._transport.plain import all_plain  # as for what weighs them

    some = values[-most:]
    return some if all_plain(some) else some[-_WEIGHED:]


def _as_seen(effects: Sequence[Effect], latest: Latest | None) -> Sequence[Effect]:
    """Return effects, those on arguments as certain where the items can be changed, or nothing is known of them.

    The code alone does not tell whether `row.append(...)` changes a list or calls something else of that name.
    """
    items = None if latest is None else latest()[0][-_WEIGHED:]
    if items is not None:
        parts = [part for item in items for part in (item if isinstance(item, tuple) else (item,))]
        if not any(isinstance(part, list | dict | set | bytearray) for part in parts):
            return effects
    return [one.replace(certain=True) if one.kind == "argument" else one for one in effects]


def costs_charged(start_method: str) -> tuple[str, Costs]:
    """Return how processes would be started now, and what this machine is believed to charge.

    Args:
        start_method: what was asked for: ``"auto"`` or a name.
    """
    from corewise._engine.method import pick_start_method
    from corewise._measure.known_costs import costs_of
    from corewise._measure.ticker import has_gil

    method = pick_start_method(start_method)
    return method, costs_of(cpu_count(), has_gil=has_gil(), start_method=method)
