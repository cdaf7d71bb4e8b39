"""`corewise.advise`: a few items are run, and tell how to run them all."""

from __future__ import annotations

from corewise._api.learning import learn
from corewise._api.request import function_name, make_request
from corewise._api.results import in_words
from corewise._choose import model, rule
from corewise._choose.advice import by_cores, costs_of
from corewise._choose.vetoes import caution, vetoes
from corewise._types.record import Record
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any, TextIO, Unpack

    from corewise._api.decision import Known
    from corewise._api.request import Request
    from corewise._choose.advice import Cost
    from corewise._types.advised import AdviceDocument
    from corewise._types.choice import Choice
    from corewise._types.measurement import Costs, Estimate, Measurement
    from corewise._types.options import OptionArgs

OTHER_CORES = (2, 4, 8, 16)
_PLAIN_COLUMNS = 80  # of an advice as a text


class Advice(Record):
    """How to run a function over its inputs, and what that is predicted to take.

    ``print(advice)`` and `show` tell all of it in words.

    Attributes:
        function: name of the function.
        items: items in the input; None where its length is not known.
        choice: what to use, and why. Its `measurement` is what the items that were run have told; `remaining` there
            is the whole input.
        estimates: what each approach is predicted to take for the whole input: the chosen one first, then by time,
            those that cannot be used last.
        by_cores: pairs of a number of cores, and what would be chosen with so many, predicted.
        costs: what makes it take longer than the work itself would, the largest first, each with advice.
        cautions: sentences on what to look out for.
        machine_costs: what this machine charges for workers, and whether that was measured.
    """

    function: str
    items: int | None
    choice: Choice
    estimates: tuple[Estimate, ...]
    by_cores: tuple[tuple[int, Estimate], ...]
    costs: tuple[Cost, ...]
    cautions: tuple[str, ...]
    machine_costs: Costs

    @property
    def measurement(self) -> Measurement:
        """What the items that were run have told."""
        if self.choice.measurement is None:
            raise RuntimeError("advice follows from a measurement")
        return self.choice.measurement

    @property
    def document(self) -> AdviceDocument:
        """The advice as a versioned JSON-like object; `corewise._types.advised` describes its keys."""
        from corewise._machine.facts import machine_facts
        from corewise._report.advised import new_document

        assumed = model.left(self.measurement, self.machine_costs)
        named = [one.as_dict() for one in self.costs]
        return new_document(machine_facts(), self.as_dict() | {"costs": named}, assumed)

    def show(self, file: TextIO | None = None, *, width: int | None = None) -> None:
        """Draw the advice.

        Args:
            file: where to; standard output by default.
            width: columns; by default those of the terminal.
        """
        from corewise._report.terminal.advised import show

        show(self.document, file=file, width=width)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the document as JSON, and write it to `path` if one is given.

        Raises:
            OSError: when the file cannot be written.
        """
        from corewise._report.document import dumps, write_text

        text = dumps(self.document)
        if path is not None:
            write_text(text, path)
        return text

    def __str__(self) -> str:
        from io import StringIO

        sheet = StringIO()
        self.show(sheet, width=_PLAIN_COLUMNS)
        return sheet.getvalue().rstrip("\n")

    def __repr__(self) -> str:
        return f"<Advice for {self.function}: {self.choice}>"


def advise(
    fn: Callable[..., Any],
    *iterables: Iterable[Any],
    workers: int | None = None,
    **options: Unpack[OptionArgs],
) -> Advice:
    """Run a few items, and say how to run them all, what that is predicted to take, and what would make it faster.

    Items are run in the caller, one after another: the first one, however long it takes, and behind it others until
    50 ms are over; none where the first took more than a second. So all of them are run only if the input is that
    short. Their results are dropped, and an iterator that was given has lost these items.

    Once in a program, about 0.3 s (more where starting a process is slow) are spent on measuring what workers cost on
    this machine, which is stored for other programs (see ``COREWISE_CACHE``).

    Args:
        fn: the function, plain or a coroutine function.
        *iterables: the inputs; with several, `fn` gets one argument from each. Of an endless one only the sample is
            read.
        workers: as for `map`; the predictions are for so many.
        **options: those of `map`, for the call on which advice is wanted: `approaches`, `seed`, `start_method` and
            `timeout` decide what can be used, `initializer` is called once before the sample, and with
            ``on_error="return"`` an item that fails does not end it. The others change nothing about the advice. The
            sample itself has no time limit.

    Returns:
        The advice; print it.

    Raises:
        OptionError: when an argument is out of range, no approach can be used, or there are no items.
        TypeError: when an option is unknown or `fn` is not callable.
        Exception: what `fn` raises for an item of the sample, with a note that names the item; what an iterable raises.

    Example:
        >>> import corewise
        >>> corewise.advise(abs, [1, -2, 3]).choice.approach
        'sync'
    """
    if "buffer" in options:
        raise OptionError(
            "buffer bounds how far a stream is ahead of its consumer; it changes nothing about the choice"
        )
    named = {"approach": "auto", "workers": workers, "progress": None}
    request = make_request("advise", fn, iterables, named, options)
    measured, total, known = learn(request)
    choice = in_words(rule.choose(measured, known.costs, known.wishes, travel=known.travel))
    return Advice(
        function=function_name(fn),
        items=total,
        choice=choice,
        estimates=_estimates(choice, known),
        by_cores=tuple(by_cores(measured, known.costs, OTHER_CORES, wishes=known.wishes, travel=known.travel)),
        costs=tuple(costs_of(choice, known.costs)),
        cautions=tuple(_cautions(request, choice, known, total)),
        machine_costs=known.costs,
    )


def _estimates(choice: Choice, known: Known) -> tuple[Estimate, ...]:
    """Return the predictions, also where none was needed to choose."""
    if choice.estimates or choice.measurement is None:
        return choice.estimates
    against = vetoes(known.wishes, known.travel)
    found = rule.predictions(choice.measurement, known.costs, known.wishes, against)
    found.sort(key=lambda one: (one.approach != choice.approach, bool(one.veto), one.seconds))
    return tuple(found)


def _cautions(request: Request, choice: Choice, known: Known, total: int | None) -> list[str]:
    found = []
    doubtful = caution(known.wishes.effects)
    if doubtful and not any(one.approach == "processes" and one.veto for one in choice.estimates):
        found.append(f"{doubtful[0].upper()}{doubtful[1:]}. Make sure before you use processes.")
    usual = request.choice
    if usual is not None and usual.approach != choice.approach:
        found.append(
            f"corewise.map would use {usual.approach} here ({usual.why}); give approach={choice.approach!r} for what "
            "is advised."
        )
    if total is None and choice.measurement is not None:
        found.append(
            f"The input does not say how many items it holds, so all figures are for {choice.measurement.remaining:,} "
            "that are assumed. The more there are, the less the start of workers counts."
        )
    if choice.measurement is not None and choice.measurement.items == 1 and total != 1:
        found.append(
            "One item was run, the first. It may have imported modules or filled caches, as the others will not, so "
            "all figures are rough."
        )
    return found
