"""Calls the verbs, and tells the errors of the user's function from all others."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import corewise
from corewise import errors
from corewise._cli import streams
from corewise._cli.failure import FAILED, Failure, last_line, raised_at
from corewise._report.words.figures import label_with_twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from corewise import Comparison
    from corewise._types.comparison import Case, Document


def measured(function: Callable[..., Any], *iterables: Iterable[Any], shown_name: str, **options: Any) -> Comparison:
    """Compare the approaches on one function.

    Args:
        function: what is called for each item.
        iterables: the items, one iterable per argument.
        shown_name: what the user calls the function; for messages.
        options: what else `corewise.compare` takes.

    Returns:
        The comparison.

    Raises:
        Failure: when the function raised; the error itself is its cause.
        CorewiseError: when an option is wrong, a worker was lost, the function called `sys.exit`, or nothing returned
            in time.
        BrokenPipeError: when nobody reads the output any more.
    """
    with calling(shown_name):
        return corewise.compare(function, *iterables, **options)


@contextlib.contextmanager
def calling(shown_name: str) -> Iterator[None]:
    """Tell the errors of the user's function from all others, while it is called inside.

    Args:
        shown_name: what the user calls the function.

    Raises:
        Failure: when the function raised; the error itself is its cause.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except errors.CorewiseError as error:
        if isinstance(error, errors.RemoteError):
            raise _of_the_function(error, shown_name) from error
        raise
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and streams.nobody_reads():
            raise
        if not raised_at(error) and not hasattr(error, "__notes__"):
            raise  # no line of the user's, no item: a fault of our own
        raise _of_the_function(error, shown_name) from error


def check_outcome(document: Document) -> None:
    """Raise what the figures must not be used without.

    Raises:
        Failure: when an approach failed, or the approaches returned different results.
    """
    for case in document["cases"]:
        where = f"{case['name']}: " if len(document["cases"]) > 1 else ""
        difference = case["difference"]
        if difference is not None:
            raise Failure(
                f"{where}the approaches return different results, first for item {difference['item']}"
                f" ({difference['item_repr']}): {difference['against']} returned {difference['expected']},"
                f" {label_with_twin(difference['approach'], case)} returned {difference['got']}",
                code=FAILED,
            )
        for row in case["rows"]:
            if row["status"] == "failed":
                raise Failure(f"{where}{label_with_twin(row['label'], case)} failed: {row['problem']}", code=FAILED)


def recommendation(case: Case) -> str:
    """Return the recommendation for one case as one line."""
    chosen = case["recommendation"]
    return f"{case['name']}: " + (f"{chosen['approach']}: {chosen['reason']}" if chosen else "no recommendation")


def _of_the_function(error: BaseException, shown_name: str) -> Failure:
    what = f"{shown_name} raised {error if isinstance(error, errors.RemoteError) else last_line(error)}"
    lines = [*getattr(error, "__notes__", ()), raised_at(error)]
    return Failure(what, hint="\n  ".join(line for line in lines if line), code=FAILED)
