"""Objects to bytes and back: small ones in one piece, large buffers beside, functions by value where need be."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from corewise._transport import codec
from corewise._transport.plain import all_plain
from corewise.errors import CannotTravel

LARGE = codec.BESIDE_FROM_BYTES


def sent(packed: codec.Packed) -> Any:
    """Let packed bytes go through what a message does to them, and read them."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(packed, 5, buffer_callback=buffers.append)
    return codec.loads(pickle.loads(body, buffers=[bytearray(buffer.raw()) for buffer in buffers]))


def test_small_objects_are_bytes_and_large_ones_are_in_pieces() -> None:
    """Small ones can be written into a ledger."""
    assert isinstance(codec.pack([1, "two", b"three"]), bytes)
    assert isinstance(codec.pack(np.zeros(10)), bytes)
    assert isinstance(codec.pack(b"x" * LARGE), tuple)
    assert isinstance(codec.pack(b"x" * LARGE)[0], pickle.PickleBuffer)
    body, beside = codec.pack(np.zeros(LARGE, np.uint8))
    assert isinstance(body, bytes)
    assert len(body) < 1000
    assert [len(buffer.raw()) for buffer in beside] == [LARGE]


@pytest.mark.parametrize("value", [7, b"x" * LARGE, np.zeros(LARGE, np.uint8), [np.zeros(LARGE), "x" * LARGE]])
def test_what_travels_is_counted(value: Any) -> None:
    """In one piece or in several."""
    packed = codec.pack(value)
    pieces = [packed] if isinstance(packed, bytes) else [memoryview(packed[0]), *map(memoryview, packed[1])]
    assert codec.packed_bytes(packed) == sum(memoryview(piece).nbytes for piece in pieces)


@pytest.mark.parametrize("size", [0, 1, LARGE - 200, LARGE - 1, LARGE, LARGE + 1, 10 * LARGE])
def test_sizes_around_the_border_arrive(size: int) -> None:
    """As bytes, as bytearray, as text, as an array, and several together."""
    for value in (b"b" * size, bytearray(b"a" * size), "ü" * size):
        assert sent(codec.pack(value)) == value
        assert type(sent(codec.pack(value))) is type(value)
    array = np.arange(size, dtype=np.uint8)
    together = sent(codec.pack({"array": array, "again": [array, array[::-1]], "text": "t" * size}))
    assert np.array_equal(together["array"], array)
    assert np.array_equal(together["again"][1], array[::-1])
    assert together["again"][0] is together["array"]


@given(
    arrays.arrays(
        dtype=st.sampled_from(["?", "i1", "u2", "i4", "u8", "f2", "f4", "f8", "c16", "M8[s]", "S3", "U2", "i4,f8"]),
        shape=arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=30),
        fill=st.nothing(),
    ),
    st.sampled_from(["C", "F", "slice", "transposed", "read-only"]),
    st.integers(1, 60),
)
def test_arrays_of_any_kind_arrive(array: Any, kind: str, times: int) -> None:
    """Any type of element, any shape and any order of memory, below the border and above."""
    array = np.array(np.broadcast_to(array, (times, *array.shape)))
    if kind == "F":
        array = np.asfortranarray(array)
    elif kind == "slice":
        array = array[::2, ...]
    elif kind == "transposed":
        array = array.T
    elif kind == "read-only":
        array.setflags(write=False)
    came = sent(codec.pack(array))
    assert came.dtype == array.dtype
    assert came.shape == array.shape
    assert came.tobytes() == array.tobytes()


def test_an_array_that_came_beside_may_be_written_to() -> None:
    """As one that came in the pickle may; a read-only one stays read-only."""
    array = np.zeros(LARGE)
    came = sent(codec.pack(array))
    came[0] = 1
    assert array[0] == 0
    array.setflags(write=False)
    assert not sent(codec.pack(array)).flags.writeable


def test_functions_travel_that_pickle_cannot_name() -> None:
    """With what they capture, large arrays included."""
    array = np.arange(LARGE)
    came = sent(codec.pack(lambda number: array[number] + 1))
    assert came(5) == 6
    assert codec.loads(codec.dumps(lambda: 7))() == 7


def test_an_object_that_fails_half_way_leaves_no_buffer_behind() -> None:
    """The buffers that plain pickle had put beside are not those that cloudpickle counts on."""
    array = np.arange(LARGE)
    came_array, came_function = sent(codec.pack([array, lambda: array]))
    assert np.array_equal(came_array, array)
    assert np.array_equal(came_function(), array)
    _, beside = codec.pack([array, lambda: array])
    assert len(beside) == 1


@pytest.mark.parametrize("how", [codec.dumps, codec.pack])
def test_what_cannot_travel_is_refused_by_name(how: Any) -> None:
    """The error says what it is to the caller; the original is its cause."""
    with pytest.raises(CannotTravel, match=r"^the result of item 3 cannot be sent to another process") as caught:
        how((number for number in range(3)), "the result of item 3")
    assert isinstance(caught.value.__cause__, TypeError)


def test_plain_items_are_exactly_those_that_cannot_fail() -> None:
    """A kind of int of one's own may do anything while it is pickled."""

    class Odd(int):
        pass

    assert all_plain([1, 1.5, 2j, "a", b"b", True, None])
    assert all_plain([])
    for odd in (Odd(1), [1], (1,), bytearray(b"x"), np.float64(1)):
        assert not all_plain([1, odd])


@given(st.lists(st.one_of(st.integers(), st.floats(), st.complex_numbers(), st.text(st.characters()), st.binary())))
def test_plain_items_all_survive(items: list[Any]) -> None:
    """Half surrogate pairs and integers of any length among them."""
    assert all_plain(items)
    assert repr(codec.loads(codec.dumps(items))) == repr(items)


MAIN = """
import pickle, sys
from corewise._transport import codec
class Point:
    def __init__(self, x):
        self.x = x
def double(point):
    return Point(2 * point.x)
sys.stdout.buffer.write(codec.dumps((double, Point(3)), main_by_value={by_value}))
"""


@pytest.mark.parametrize("by_value", [True, False])
def test_what_main_defines_travels_by_value_only_where_asked(*, by_value: bool) -> None:
    """A process without that main module can read it, or cannot."""
    program = MAIN.format(by_value=by_value)
    data = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    if not by_value:
        with pytest.raises(AttributeError):
            codec.loads(data)
        return
    double, point = codec.loads(data)
    assert double(point).x == 6
    assert type(double(point)) is type(point)


@pytest.mark.parametrize(
    ("arguments", "text", "expected"),
    [
        (["-c", "{program}"], None, "False"),
        (["-"], "{program}", "False"),
        (["{file}"], None, "True"),
        (["-m", "as_module"], None, "True"),
    ],
)
def test_whether_workers_can_import_main_is_known(
    arguments: list[str], text: str | None, expected: str, tmp_path: Any
) -> None:
    """From a file or a module they can; from the command line or standard input they cannot."""
    program = "from corewise._transport import codec; print(codec.main_can_be_imported())"
    file = tmp_path / "as_module.py"
    file.write_text(program, encoding="utf-8")
    filled = [argument.format(program=program, file=file) for argument in arguments]
    done = subprocess.run(
        [sys.executable, *filled],
        input=text and text.format(program=program),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == expected
