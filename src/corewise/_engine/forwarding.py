"""Log records and warnings of workers, on their way to the caller's handlers and filters.

A worker sends each one at once over its own line, so it arrives in the order of the item's other news, ahead of the
item's outcome, and even if the process dies in the next moment. The parent hands it to its own logging and warnings.

What the parent has set up is found when a worker is started (`surroundings`). Where a program has not configured
logging, or not loaded warnings, there is nothing to hand over: what its workers log or warn of comes out of the
standard error that they share with it, in the same form.
"""

from __future__ import annotations

import sys

from corewise._engine.outlet import LogSetup, Outlet, Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def surroundings(*, inherited: bool) -> Surroundings | None:
    """Return what a worker needs to know; to be called in the parent, just before the worker is started.

    Args:
        inherited: whether the worker is forked from this process, so that it has its levels and filters already.

    Returns:
        None where nothing is to be forwarded: the program has loaded neither logging nor warnings.
    """
    logs = _log_setup()
    warns = "warnings" in sys.modules
    if inherited and warns:  # loaded once here rather than by every worker
        from corewise._engine import warned  # noqa: F401
    if inherited and logs is not None:
        from corewise._engine import logged  # noqa: F401
    if logs is None and not warns:
        return None
    return Surroundings(logs=logs, warns=warns, filters=_filters() if warns and not inherited else None)


def install(send: Callable[[object], None], item: Callable[[], int | None], found: Surroundings) -> None:
    """Have this worker's log records and warnings sent to its parent, from now on.

    To be called before anything of the user's is loaded. Levels and filters are those of the parent. Handlers that
    this process has inherited, or has made when it imported the main module, are set aside: the parent has the same.
    Those that user code adds afterwards are its own, and see the worker's records besides.

    Args:
        send: sends a message to the parent: a `Sender`, or all threads would have to send by one.
        item: tells the index of the running item, or None; called for each record and each warning.
        found: what `surroundings` returned in the parent.
    """
    outlet = Outlet(send, item)
    if found.warns:
        from corewise._engine import warned

        warned.install(outlet, found.filters)
    if found.logs is not None:
        from corewise._engine import logged  # imports logging, which is dear

        logged.install(outlet, found.logs)


def handle(kind: str, data: Any) -> None:
    """Hand a worker's record or warning to this process's logging or warnings.

    What the user's handlers raise is shown and goes no further, as logging itself does it: the call must not end by it.

    Args:
        kind: of the message: ``"log"`` or ``"warning"``.
        data: the rest of the message.
    """
    try:
        if kind == "log":
            from corewise._engine import logged

            logged.replay(data)
        else:
            from corewise._engine import warned

            warned.replay(data)
    except Exception:  # noqa: BLE001 - see above
        import traceback

        if sys.stderr is not None:
            traceback.print_exc()


def _log_setup() -> LogSetup | None:
    """Return how logging is set up here; None when it is as it was when it was loaded."""
    logging = sys.modules.get("logging")
    manager = getattr(getattr(logging, "root", None), "manager", None)
    if logging is None or manager is None:  # not loaded, or being loaded by another thread
        return None
    loggers = {"root": logging.root}
    loggers.update((name, one) for name, one in list(manager.loggerDict.items()) if hasattr(one, "handlers"))
    handled = [
        name
        for name, logger in loggers.items()
        if any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    ]
    setup = LogSetup(
        handled=handled,
        levels={name: logger.level for name, logger in loggers.items() if logger.level},
        disabled=[name for name, logger in loggers.items() if logger.disabled],
        floor=manager.disable,
    )
    # One logger comes with a handler: that of the standard library's executors.
    untouched = set(handled) <= {"concurrent.futures"} and setup.levels == {"root": logging.WARNING}
    return None if untouched and not setup.disabled and not setup.floor else setup


def _filters() -> list[bytes]:
    import warnings

    from corewise._transport import codec

    def packed(one: object) -> bytes:
        try:
            return codec.dumps(one)
        except Exception:  # noqa: BLE001 - a category that cannot travel, which a worker cannot meet either
            return b""

    return [data for data in map(packed, list(warnings.filters)) if data]
