"""One comparison on its way from the first trial to the finished case."""

from __future__ import annotations

from statistics import median
from time import perf_counter

from corewise._api.calibration import BUDGET_S as CALIBRATION_S
from corewise._api.foretold import advised, foretold
from corewise._api.request import function_name
from corewise._api.sample import SAMPLE_S
from corewise._api.trials import Figures, Learnt, Order, Stage, Subject
from corewise._choose import plan
from corewise._dispatch.failures import short
from corewise._types.events import Trial
from corewise._types.record import Record
from corewise._work.coroutines import is_coroutine_function
from corewise.errors import BudgetExceeded, CorewiseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from corewise._types.comparison import Case, Difference, Machine, Note, Row


_CALIBRATION_SHARE = 0.1  # of the budget: what it may cost at most to measure what workers cost
_FIRST_CALL_SHARE = 0.05  # of the budget: what a second look at the first item may cost at most
_TWIN_SHARE = 0.2  # of the budget: how long the untimed first call of the async function may take (guess)


class Spec(Record):
    """An approach as asked for."""

    label: str
    approach: str
    workers: int | None
    expected_workers: int


class ComparisonCase:
    """One comparison on its way from the first trial to the finished case."""

    def __init__(
        self,
        subject: Subject,
        specs: list[Spec],
        name: str,
        about: str,
        repeat: int | None,
        budget_s: float,
        observer: Callable[[Trial], None],
    ) -> None:
        self._subject = subject
        self._specs = specs
        self._name = name
        self._about = about
        self._repeat = repeat
        self._budget_s = budget_s
        self._observer = observer
        self._begin = perf_counter()
        self._figures: dict[str, list[Figures]] = {spec.label: [] for spec in specs}
        self._learnt: Learnt | None = None
        self._problems: dict[str, str] = {}
        self._difference: Difference | None = None
        self._differing: set[str] = set()
        self._rounds: int | None = repeat
        self._count = len(subject.items)

    def run(self, machine: Machine) -> Case:
        self._tell("case")
        stage = Stage(self._subject)
        try:
            warm_up_s, item_s = self._warm_up(stage)
            self._count = plan.share(self._count, item_s, len(self._specs), self._left_s)
            turn = 1
            while turn == 1 or turn <= (self._rounds or 1):
                self._round(stage, turn)
                spent = sum(self._figures[label][-1].wall_s for label in self._figures if self._figures[label])
                self._rounds = plan.rounds(self._repeat, turn, spent, self._left_s)
                turn += 1
        finally:
            stage.close()
        self._tell("end")
        return self._case(machine, warm_up_s, turn - 1, isolated=stage.isolated)

    @property
    def _spent_s(self) -> float:
        return perf_counter() - self._begin

    @property
    def _left_s(self) -> float:
        return max(0.0, self._budget_s - self._spent_s)

    def _limit_s(self, spec: Spec, trials_left: int) -> float:
        """Return the seconds that a trial may take."""
        plain = [figures.wall_s for figures in self._figures["sync"]]
        return plan.limit(
            self._budget_s,
            self._spent_s,
            trials_left,
            None if spec.approach == "sync" else max(plain, default=0.0),
            ended_before=bool(self._figures[spec.label]),
        )

    def _warm_up(self, stage: Stage) -> tuple[float, float]:
        """Run the first item untimed, then a few as a sample, and load the code of the approaches.

        Returns:
            Seconds of that first call, and seconds an item takes from then on.
        """
        self._tell("warm-up")
        order = Order(
            label="warm-up",
            approach="sync",
            workers=None,
            count=1,
            warm_up=True,
            prepare=tuple(spec.approach for spec in self._specs),
            # Not in the program itself, where a fork server would stay behind.
            calibrates=stage.isolated and self._budget_s * _CALIBRATION_SHARE >= CALIBRATION_S,
        )
        # The first item alone may take the whole budget, but not the patience that a round is granted.
        outcome = stage.run(order, limit_s=self._budget_s, tick=lambda: self._tell("waiting"))
        if isinstance(outcome, BaseException):
            self._give_up("warm-up", outcome)
        self._learnt = outcome.learnt
        if outcome.wall_s > _FIRST_CALL_SHARE * self._budget_s:
            return outcome.wall_s, outcome.wall_s
        if self._subject.async_fn is not None and any(spec.approach == "asyncio" for spec in self._specs):
            # What it raises its trial will tell. If it hangs, it takes what the first call has loaded with it, which
            # the second one loads again.
            twin = order.replace(approach="asyncio", calibrates=False)
            stage.run(twin, limit_s=_TWIN_SHARE * self._budget_s, tick=lambda: self._tell("waiting"))
        # The first call may have been long for its imports and caches; the second says what an item takes from now on.
        order = order.replace(count=self._count, sample_s=min(SAMPLE_S, _FIRST_CALL_SHARE * self._budget_s))
        again = stage.run(order, limit_s=self._budget_s, tick=lambda: self._tell("waiting"))
        if isinstance(again, BaseException):
            return outcome.wall_s, outcome.wall_s
        self._learnt = again.learnt
        return outcome.wall_s, again.wall_s

    def _round(self, stage: Stage, turn: int) -> None:
        in_turn = [self._specs[number] for number in plan.order(len(self._specs), turn)]
        able = [spec for spec in in_turn if spec.label not in self._problems]
        for place, spec in enumerate(able):
            self._tell("started", spec.label, turn)
            order = Order(label=spec.label, approach=spec.approach, workers=spec.workers, count=self._count)
            limit_s = self._limit_s(spec, len(able) - place)
            outcome = stage.run(order, limit_s=limit_s, tick=lambda: self._tell("waiting", spec.label, turn))  # noqa: B023 - called before the next spec
            if isinstance(outcome, BaseException):
                if spec.approach == "sync":
                    self._give_up(spec.label, outcome)
                self._problems[spec.label] = _sentence(outcome)
                self._tell("finished", spec.label, turn)
                continue
            self._figures[spec.label].append(outcome)
            if outcome.difference is not None:
                self._differing.add(spec.label)
                self._difference = self._difference or outcome.difference
            self._tell("finished", spec.label, turn, outcome.wall_s)

    def _give_up(self, label: str, error: BaseException) -> NoReturn:
        """Raise: the plain loop itself fails, so there is nothing to compare with."""
        notes = "; ".join(getattr(error, "__notes__", ()))
        if isinstance(error, SystemExit):
            raise CorewiseError(f"the function called sys.exit({error.code!r}) ({notes})") from error
        if isinstance(error, BudgetExceeded):
            what = "the first item" if label == "warm-up" else f"the plain loop over {self._count} items"
            raise BudgetExceeded(
                f"{what} ({short(self._subject.items[0])}): {error}; give a larger budget or smaller items"
            ) from None
        if isinstance(error, CorewiseError) and not notes:
            error.add_note(f"while the items were run plainly ({'first item' if label == 'warm-up' else label})")
        raise error

    def _tell(self, kind: str, label: str = "", turn: int = 0, wall_s: float | None = None) -> None:
        self._observer(
            Trial(
                kind=kind,
                case=self._name,
                approach=label,
                round=turn,
                rounds=self._rounds,
                wall_s=wall_s,
                elapsed_s=self._spent_s,
                budget_s=self._budget_s,
            )
        )

    def _case(self, machine: Machine, warm_up_s: float, rounds: int, *, isolated: bool) -> Case:
        subject = self._subject
        base = self._figures[self._specs[0].label]
        sync_s = median(figures.wall_s for figures in base) if base else None
        notes: list[Note] = []
        if not isolated:
            notes.append(
                {
                    "code": "in-process",
                    "text": "The function cannot be sent to another process, so all trials ran in this one: a trial "
                    "that hangs is not stopped. Define the function at the top of a module to have them run apart.",
                }
            )
        return {
            "name": self._name,
            "about": self._about,
            "function": function_name(subject.fn),
            "async_function": None if subject.async_fn is None else function_name(subject.async_fn),
            "kind": "coroutine function" if is_coroutine_function(subject.fn) else "function",
            "items": len(subject.items),
            "items_run": self._count,
            "first_item": short(subject.items[0]),
            "rounds": rounds,
            "warm_up_s": warm_up_s,
            "spent_s": self._spent_s,
            "budget_s": self._budget_s,
            "rows": [self._row(spec, sync_s, machine) for spec in self._specs],
            "difference": self._difference,
            "notes": notes,
            "recommendation": None,
            "advice": None if self._learnt is None else advised(self._learnt, self._count),
        }

    def _row(self, spec: Spec, sync_s: float | None, machine: Machine) -> Row:
        _, runs = self._subject.function_for(spec.approach)
        figures = self._figures[spec.label]
        problem = self._problems.get(spec.label)
        walls = [one.wall_s for one in figures]
        workers = max((one.workers for one in figures), default=spec.expected_workers)
        row: Row = {
            "approach": spec.approach,
            "label": spec.label,
            "workers": workers,
            "status": "failed" if problem else "ok",
            "problem": problem,
            "runs": runs,
            "wall_s": walls,
            "wall_median_s": None,
            "wall_low_s": None,
            "wall_high_s": None,
            "startup_s": None,
            "cpu_s": None,
            "cores_busy": None,
            "queued_s": None,
            "speedup": None,
            "efficiency": None,
            "peak_memory_bytes": None,
            "differs": spec.label in self._differing,
            "use_for": "",
            "verdict": "",
        }
        if self._learnt is not None:
            one = foretold(self._learnt, spec.approach, spec.expected_workers, self._count, self._subject)
            row["predicted_s"], row["predicted_low_s"], row["predicted_high_s"] = one.seconds, one.low_s, one.high_s
        if problem or not figures:
            return row
        wall = median(walls)
        row["wall_median_s"], row["wall_low_s"], row["wall_high_s"] = wall, min(walls), max(walls)
        row["startup_s"] = median(one.startup_s for one in figures) if spec.approach == "processes" else None
        row["cpu_s"] = median(one.cpu_s for one in figures)
        row["cores_busy"] = median(one.cpu_s / one.wall_s for one in figures)
        queued = [one.queued_s for one in figures if one.queued_s is not None]
        row["queued_s"] = median(queued) if queued else None
        peaks = [one.peak_memory_bytes for one in figures if one.peak_memory_bytes is not None]
        row["peak_memory_bytes"] = max(peaks) if peaks else None
        if sync_s is not None:
            speedup = sync_s / wall
            row["speedup"], row["efficiency"] = speedup, speedup / min(row["workers"], machine["cores"])
        return row


def _sentence(error: BaseException) -> str:
    notes = "; ".join(getattr(error, "__notes__", ()))
    if hasattr(error, "reason") and not notes:  # the process of the trial itself was lost, not one of its workers
        return f"its process was lost: {error.reason}"
    return f"{type(error).__name__}: {error}" + (f" ({notes})" if notes else "")
