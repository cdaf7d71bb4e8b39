"""Reads a code object as steps, with where each may jump to.

`dis` would do, but importing it costs more than looking at an ordinary function does; what is needed of it is little,
and tests hold it against `dis`. The layout is CPython's since 3.11: two bytes a unit, caches behind the instructions
that have them, and a table of exception handlers at the side.
"""

from __future__ import annotations

from opcode import hasjrel, opmap, opname, stack_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_CACHE = opmap.get("CACHE", 0)
_EXTENDED = opmap["EXTENDED_ARG"]
_JUMPS = frozenset(hasjrel)
_UNIT = 2  # bytes


class Step:
    """One instruction.

    Attributes:
        offset: bytes from the start of the code.
        op: its number.
        name: its name.
        arg: its argument, 0 where it has none.
        target: index of the step it may jump to; -1 where it never jumps.
        handler: index of the step that goes on when it raises, how many values stay on the stack for that, and how
            many are put on top of them; None where nothing catches it.
    """

    __slots__ = ("arg", "handler", "name", "offset", "op", "target")

    def __init__(self, offset: int, op: int, arg: int, target: int) -> None:
        self.offset = offset
        self.op = op
        self.name = opname[op]
        self.arg = arg
        self.target = target
        self.handler: tuple[int, int, int] | None = None


def steps_of(code: CodeType) -> list[Step]:
    """Return the instructions of a code object, without caches and with arguments put together."""
    raw = code.co_code
    steps: list[Step] = []
    index: dict[int, int] = {}  # of the step at this offset; a jump may lead to the first of its units
    at = extended = 0
    while at < len(raw):
        offset, op, arg = at, raw[at], raw[at + 1] | extended
        index[offset] = len(steps)
        at += _UNIT
        if op == _EXTENDED:
            extended = arg << 8
            continue
        extended = 0
        while at < len(raw) and raw[at] == _CACHE:
            at += _UNIT
        target = -1
        if op in _JUMPS:
            target = at - arg * _UNIT if "BACKWARD" in opname[op] else at + arg * _UNIT
        steps.append(Step(offset, op, arg, target))
    for step in steps:
        step.target = index.get(step.target, -1)
    for start, end, target, kept, added in _handlers(code.co_exceptiontable):
        for step in steps[index[start] : index.get(end, len(steps))]:
            step.handler = (index[target], kept, added)
    return steps


def _handlers(table: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Give start, end and target in bytes, how many values stay on the stack, and how many are added."""
    units = iter(table)

    def number(first: int) -> int:
        value, more = first & 63, first & 64
        while more:
            unit = next(units)
            value, more = value << 6 | unit & 63, unit & 64
        return value

    for first in units:
        start = number(first) * _UNIT
        end = start + number(next(units)) * _UNIT
        target = number(next(units)) * _UNIT
        depth = number(next(units))
        yield start, end, target, depth >> 1, 1 + (depth & 1)


def effect_of(step: Step, *, jump: bool) -> int:
    """Return by how many values the stack grows with a step."""
    try:
        return stack_effect(step.op, step.arg, jump=jump)
    except ValueError:  # it takes no argument
        return stack_effect(step.op, jump=jump)


def line_of(code: CodeType, offset: int) -> int:
    """Return the line that an offset belongs to; the function's first where that is not known."""
    for start, end, line in code.co_lines():
        if start <= offset < end and line:
            return line
    return code.co_firstlineno
