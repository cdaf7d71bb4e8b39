"""Exceptions on their way home from another process: always with type, message and frames, whole where they can be."""

from __future__ import annotations

from corewise._transport import codec
from corewise._transport.pickling import plain_dumps
from corewise.errors import RemoteError, RemoteTraceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._transport.codec import Packed


def pack(error: BaseException) -> bytes:
    """Return an exception as bytes that `unpack` can always read.

    The exception itself travels only if it survives a round trip here: one that pickles but cannot be unpickled (an
    ``__init__`` with more arguments than it hands to its base class, say) would otherwise fail in the parent, where
    nothing can be asked any more.
    """
    whole: bytes | None
    try:
        whole = codec.dumps(error)
        if type(codec.loads(whole)) is not type(error):
            whole = None
    except BaseException:  # noqa: BLE001 - the user's exception may raise anything when pickled or rebuilt
        whole = None
    return plain_dumps((whole, _name(error), _text(error), _frames(error)))


def unpack(data: Packed) -> BaseException:
    """Return the exception that `pack` was given, or a `RemoteError` for it; the worker's traceback is its cause."""
    whole, name, message, frames = codec.loads(data)
    error: BaseException | None = None
    if whole is not None:
        try:
            error = codec.loads(whole)
        except Exception:  # noqa: BLE001 - its module may be missing here
            error = None
    if not isinstance(error, BaseException):
        error = RemoteError(name, message)
    # Not by assignment, which an exception may refuse, as a frozen dataclass does.
    BaseException.__setattr__(error, "__cause__", RemoteTraceback(frames))
    return error


def _name(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__", "__mp_main__", None):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return "".join([str(error)])  # a plain str, whatever kind of text the exception gives
    except BaseException as broken:  # noqa: BLE001 - a broken __str__ must not lose the failure
        return f"<its __str__ raised {type(broken).__name__}>"


def _frames(error: BaseException) -> str:
    try:
        import traceback  # dear to import, and needed only once something failed
    except (ImportError, OSError):  # the function has left no descriptor to load it with
        return f"{_name(error)}: {_text(error)}\n"
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001 - as above
        return "".join(traceback.format_tb(error.__traceback__)) + f"{_name(error)}: {_text(error)}\n"
