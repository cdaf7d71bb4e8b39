"""Instructions of which only the number of values that they take and leave matters."""

from __future__ import annotations

from corewise._measure.bytecode import effect_of

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
    (0, 1): (
        "LOAD_ASSERTION_ERROR LOAD_BUILD_CLASS LOAD_CLOSURE LOAD_COMMON_CONSTANT LOAD_LOCALS LOAD_SMALL_INT "
        "RETURN_GENERATOR"
    ),
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
_WITH_SPEC = 4  # flag of FORMAT_VALUE


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


def _shrink(frame: Frame, _: int) -> None:
    """Take as many as this version of CPython does."""
    frame.take(-effect_of(frame.step, jump=False))


def _sized(frame: Frame, _: int) -> None:
    """Take or leave as many as this version of CPython does; what was used or is new is not known."""
    more = effect_of(frame.step, jump=False)
    used = max(0, -more) + 2
    known = frame.stack[: max(0, len(frame.stack) - used)]
    frame.stack = known + [None] * (len(frame.stack) + more - len(known))


def _format_value(frame: Frame, arg: int) -> None:
    frame.take(2 if arg & _WITH_SPEC else 1)
    frame.push(None)


PLAIN: dict[str, Callable[[Frame, int], None]] = {
    **{name: _fixed(*counts) for counts, names in _FIXED.items() for name in names.split()},
    **dict.fromkeys(("CLEANUP_THROW", "SEND", "WITH_EXCEPT_START", "BEFORE_ASYNC_WITH"), _sized),
    **dict.fromkeys(("END_FOR", "POP_ITER", "RAISE_VARARGS"), _shrink),
    "FORMAT_VALUE": _format_value,  # before 3.13
    **{name: _counted(*counts) for name, counts in _COUNTED.items()},
}
"""What these do, by their names."""
