"""What failed, and whether that is too much. Pure."""

from __future__ import annotations

from corewise.errors import TooManyFailures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._dispatch.retries import Retries
    from corewise._types.choice import Failed
    from corewise._types.options import Options

# A share means little while few items have finished: of 20 items that each fail with 1 %, one or more fail in every
# fifth run. With 100 the share is known to a few percent. A guess.
ENOUGH_FOR_A_SHARE = 100


class Failures:
    """The items that failed.

    Args:
        allowed: how many may fail: a number, or a share of the items (a float); None for any number.
        kept: how many are kept for the record; None for all.

    Attributes:
        count: how many failed, those that are not kept included.

    Example:
        >>> failures = Failures(allowed=0.25)
        >>> failures.count = 3
        >>> failures.too_many(finished=8, total=None), failures.too_many(finished=8, total=10)
        (False, True)
        >>> failures.too_many_in_the_end(finished=12)
        False
    """

    def __init__(self, *, allowed: float | None = None, kept: int | None = None) -> None:
        self.allowed = allowed
        self.count = 0
        self._limit = kept
        self._kept: list[Failed] = []

    def add(self, failed: Failed) -> None:
        """An item failed."""
        self.count += 1
        if self._limit is None or len(self._kept) < self._limit:
            self._kept.append(failed)

    def listed(self) -> list[Failed]:
        """Return what is kept, in input order."""
        return sorted(self._kept, key=lambda failed: failed.index)

    def release(self) -> list[Failed]:
        """Return what is kept, in input order, and forget it.

        A failure that is raised must not be held by the run as well, which is held by the frames of its traceback:
        they would keep each other alive.
        """
        listed = self.listed()
        self._kept.clear()
        return listed

    def too_many(self, *, finished: int, total: int | None) -> bool:
        """Return whether more have failed than may, by what is known so far.

        Args:
            finished: items that were run, failures included.
            total: items there are; None while unknown.
        """
        if self.allowed is None or not self.count:
            return False
        if not isinstance(self.allowed, float):
            return self.count > self.allowed
        if total is not None and self.count > self.allowed * total:
            return True  # whatever the others do
        return finished >= ENOUGH_FOR_A_SHARE and self.count > self.allowed * finished

    def too_many_in_the_end(self, *, finished: int) -> bool:
        """Return whether more have failed than may, now that all `finished` items were run."""
        return self.too_many(finished=finished, total=finished)

    def as_error(self, finished: int) -> TooManyFailures:
        """Return what is raised when there are too many of them; they are let go of."""
        failures = self.release()
        error = TooManyFailures(failures, self.count, finished, 0 if self.allowed is None else self.allowed)
        error.__cause__ = failures[0].error
        return error


def retries_of(options: Options) -> Retries | None:
    """Return what decides which items are run again; None where none is, ever."""
    if not options.retries and options.retry_on is None:
        return None
    from corewise._dispatch.retries import Retries

    return Retries(options)


def raise_it(error: BaseException) -> None:
    """Raise an exception, and keep no hold of it."""
    try:
        raise error
    finally:
        del error


def short(item: object) -> str:
    """Return the repr of an item, shortened, whatever its `__repr__` does."""
    from reprlib import Repr  # not needed as long as nothing fails

    shortener = Repr()
    shortener.maxstring = shortener.maxother = 120
    try:
        return shortener.repr(item)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the failure
        return f"<{type(item).__qualname__}>"


def refuse_coroutines(values: list[Any]) -> None:
    """Refuse results that are coroutines, as nobody will await them.

    Raises:
        TypeError: if there are any.
    """
    coroutines = [value for value in values if type(value).__name__ == "coroutine" and hasattr(value, "close")]
    for coroutine in coroutines:
        coroutine.close()
    if coroutines:
        raise TypeError(
            "the function returned a coroutine, which nobody awaits. Give the coroutine function itself, or wrap the "
            "call: `async def call(item): return await fn(item)`."
        )
