"""What it takes to send an object to another process, without sending it."""

from __future__ import annotations

from itertools import islice
from time import perf_counter

from corewise._transport import codec
from corewise._transport.pickling import PickleBuffer, Pickler, Unpickler
from corewise._types.record import Record
from corewise.errors import CannotTravel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

BUDGET_S = 0.005  # guess: a quarter of what the items of a sample may take
_READ_PER_WRITE = 1.5  # guess: what it takes to read a pickle of which parts cannot be read just to see, beside writing it
_DEPTH = 4  # guess: a list of lists of lists of lists is mostly more of the same
_PARTS = 64  # guess: so many parts of a large object tell what the others are like


class Travel(Record):
    """What an object, or the mean of several, takes on its way.

    Attributes:
        size_bytes: its pickle and the buffers that travel beside it.
        pickle_s: seconds to pickle it; its buffers are left where they are and cost none.
        unpickle_s: seconds to make it from its pickle.
        whole: whether all of it was pickled; otherwise the figures are extrapolated from a part of it.
        refusal: why it cannot travel, as a sentence; empty where it can. The figures are those of the others then.
    """

    size_bytes: float = 0.0
    pickle_s: float = 0.0
    unpickle_s: float = 0.0
    whole: bool = True
    refusal: str = ""


def weigh(values: Sequence[object], what: str = "", *, budget_s: float = BUDGET_S) -> Travel:
    """Say what objects take on their way to another process, on average.

    They are pickled by the rules of the real codec. The `__reduce__` and the like of their classes run, as they will
    when the objects are really sent; nothing of theirs is run to read a pickle.

    Args:
        values: the objects.
        what: what they are to the caller, such as ``"the result"``, for the refusal.
        budget_s: seconds to spend at most, but for a single object of a class that pickles by slow code of its own.

    Returns:
        The mean of those that were looked at before the budget was spent; all zeros where there are none.
    """
    deadline = perf_counter() + budget_s
    seen: list[Travel] = []
    for number, value in enumerate(values):
        if number and perf_counter() >= deadline:
            break
        now = perf_counter()
        try:
            seen.append(_weigh(value, what, now + (deadline - now) / (len(values) - number), _DEPTH))
        except CannotTravel as error:
            return _mean(seen).replace(refusal=str(error))
    return _mean(seen)


def _mean(some: Sequence[Travel]) -> Travel:
    if not some:
        return Travel()
    return Travel(
        size_bytes=sum(one.size_bytes for one in some) / len(some),
        pickle_s=sum(one.pickle_s for one in some) / len(some),
        unpickle_s=sum(one.unpickle_s for one in some) / len(some),
        whole=all(one.whole for one in some),
    )


def _weigh(value: object, what: str, deadline: float, depth: int) -> Travel:
    scale = _Scale(deadline)
    begin = perf_counter()
    try:
        _pickle(value, scale)
    except _Enough:
        return _extrapolated(value, what, scale, perf_counter() - begin, depth)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled
        return _by_codec(value, what)
    pickle_s = perf_counter() - begin
    if scale.names_main:
        return _by_codec(value, what)
    begin = perf_counter()
    return Travel(size_bytes=scale.size_bytes, pickle_s=pickle_s, unpickle_s=_read_s(scale, pickle_s, begin))
