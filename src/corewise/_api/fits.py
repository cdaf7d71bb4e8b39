"""Which options an approach can honour. What it cannot is refused before anything runs, with a way out."""

from __future__ import annotations

from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.options import Options

# Items under way at the same time draw from one generator: which numbers an item gets would be a matter of chance.
SHARE_A_GENERATOR = ("threads", "asyncio")
_CANNOT_STOP = {"sync": "a call in the caller's own thread", "threads": "a thread"}


def refuse_misfits(asked: str, workers: int | None, options: Options) -> None:
    """Refuse options that an approach cannot honour.

    Args:
        asked: the approach asked for, or ``"auto"``, which chooses one that can.
        workers: workers asked for.
        options: the options.

    Raises:
        OptionError: when an option does not go with the approach.
    """
    if options.timeout is not None and asked in _CANNOT_STOP:
        raise OptionError(
            f"approach={asked!r} cannot keep to timeout={options.timeout:g}: {_CANNOT_STOP[asked]} cannot be stopped "
            "from outside. With approach='processes' the worker is killed; a coroutine function is cancelled with "
            "approach='asyncio'."
        )
    if options.seed is not None and asked in SHARE_A_GENERATOR and workers != 1:
        raise OptionError(
            f"with approach={asked!r} items that are under way at the same time share one generator of random numbers, "
            "so a seed could not say which numbers each item draws. Use approach='processes', or workers=1."
        )
    if workers is not None and options.limit is not None and workers > options.limit:
        raise OptionError(
            f"workers={workers} are more than limit={options.limit} allows. workers fixes how many calls there are at "
            "once, limit only bounds it: one of them is enough."
        )
    if options.approaches is not None:
        _refuse_what_is_not_allowed(asked, options)
    for name in ("max_tasks_per_worker", "start_method"):
        value = getattr(options, name)
        if value not in (None, "auto") and asked not in ("auto", "processes"):
            raise OptionError(
                f"{name}={value!r} is about worker processes, and approach={asked!r} has none; it goes with "
                "approach='processes' or 'auto'."
            )


def refuse_several_each(asked: str, options: Options, *, coroutine: bool) -> None:
    """Refuse to run several calls at once in each worker process where that cannot be done as asked.

    Args:
        asked: the approach asked for.
        options: the options, `per_worker` among them.
        coroutine: whether the function is a coroutine function.

    Raises:
        OptionError: then.
    """
    number = options.per_worker
    if asked != "processes":
        instead = "; it chooses by itself how many calls a worker runs at once" if asked == "auto" else ""
        raise OptionError(
            f"per_worker={number} says how many calls each worker process runs at once, and goes with "
            f"approach='processes', not with approach={asked!r}{instead}."
        )
    if options.seed is not None and number != 1:
        raise OptionError(
            f"with per_worker={number} the calls in one process share one generator of random numbers, so a seed could "
            "not say which numbers each item draws. Use per_worker=1."
        )
    if options.timeout is not None and number != 1 and not coroutine:
        raise OptionError(
            f"per_worker={number} cannot keep to timeout={options.timeout:g}: to end one call its worker process would "
            "have to be killed, and the calls beside it with it. Use per_worker=1, or a coroutine function, which is "
            "cancelled."
        )


def only_one_allowed(asked: str, options: Options) -> str:
    """Return the approach to use where only one is allowed, which leaves nothing to choose; else what was asked for."""
    allowed = options.approaches
    return allowed[0] if asked == "auto" and allowed is not None and len(set(allowed)) == 1 else asked


def require_processes(options: Options) -> None:
    """Refuse a time limit for plain functions where processes are not allowed.

    Raises:
        OptionError: then.
    """
    if options.approaches is not None and "processes" not in options.approaches:
        raise OptionError(
            f"timeout={options.timeout:g} needs workers that can be stopped, so 'processes' must be among "
            f"approaches={options.approaches!r}"
        )


def _refuse_what_is_not_allowed(asked: str, options: Options) -> None:
    allowed = options.approaches or ()
    if asked not in ("auto", *allowed):
        raise OptionError(f"approach={asked!r} is not among approaches={allowed!r}")
    if asked != "auto" or len(set(allowed)) == 1:
        return
    if "sync" not in allowed:
        raise OptionError(
            f"approach='auto' runs the first items in the caller to measure them, so 'sync' must be among "
            f"approaches={allowed!r}; with approach=... one of the others runs all of them."
        )
