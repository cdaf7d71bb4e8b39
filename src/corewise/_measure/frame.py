"""Goes through a code object without running it, and keeps book of where each value comes from."""

from __future__ import annotations

import sys

from corewise._measure.bytecode import effect_of, line_of, steps_of
from corewise._measure.lookups import MISSING
from corewise._measure.origins import Origin, is_outside, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType
    from typing import Any

    from corewise._measure.bytecode import Step
    from corewise._measure.changes import Change

    Finding = tuple[Change, str, int]  # what, file, line
    Cell = tuple[Origin | None, bool]  # what a captured variable holds, and whether the variable is outside as well
    Follow = Callable[["Frame", Origin, list[Origin | None], dict[str, Origin | None]], "Answer | None"]
    Answer = tuple[Origin | None, list[Finding]]
    State = tuple[list[Origin | None], dict[str, Origin | None]]

_ENDS = frozenset(
    {
        "INTERPRETER_EXIT",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "JUMP_FORWARD",
        "RAISE_VARARGS",
        "RERAISE",
        "RETURN_CONST",
        "RETURN_VALUE",
    }
)


_UNSEEN = sys.version_info >= (3, 14)  # versions that this was never run on: what an instruction does is checked


class UnreadableError(Exception):
    """The bytecode is not as this room knows it."""


class Frame:
    """A code object on its way through all its steps.

    Attributes:
        code: the code object.
        globals: the global variables that it sees.
        cells: the variables it captures.
        names: of local variables, by the number that instructions have for them.
        stack: origins of the values on the stack.
        locals: origins of the values of local variables, by name.
        keywords: names of the keyword arguments of the call that comes next.
        made: functions made by this one: what they capture.
        tested: names of outside objects that were asked for being there.
        fetched: names of outside containers of which items were taken.
        weighed: names of outside objects that went into a calculation or a call, and where first; -1 for comparisons.
        step: where it is.
        constant: variables shared with inner functions that are assigned once.
        dirty: whether a local variable has changed since the handler of exceptions was told.
    """

    def __init__(
        self,
        code: CodeType,
        variables: dict[str, Any],
        cells: Mapping[str, Cell],
        values: Mapping[str, Origin | None],
        follow: Follow,
    ) -> None:
        self.code = code
        self.globals = variables
        self.cells = cells
        own = code.co_varnames
        self.names = (*own, *(name for name in code.co_cellvars if name not in own), *code.co_freevars)
        self.stack: list[Origin | None] = []
        self.locals: dict[str, Origin | None] = dict(values)
        self.keywords: tuple[str, ...] = ()
        self.made: dict[CodeType, dict[str, Cell]] = {}
        self.tested: set[str] = set()
        self.fetched: set[str] = set()
        self.weighed: dict[str, int] = {}
        self.dirty = True
        self.steps = steps_of(code)
        self._follow = follow
        self.step = self.steps[0]
        self.constant = _assigned_once(code, self.steps)
        self._findings: dict[int, list[Finding]] = {}
        self._theirs: dict[int, list[Finding]] = {}  # of the functions that it calls
        self._returned: dict[int, Origin | None] = {}
        self._states: dict[int, State] = {}
        self._waiting: set[int] = set()  # indexes of steps

    def pop(self) -> Origin | None:
        """Take the topmost value off the stack."""
        return self.stack.pop()

    def take(self, count: int) -> list[Origin | None]:
        """Take values off the stack; the topmost is the last."""
        if count > len(self.stack):
            raise UnreadableError("the stack is too short")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def push(self, *origins: Origin | None) -> None:
        """Put values on the stack."""
        self.stack.extend(origins)

    def store(self, name: str, origin: Origin | None) -> None:
        """Give a local variable a value."""
        if origin is not None and origin.kind == "in-place":
            origin = origin.base
        self.locals[name] = origin
        self.dirty = True

    def report(self, change: Change | None) -> None:
        """Write down that the present step changes something, if it does."""
        if change is not None:
            finding = (change, self.code.co_filename, line_of(self.code, self.step.offset))
            self._findings.setdefault(self.step.offset, []).append(finding)

    def give(self, origin: Origin | None) -> None:
        """Write down that the present step returns or yields this."""
        self._returned[self.step.offset] = origin

    def weigh(self, *origins: Origin | None, compared: bool = False) -> None:
        """Write down that these went into something."""
        at = -1 if compared else self.step.offset
        for origin in origins:
            if origin is not None and is_outside(origin):
                self.weighed[origin.name] = min(at, self.weighed.get(origin.name, at))

    def test(self, *origins: Origin | None) -> None:
        """Write down that these were asked for being there."""
        self.tested.update(origin.name for origin in origins if origin is not None and is_outside(origin))

    def call(
        self, callee: Origin, arguments: list[Origin | None], named: dict[str, Origin | None]
    ) -> tuple[bool, Origin | None]:
        """Look into what is called: whether that was possible, and what it returns."""
        answer = self._follow(self, callee, arguments, named)
        if answer is None:
            return False, None
        if answer[1]:
            self._theirs.setdefault(self.step.offset, []).extend(answer[1])
        return True, answer[0]

    def run(self, operations: Mapping[str, Callable[[Frame, int], None]]) -> None:
        """Go through all steps, in every way they may follow each other, until nothing new is learnt."""
        starts = {step.target for step in self.steps} | {step.handler[0] for step in self.steps if step.handler}
        self._reach(0, self.stack, self.locals)
        while self._waiting:
            index = min(self._waiting)  # of a few
            self._waiting.discard(index)
            stack, variables = self._states[index]
            self.stack, self.locals, self.dirty = list(stack), dict(variables), True
            while True:
                step = self.steps[index]
                self._one(step, operations)
                index += 1
                if step.name in _ENDS or index >= len(self.steps):
                    break
                if index in starts:
                    self._reach(index, self.stack, self.locals)
                    break

    def _one(self, step: Step, operations: Mapping[str, Callable[[Frame, int], None]]) -> None:
        self.step = step
        self._findings.pop(step.offset, None)
        self._theirs.pop(step.offset, None)
        if step.handler is not None:
            target, kept, added = step.handler
            if self.dirty or target not in self._states:
                self._reach(target, self.stack[:kept] + [None] * added, self.locals)
                self.dirty = False
        else:
            self.dirty = True
        operation = operations.get(step.name)
        if step.target >= 0:
            self._reach(step.target, self._adjusted(step, jump=True, known=operation is not None), self.locals)
        if operation is None:
            self.stack = self._adjusted(step, jump=False, known=False)
            return
        height = len(self.stack) + effect_of(step, jump=False) if _UNSEEN else 0
        operation(self, step.arg)
        if _UNSEEN and len(self.stack) != height and step.name not in _ENDS:  # it is not what it used to be
            self.stack = [None] * height

    def _adjusted(self, step: Step, *, jump: bool, known: bool) -> list[Origin | None]:
        """Return the stack behind a step, as far as its size goes; what it would hold is not known."""
        more = effect_of(step, jump=jump)
        if -more > len(self.stack):
            raise UnreadableError("the stack is too short")
        if not known:
            return [None] * (len(self.stack) + more)
        return self.stack + [None] * more if more >= 0 else self.stack[:more]

    def _reach(self, index: int, stack: list[Origin | None], variables: dict[str, Origin | None]) -> None:
        """Take in that a step may be reached with these values."""
        state = self._states.get(index)
        if state is None:
            new: State = (list(stack), dict(variables))
        else:
            old_stack, old = state
            if len(old_stack) != len(stack):
                raise UnreadableError("the stack has two heights")
            new = (
                [merged(one, other) for one, other in zip(old_stack, stack, strict=True)],
                {name: merged(old.get(name), variables.get(name)) for name in {**old, **variables}},
            )
            if _alike(new, state):
                return
        self._states[index] = new
        self._waiting.add(index)

    @property
    def results(self) -> list[Origin | None]:
        """All that is returned or yielded."""
        return list(self._returned.values())

    @property
    def returned(self) -> list[Origin | None]:
        """All that is returned or yielded; the parts of tuples each by itself."""
        found: list[Origin | None] = []
        for origin in self._returned.values():
            found.extend(origin.value if origin is not None and origin.kind == "tuple" else (origin,))
        return found

    def answer(self) -> Answer:
        """Return what is returned, and what is changed."""
        results = list(self._returned.values())
        result = results[0] if results else None
        for other in results[1:]:
            result = merged(result, other)
        parts = {origin.base.key for origin in self.returned if origin is not None and origin.base and not origin.attr}
        findings = [
            (self._softened(at, change, parts), file, line)
            for at, found in self._findings.items()
            for change, file, line in found
        ]
        return result, findings + [finding for found in self._theirs.values() for finding in found]

    def _softened(self, at: int, change: Change, parts: set[tuple[object, ...]]) -> Change:
        """Take certainty away from what only saves doing the same again: each process will do it for itself.

        A variable that is asked for being there and then assigned is made on first use. A container keeps results if
        the function returns what it has put in, or looks for it, puts it in and takes it out. Either is more than that
        where what was there goes into a comparison, or before into a calculation or a call, as in ``if best is None or
        best < x: best = x`` and in ``ids[name] = len(ids)``; or where it is changed in other ways as well.
        """
        item = f"{change.name}[...]"
        if not change.plain or any(self.weighed.get(name, at) < at for name in (change.name, item)):
            return change
        found = (*self._findings.values(), *self._theirs.values())
        places = sum(other.name in (change.name, item) for findings in found for other, _, _ in findings)
        asked = places == 1 and not self.tested.isdisjoint((change.name, item))
        if change.is_variable:
            return change.but("lazily makes") if asked and change.name in self.tested else change
        if change.origin.kind == "argument" and change.origin.value is MISSING:  # an item of the map, so the caller's
            return change
        kept = change.origin.key in parts or (asked and change.name in self.fetched)
        return change.but("keeps results in") if kept else change


def _assigned_once(code: CodeType, steps: list[Step]) -> set[str]:
    """Return which variables shared with inner functions hold one object from when they are assigned."""
    given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    # An instruction that assigns one has the number of its variable, which comes behind those of the local ones.
    counts = dict.fromkeys(code.co_cellvars, 0)
    own = code.co_varnames
    names = (*own, *(name for name in code.co_cellvars if name not in own), *code.co_freevars)
    for step in steps:
        if step.name == "STORE_DEREF" and names[step.arg] in counts:
            counts[names[step.arg]] += 1
    return {name for name, count in counts.items() if count + (name in given) <= 1}


def _alike(one: State, other: State) -> bool:
    """Say whether two states are the same, but for variables that are not known in either."""
    variables = {**one[1], **other[1]}
    return _keys(one[0]) == _keys(other[0]) and all(
        _key(one[1].get(name)) == _key(other[1].get(name)) for name in variables
    )


def _keys(origins: list[Origin | None]) -> list[object]:
    return [_key(origin) for origin in origins]


def _key(origin: Origin | None) -> object:
    return None if origin is None else origin.key
