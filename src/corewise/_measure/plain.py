"""Instructions of which only the number of values that they take and leave matters."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._measure.frame import Frame

ASKING_JUMPS = frozenset(
    f"POP_JUMP_{way}IF_{what}"
    for way in ("", "FORWARD_", "BACKWARD_")
    for what in ("FALSE", "TRUE", "NONE", "NOT_NONE")
)
"""Jumps that depend on the topmost value, and take it."""

_FIXED = {
    (0, 0): (
        "CACHE COPY_FREE_VARS DELETE_NAME JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD MAKE_CELL NOP "
        "NOT_TAKEN PRECALL RESUME SETUP_ANNOTATIONS"
    ),
    (0, 1): "LOAD_ASSERTION_ERROR LOAD_BUILD_CLASS LOAD_CLOSURE LOAD_COMMON_CONSTANT LOAD_LOCALS LOAD_SMALL_INT",
    (1, 0): (
        "DICT_MERGE DICT_UPDATE JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP LIST_APPEND LIST_EXTEND POP_EXCEPT POP_TOP "
        "SET_ADD SET_UPDATE"
    ),
    (1, 1): (
        "CALL_INTRINSIC_1 CONVERT_VALUE FORMAT_SIMPLE GET_AITER GET_AWAITABLE GET_YIELD_FROM_ITER LIST_TO_TUPLE "
        "LOAD_FROM_DICT_OR_GLOBALS UNARY_INVERT UNARY_NEGATIVE UNARY_POSITIVE"
    ),
    (1, 2): "BEFORE_WITH GET_LEN MATCH_MAPPING MATCH_SEQUENCE PUSH_EXC_INFO",
    (2, 0): "MAP_ADD",
    (2, 1): "CALL_INTRINSIC_2 END_SEND FORMAT_WITH_SPEC",
    (2, 2): "CHECK_EXC_MATCH",
    (3, 1): "BINARY_SLICE",
}

_COUNTED = {"BUILD_CONST_KEY_MAP": (1, 1), "BUILD_MAP": (2, 0), "BUILD_SET": (1, 0), "BUILD_STRING": (1, 0)}


def _fixed(pops: int, pushes: int) -> Callable[[Frame, int], None]:
    def operation(frame: Frame, _: int) -> None:
        frame.take(pops)
        frame.push(*[None] * pushes)

    return operation


def _counted(times: int, more: int) -> Callable[[Frame, int], None]:
    def operation(frame: Frame, arg: int) -> None:
        frame.take(arg * times + more)
        frame.push(None)

    return operation


PLAIN: dict[str, Callable[[Frame, int], None]] = {
    **{name: _fixed(*counts) for counts, names in _FIXED.items() for name in names.split()},
    **{name: _counted(*counts) for name, counts in _COUNTED.items()},
}
"""What these do, by their names."""
