"""Every error that corewise raises by itself.

```
CorewiseError
├── OptionError         an argument of ours is wrong (also a ValueError)
├── CannotTravel        an object cannot be sent to another process (also a TypeError and a pickle.PicklingError)
├── RemoteError         stands for an exception of yours that could not be sent back whole
├── WorkerStartError    no worker process could be started (also a RuntimeError)
├── WorkerDied          a worker process ended while it ran an item (also a BrokenProcessPool)
│   └── ProcessDied     a corewise.Process has ended without returning
├── PoolTerminated      a pool was terminated before a call of it was finished (also a RuntimeError)
├── TooManyFailures     more items failed than `max_failures` allows
├── ItemsLost           processes have ended with items of a JoinableQueue (also a RuntimeError)
├── QueueClosed         a queue was closed (also a ValueError and an EOFError)
├── BudgetExceeded      a comparison got no answer within its time budget (also a TimeoutError)
└── DocumentError       a stored comparison cannot be read (also a ValueError)
```

Exceptions of your own function are raised as they are, with a note that names the item.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pickle import PicklingError
    from typing import Any

    from corewise._types.died import ProcessDied, WorkerDied

__all__ = [
    "BudgetExceeded",
    "CannotTravel",
    "CorewiseError",
    "DocumentError",
    "ItemsLost",
    "OptionError",
    "PoolTerminated",
    "ProcessDied",
    "QueueClosed",
    "RemoteError",
    "RemoteTraceback",
    "TooManyFailures",
    "WorkerDied",
    "WorkerStartError",
]


class CorewiseError(Exception):
    """Base of all errors that corewise raises by itself."""


class OptionError(CorewiseError, ValueError):
    """An argument of a corewise call is unknown, out of range or does not fit the function."""


class RemoteError(CorewiseError):
    """Stands for an exception that was raised in a worker and could not be sent back whole.

    Attributes:
        type_name: qualified name of the original exception's class.
        message: what the original said.
    """

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


class RemoteTraceback(Exception):
    """The traceback of a worker, as text; set as the `__cause__` of what `map` raises."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class WorkerStartError(CorewiseError, RuntimeError):
    """No worker process could be started."""


class PoolTerminated(CorewiseError, RuntimeError):
    """A pool was terminated before this call of it was finished, so it has no result."""


class TooManyFailures(CorewiseError):
    """More items failed than `max_failures` allows, so the call stopped; the cause is the first failure.

    Attributes:
        failures: the items that failed, each a `corewise.Failed`, in input order.
        failed: how many failed.
        finished: how many had been run, these included.
        max_failures: what was allowed: a number, or a share of the items.
    """

    def __init__(self, failures: list[Any], failed: int, finished: int, max_failures: float) -> None:
        super().__init__(failures, failed, finished, max_failures)
        self.failures = failures
        self.failed = failed
        self.finished = finished
        self.max_failures = max_failures

    def __str__(self) -> str:
        return f"{self.failed} of {self.finished} items failed, more than max_failures={self.max_failures!r} allows"


class ItemsLost(CorewiseError, RuntimeError):
    """Processes have ended that had taken items of a `JoinableQueue` and not told them to be done.

    Attributes:
        holders: the process ids, each with how many items it had.
    """

    def __init__(self, holders: dict[int, int]) -> None:
        super().__init__(holders)
        self.holders = holders

    def __str__(self) -> str:
        of_each = ", ".join(f"process {pid} had {count}" for pid, count in self.holders.items())
        return f"{sum(self.holders.values())} items were taken by processes that ended before task_done(): {of_each}"


class QueueClosed(CorewiseError, ValueError, EOFError):
    """A queue was closed: nobody puts into it any more, and who gets has taken all that was in it.

    A `ValueError`, as `multiprocessing.Queue` raises for a queue that is closed, and an `EOFError`, as its pipes raise
    at their end.
    """


class BudgetExceeded(CorewiseError, TimeoutError):
    """A comparison got no answer within its time budget."""


class DocumentError(CorewiseError, ValueError):
    """A stored comparison is no such document, damaged, or of a version that this corewise does not know."""


if TYPE_CHECKING:

    class CannotTravel(CorewiseError, TypeError, PicklingError):
        """An object cannot be sent to another process; the message names the part that cannot, and a way out."""


def __getattr__(name: str) -> object:
    # WorkerDied is a BrokenProcessPool, whose module costs as much to import as an interpreter to start: loaded at
    # the first death. CannotTravel is a PicklingError, whose module costs a fifth of that: made when it is first
    # asked for.
    if name in ("ProcessDied", "WorkerDied"):
        from corewise._types import died

        return getattr(died, name)
    if name == "CannotTravel":
        return _cannot_travel()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _cannot_travel() -> object:
    try:
        from _pickle import PicklingError  # the same class; the public module takes 3 ms more
    except ImportError:  # an interpreter without the C module
        from pickle import PicklingError

    class CannotTravel(CorewiseError, TypeError, PicklingError):
        """An object cannot be sent to another process; the message names the part that cannot, and a way out."""

    CannotTravel.__qualname__ = "CannotTravel"  # what a traceback says, and pickle looks for
    # Should two threads ask at once, both get the same class; from now on it is found without asking here.
    return globals().setdefault("CannotTravel", CannotTravel)
