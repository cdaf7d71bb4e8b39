"""Log records: from a worker's loggers to the same loggers of its parent."""

from __future__ import annotations

import logging

from corewise._transport import codec, failures
from corewise._transport.plain import all_plain, is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.outlet import LogSetup, Outlet

    Data = tuple[dict[str, Any], dict[str, bytes], bytes | None, bool]

_FORMATTER = logging.Formatter()  # for tracebacks
_SENT = "_corewise_sent"  # on a record that is on its way
_aside: list[logging.Handler] = []  # kept alive, lest their finalizers do here what is the parent's to do


def install(outlet: Outlet, setup: LogSetup) -> None:
    """Put one forwarding handler in the place of all that there are.

    A logger without handlers in the parent gets none, so that ``logging.basicConfig`` in a worker does what it would
    do there. What no handler takes goes to the parent all the same, which has a last resort of its own.
    """
    forward = Forward(outlet)
    named = list(logging.root.manager.loggerDict.values())
    for logger in [logging.root, *named]:
        for handler in list(getattr(logger, "handlers", ())):
            if not isinstance(handler, logging.NullHandler) and isinstance(logger, logging.Logger):
                logger.removeHandler(handler)
                _aside.append(handler)
    for name in setup.handled:
        _logger(name).addHandler(forward)
    for name, level in setup.levels.items():
        if _logger(name).level != level:
            _logger(name).setLevel(level)
    for name in setup.disabled:
        _logger(name).disabled = True
    if logging.root.manager.disable != setup.floor:
        logging.disable(setup.floor)
    logging.lastResort = forward


class Forward(logging.Handler):
    """Sends records to the parent, each one once, however many loggers it passes on its way up."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet
        self._instead = logging.StreamHandler() if logging.lastResort is None else logging.lastResort

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record. One that cannot be formatted is reported as any handler would report it."""
        if not self._outlet.open:
            if record.levelno >= self._instead.level:
                self._instead.handle(record)
            return
        if _SENT in record.__dict__:
            return
        record.__dict__[_SENT] = True
        try:
            data = pack(record, self._outlet.item())
        except RecursionError:  # see CPython's issue 36272: formatting the report would only raise it again
            raise
        except Exception:  # noqa: BLE001 - an argument's __str__ may raise anything
            self.handleError(record)
        else:
            self._outlet.give("log", data)


def pack(record: logging.LogRecord, index: int | None) -> Data:
    """Return a record as plain values that always travel.

    Message and arguments stay apart where all of them are plain; else they are put together here, and a large argument
    need not travel. An exception goes along as any failure does, its traceback as text.

    Args:
        record: as the worker's logger made it.
        index: of the running item.

    Returns:
        The plain fields, the other fields each as bytes, the exception as bytes, and whether the logger's own filters
        have seen it.
    """
    fields = {name: value for name, value in record.__dict__.items() if name != _SENT}
    fields["corewise_item"] = index
    if type(record.msg) is not str or not _plain_arguments(record.args):
        fields["msg"], fields["args"] = _as_str(record.getMessage()), None
    error = None
    exc_info = fields.pop("exc_info", None)
    if exc_info:
        fields["exc_text"] = record.exc_text or _FORMATTER.formatException(exc_info)
        error = failures.pack(exc_info[1]) if exc_info[1] is not None else None
    others = {}
    for name, value in list(fields.items()):
        if not is_plain(value) and name != "args":
            del fields[name]
            others[name] = _packed(value)
    return fields, others, error, bool(_logger(record.name).filters)


def replay(data: Data) -> None:
    """Hand a record that `pack` made to this process's logger of the same name."""
    fields, others, error, filtered = data
    logger = _logger(fields["name"])
    if not logger.isEnabledFor(fields["levelno"]):
        return
    record = logging.makeLogRecord({})
    offset = record.relativeCreated - record.created * 1000
    record.__dict__.update(fields)
    # A worker that was started afresh counts from its own start.
    record.relativeCreated = record.created * 1000 + offset
    for name, packed in others.items():
        record.__dict__[name] = _unpacked(packed)
    if error is not None:
        raised = failures.unpack(error)
        record.exc_info = (type(raised), raised, raised.__traceback__)
    if filtered:
        logger.callHandlers(record)
    else:
        logger.handle(record)


def _logger(name: str) -> logging.Logger:
    return logging.root if name == "root" else logging.getLogger(name)


def _plain_arguments(args: object) -> bool:
    return not args or (type(args) is tuple and all_plain(args))


def _as_str(text: str) -> str:
    return "".join([str(text)])  # a message may be of a kind of str that only the worker knows


def _packed(value: object) -> bytes:
    try:
        return codec.dumps(value)
    except Exception:  # noqa: BLE001 - extra fields may be anything
        return codec.dumps(_as_str(repr(value)))


def _unpacked(data: bytes) -> Any:
    try:
        return codec.loads(data)
    except Exception as error:  # noqa: BLE001 - its module may be missing here
        return f"<could not be rebuilt: {error!r}>"
