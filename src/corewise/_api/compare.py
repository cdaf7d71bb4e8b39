"""`corewise.compare`: every approach on the same items, in figures and words."""

from __future__ import annotations

from corewise._api.case import ComparisonCase, Spec
from corewise._api.decide import number_of_workers
from corewise._api.request import function_name, refuse_async
from corewise._api.trials import Subject
from corewise._machine.facts import machine_facts
from corewise._report.document import dumps, new_document, write_text
from corewise._report.words.annotate import annotate
from corewise._types.choice import APPROACHES
from corewise._types.options import known_approach, whole_number
from corewise._types.version import __version__
from corewise._work.coroutines import is_coroutine_function
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import Any, TextIO

    from corewise._types.comparison import Document
    from corewise._types.events import Trial

BUDGET_S = 30.0  # about as long as somebody waits for an answer; a practical case of two seconds gets four rounds


def compare(  # noqa: PLR0913 - the function and eight options
    fn: Callable[..., Any],
    *iterables: Iterable[Any],
    approaches: Sequence[str] | None = None,
    workers: int | None = None,
    repeat: int | None = None,
    budget: float = BUDGET_S,
    async_fn: Callable[..., Any] | None = None,
    name: str | None = None,
    about: str = "",
    progress: bool | Callable[[Trial], None] = False,
) -> Comparison:
    """Run a function over the same items by every approach, and say what each gains and why.

    The approaches take turns, round after round. Before the first round the first item is run untimed, for imports and
    caches. Starting workers counts, as it would in your program, and is also shown apart. Trials run in a process of
    their own, so that one that never ends, exits or crashes ends nothing else; where the function cannot travel there,
    they run here, and a note says so.

    Args:
        fn: the function, plain or a coroutine function.
        *iterables: the inputs, read to the end first; with several, `fn` gets one argument from each.
        approaches: which to compare, each with a number of workers if you like: ``["threads", "processes:4"]``. By
            default all four. ``"sync"`` is always run: all others are held against it.
        workers: workers of those that name no number; by default what `map` would use.
        repeat: rounds; by default as many as fit the budget, up to 5 (11 when a round takes under half a second).
        budget: seconds to spend. Where not even one round fits, every approach runs a share of the items, and a note
            says so. The first round may go on to three times the budget.
        async_fn: a coroutine function that does the same, for asyncio; without one a plain `fn` is wrapped in one.
        name: what to call it in the report; by default the function's name.
        about: a sentence about it for the report.
        progress: True shows on standard error what is running; a callable gets each `Trial`.

    Returns:
        The comparison: `show()` draws it, `best` names the recommended approach.

    Raises:
        OptionError: when an argument is out of range, an approach unknown, or there are no items.
        TypeError: when `fn` is not callable.
        BudgetExceeded: when the first item does not return in the budget, or the plain loop not in three times that.
        Exception: what `fn` raises in a plain loop, or `WorkerDied` if it ends its process there; the item is named.

    Example:
        >>> import corewise
        >>> found = corewise.compare(abs, [1, -2, 3], approaches=["sync", "threads"], repeat=1)
        >>> [row["approach"] for row in found.document["cases"][0]["rows"]]
        ['sync', 'threads']
    """
    subject = _subject(fn, iterables, async_fn)
    specs = _specs(approaches, workers, len(subject.items))
    repeat, budget = _limits(repeat, budget)
    observer, close = _observer(progress)
    comparison = ComparisonCase(subject, specs, name or function_name(fn), about, repeat, budget, observer)
    try:
        machine = machine_facts()
        case = comparison.run(machine)
    finally:
        close()
    return Comparison(new_document(machine, [annotate(case, machine)], [], __version__))


class Comparison:
    """A finished comparison.

    Attributes:
        document: all figures and words, as one versioned JSON-like object (`corewise._types.comparison` describes
            its keys).
    """

    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def best(self) -> str:
        """The recommended approach, as it was asked for: ``"processes"`` or ``"processes:4"``."""
        recommended = self.document["cases"][0]["recommendation"]
        return recommended["approach"] if recommended else "sync"

    def show(self, file: TextIO | None = None, *, width: int | None = None) -> None:
        """Draw the comparison as a table.

        Args:
            file: where to; standard output by default.
            width: columns; by default those of the terminal.
        """
        from corewise._report.terminal.show import show

        show(self.document, file=file, width=width)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the document as JSON, and write it to `path` if one is given.

        Raises:
            OSError: when the file cannot be written.
        """
        text = dumps(self.document)
        if path is not None:
            write_text(text, path)
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the comparison as a page that needs nothing else, and write it to `path` if one is given.

        Raises:
            OSError: when the file cannot be written.
        """
        from corewise._report.page.html import to_html

        page = to_html(self.document)
        if path is not None:
            write_text(page, path)
        return page

    def __repr__(self) -> str:
        case = self.document["cases"][0]
        return f"<Comparison of {case['name']}: {len(case['rows'])} approaches, best {self.best}>"


def _subject(
    fn: Callable[..., Any], iterables: tuple[Iterable[Any], ...], async_fn: Callable[..., Any] | None
) -> Subject:
    if not callable(fn):
        raise TypeError(f"the first argument must be a function, not {type(fn).__name__}")
    if async_fn is not None and not is_coroutine_function(async_fn):
        raise OptionError(f"async_fn must be a coroutine function (`async def`), not {async_fn!r}")
    if async_fn is not None and is_coroutine_function(fn):
        raise OptionError(
            f"async_fn is what asyncio runs in the place of a plain function, and {function_name(fn)} is a coroutine "
            "function itself; leave async_fn out, or give the plain function first"
        )
    refuse_async("compare", iterables)
    star = len(iterables) > 1
    items = list(zip(*iterables, strict=False)) if star else list(iterables[0]) if iterables else []
    if not items:
        raise OptionError("there are no items to compare the approaches on")
    return Subject(fn=fn, async_fn=async_fn, items=items, star=star)


def _limits(repeat: object, budget: object) -> tuple[int | None, float]:
    if isinstance(budget, bool) or not isinstance(budget, (int, float)) or not 0 < budget < float("inf"):
        raise OptionError(f"budget must be a number of seconds above 0, not {budget!r}")
    return None if repeat is None else whole_number("repeat", repeat), float(budget)


def _specs(approaches: Sequence[str] | None, workers: int | None, items: int) -> list[Spec]:
    """Check what was asked for; the plain loop comes first, whether asked for or not."""
    if isinstance(approaches, str):
        raise OptionError(f"approaches must be a list of names, such as [{approaches!r}]")
    if workers is not None:
        workers = whole_number("workers", workers)
    specs: dict[str, Spec] = {}
    for label in ("sync", *(APPROACHES if approaches is None else approaches)):
        name, colon, number = str(label).partition(":")
        approach = known_approach(name)
        if colon and not number.isdecimal():
            raise OptionError(
                f"{label!r}: the workers behind the colon must be a whole number of at least 1, not {number!r}"
            )
        own = whole_number(f"the workers of {label!r}", int(number)) if number else workers
        label = approach if approach == "sync" else str(label)  # noqa: PLW2901 - sync has one worker, whatever is asked for
        specs[label] = Spec(
            label=label, approach=approach, workers=own, expected_workers=number_of_workers(approach, own, items)
        )
    return list(specs.values())


def _observer(progress: object) -> tuple[Callable[[Trial], None], Callable[[], None]]:
    if progress is False or progress is None:
        return lambda _: None, lambda: None
    if progress is True:
        from corewise._report.live.trials import live

        shown = live()
        return shown, shown.close
    if callable(progress):
        return progress, lambda: None
    raise OptionError(f"progress must be True, False or a callable, not {progress!r}")
