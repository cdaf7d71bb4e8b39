"""What a pool is to do, and under which terms."""

from __future__ import annotations

from corewise._types.record import Record
from corewise._work.coroutines import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypedDict

    class PoolTerms(TypedDict, total=False):
        """Keyword arguments of a pool; `Workload` says what each means."""

        start_method: str
        keep_going: bool
        share_cores: bool
        timeout_s: float | None
        initializer: Callable[..., object] | None
        initargs: tuple[Any, ...]
        max_tasks_per_worker: int | None
        per_worker: int
        seed: int | None
        name: str
        inherit: tuple[Sequence[Any], ...] | None
        ahead: bool
        main_by_value: bool


class Workload(Record):
    """What the workers of a pool do, and how.

    Attributes:
        fn: the function; None if every call brings its own.
        start_method: ``"auto"``, ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        keep_going: whether to go on behind an item that fails.
        share_cores: whether calls made inside a worker may use only its share of the cores.
        timeout_s: seconds that an item may take before its worker is killed, or, where that awaits several, the item
            is cancelled; None without a limit.
        initializer: called in each worker before its first item, with `initargs`.
        initargs: its arguments.
        max_tasks_per_worker: items that a worker runs before it is replaced; None without a limit.
        per_worker: items that a worker runs at once: by threads, or, of a coroutine function, by its event loop.
        seed: from which, with its index, the random numbers of each item come; None leaves them alone.
        name: what the names of the processes begin with.
        inherit: the inputs from item 0 on, where they stand in lists: forked workers find them in their own memory,
            and others are sent the same array once; None for inputs that are made one by one.
        main_by_value: whether workers that are not forked are to do without the main module; what is defined there is
            sent as it is.
        ahead: whether a worker always finds its next chunk waiting: for callers that are away for a while.
    """

    fn: Callable[..., Any] | None
    start_method: str = "auto"
    keep_going: bool = True
    share_cores: bool = True
    timeout_s: float | None = None
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()
    max_tasks_per_worker: int | None = None
    per_worker: int = 1
    seed: int | None = None
    name: str = "corewise"
    inherit: tuple[Sequence[Any], ...] | None = None
    ahead: bool = False
    main_by_value: bool = False

    @property
    def awaits(self) -> bool:
        """Whether each worker awaits several items at once in an event loop."""
        return self.per_worker > 1 and is_coroutine_function(self.fn)
