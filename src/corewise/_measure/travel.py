"""What it takes to send an object to another process, without sending it."""

from __future__ import annotations

from _io import BytesIO  # what `io` hands on
from itertools import chain, islice
from time import perf_counter

from corewise._transport import codec
from corewise._transport.pickling import loads, make_pickler, make_unpickler, plain_dumps
from corewise._transport.plain import all_plain
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pickle import PickleBuffer
    from typing import Any

BUDGET_S = 0.005  # guess: a quarter of what the items of a sample may take
# guess: what it takes to read a pickle of which parts cannot be read just to see, beside writing it
_READ_PER_WRITE = 1.5
_DEPTH = 3  # guess: what is nested deeper is mostly more of the same
_READ_BYTES = 1 << 20  # guess: read within a few milliseconds
_AGAIN_BELOW_S = 0.0002  # guess
_NAMES_BYTES = 1 << 17  # what the pickler writes in one is either a frame of some 64 KiB, or one large text or bytes
_LAST_BYTES = 1 << 14  # guess: a pickle that ends with less than this is better ended than left
_PLAIN_BYTES, _MOST_PLAIN = 1 << 20, 10_000  # guess: of plain values so much is written and read in a millisecond
_FEW, _TIMES = 100, 3  # guess: so many plain values take some ten microseconds
_PARTS = (1000, 100, 10, 1)  # of a large collection, until so many are pickled in time


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


def weigh(
    values: Sequence[Any],
    what: str = "",
    *,
    star: bool = False,
    budget_s: float = BUDGET_S,
    main_by_value: bool = False,
) -> Travel:
    """Say what objects take on their way to another process, on average.

    They are written as the real codec would: plain values all together, any others one by one. What their classes say
    about being pickled (`__reduce__` and the like) is run, as it will be when they are really sent; to read a pickle,
    nothing of theirs is run.

    Args:
        values: the objects.
        what: what they are to the caller, such as ``"the result"``, for the refusal.
        star: whether each is a tuple of arguments rather than one argument.
        budget_s: seconds after which to look at no more of them. It is exceeded by an object that pickles by slow code
            of its own, by one that only cloudpickle can send, and by the search for what cannot travel.
        main_by_value: as for `codec.dumps`.

    Returns:
        The mean of those that were looked at; all zeros where there are none.
    """
    if values and all_plain(chain.from_iterable(values) if star else values):
        return _weigh_plain(values, star=star)
    deadline = perf_counter() + budget_s
    seen: list[Travel] = []
    for number, value in enumerate(values):
        now = perf_counter()
        if number and now >= deadline:
            break
        try:
            share_s = max(0.0, deadline - now) / (len(values) - number)
            seen.append(_weigh(value, what, share_s, main_by_value=main_by_value))
        except Exception as error:
            from corewise.errors import CannotTravel  # its base class is dear to import

            if not isinstance(error, CannotTravel):
                raise
            return _mean(seen).replace(refusal=str(error))
    return _mean(seen)


def _weigh_plain(values: Sequence[Any], *, star: bool) -> Travel:
    """Return what plain values take. They travel together; of many, some are looked at, and of long texts a part."""
    some = values[:_MOST_PLAIN]
    parts = list(chain.from_iterable(some)) if star else list(some)
    most = _PLAIN_BYTES // max(1, len(parts))
    left_bytes = 0
    for number, part in enumerate(parts):
        if isinstance(part, str | bytes) and len(part) > most:
            left_bytes += len(part) - most
            parts[number] = part[:most]
    # Of a few short ones, to call the pickler is most of it. That is done once for all that travel together.
    _, call_write_s, call_read_s = _to_and_fro([])
    written_bytes, write_s, read_s = _to_and_fro(parts)
    size_bytes = written_bytes + left_bytes
    share = size_bytes / written_bytes / len(some)
    return Travel(
        size_bytes=size_bytes / len(some),
        pickle_s=max(0.0, write_s - call_write_s) * share,
        unpickle_s=max(0.0, read_s - call_read_s) * share,
        whole=len(some) == len(values) and not left_bytes,
    )


def _to_and_fro(parts: list[Any]) -> tuple[int, float, float]:
    """Return the bytes of the pickle of plain values, and the seconds to write and to read it."""
    write_s = read_s = float("inf")
    data = b""
    for _ in range(1 if len(parts) > _FEW else _TIMES):  # what a few take is far below what may come in between
        begin = perf_counter()
        data = plain_dumps(parts)
        written = perf_counter()
        loads(data)
        write_s, read_s = min(write_s, written - begin), min(read_s, perf_counter() - written)
    return len(data), write_s, read_s


def _weigh(value: object, what: str, budget_s: float, *, main_by_value: bool, depth: int = 0) -> Travel:
    begin = perf_counter()
    scale = _Scale(begin + budget_s)
    try:
        make_pickler(scale, scale.beside).dump(value)
    except _Enough:
        so_far = Travel(
            size_bytes=scale.size_bytes,
            pickle_s=perf_counter() - begin,
            unpickle_s=(perf_counter() - begin) * _READ_PER_WRITE,
            whole=False,
        )
        return _from_parts(value, so_far, what, budget_s, depth) or so_far
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled
        return _by_codec(value, what, main_by_value=main_by_value)
    pickle_s = perf_counter() - begin
    if main_by_value and scale.names_main:
        return _by_codec(value, what, main_by_value=True)
    return Travel(
        size_bytes=scale.size_bytes, pickle_s=pickle_s, unpickle_s=scale.read_s() or pickle_s * _READ_PER_WRITE
    )


def _from_parts(value: object, so_far: Travel, what: str, budget_s: float, depth: int) -> Travel | None:
    """Return what a large object takes, from what some of its parts take; None where it has no parts to be seen."""
    for most in _PARTS if depth < _DEPTH else ():
        parts = _some(value, most)
        if not parts:
            return None
        # Together where there are several, as they will travel: what they have in common is sent once.
        together = _weigh(parts if most > 1 else parts[0], what, budget_s / 2, main_by_value=False, depth=depth + 1)
        if together.whole or most == 1:
            more = len(value) / len(parts)  # type: ignore[arg-type]  # what has parts has a length
            return Travel(
                size_bytes=max(so_far.size_bytes, together.size_bytes * more),
                pickle_s=max(so_far.pickle_s, together.pickle_s * more),
                unpickle_s=max(so_far.unpickle_s, together.unpickle_s * more),
                whole=False,
            )
    return None


def _some(value: object, most: int) -> list[Any]:
    """Return at most so many parts of a collection; of a list from all over it."""
    if isinstance(value, list | tuple):
        return list(value[:: -(-len(value) // most)]) if value else []
    if isinstance(value, dict):
        return list(islice(value.items(), most))
    return list(islice(value, most)) if isinstance(value, set | frozenset) else []


def _by_codec(value: object, what: str, *, main_by_value: bool) -> Travel:
    begin = perf_counter()
    packed = codec.pack(value, what, main_by_value=main_by_value)
    pickle_s = perf_counter() - begin
    return Travel(size_bytes=codec.packed_bytes(packed), pickle_s=pickle_s, unpickle_s=pickle_s * _READ_PER_WRITE)


def _mean(some: Sequence[Travel]) -> Travel:
    if not some:
        return Travel()
    return Travel(
        size_bytes=sum(one.size_bytes for one in some) / len(some),
        pickle_s=sum(one.pickle_s for one in some) / len(some),
        unpickle_s=sum(one.unpickle_s for one in some) / len(some),
        whole=all(one.whole for one in some),
    )


class _Enough(Exception):
    """The time for this object is over."""


class _Scale:
    """A file that weighs what is written to it, until a time.

    Args:
        deadline: when to raise `_Enough`.

    Attributes:
        size_bytes: what was written, and what travels beside it.
        names_main: whether something of `__main__` is named in it.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._kept: list[bytes] = []
        self._buffers: list[PickleBuffer] = []
        self.size_bytes = 0
        self.names_main = False

    def write(self, data: Any) -> int:
        """Take in what the pickler writes: for a large object, 64 KiB at a time."""
        self.size_bytes += len(data)
        if self.size_bytes <= _READ_BYTES:
            self._kept.append(bytes(data))
        if len(data) < _NAMES_BYTES and b"__main__" in data:
            self.names_main = True
        if len(data) >= _LAST_BYTES and perf_counter() > self._deadline:
            raise _Enough
        return len(data)

    def beside(self, buffer: PickleBuffer) -> bool:
        """Leave large buffers out of the pickle, as the codec does."""
        size = codec.bytes_of(buffer)
        if size < codec.BESIDE_FROM_BYTES:
            return True
        self.size_bytes += size
        self._buffers.append(buffer)
        return False

    def read_s(self) -> float | None:
        """Return the seconds to read the pickle; None where that would take long, or run code of some class."""
        if self.size_bytes > _READ_BYTES or self._buffers:
            return None
        begin = perf_counter()
        try:
            make_unpickler(BytesIO(b"".join(self._kept)), _refused).load()
        except Exception:  # noqa: BLE001 - whatever it is, it is no plain data
            return None
        return perf_counter() - begin


def _refused(module: str, name: str) -> Any:
    """Have a pickle that names something not be read."""
    raise LookupError(f"{module}.{name}")
