"""Exceptions on their way home: whatever they do, type, message and frames arrive."""

from __future__ import annotations

import traceback

import hostile
import pytest

from corewise._transport import failures
from corewise.errors import RemoteError, RemoteTraceback


def brought_home(error: BaseException) -> BaseException:
    """Send an exception to another process and back, but for the process."""
    return failures.unpack(failures.pack(hostile.raised(error)))


def cause_of(error: BaseException) -> str:
    """Return the worker's traceback as text."""
    assert isinstance(error.__cause__, RemoteTraceback)
    return error.__cause__.text


WHOLE = [
    ValueError("wrong", 3),
    KeyError("key"),
    StopIteration(7),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    OSError(2, "No such file", "name"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    hostile.Plain("plain"),
]


@pytest.mark.parametrize("error", WHOLE, ids=lambda error: type(error).__name__)
def test_an_exception_that_can_travel_comes_back_as_itself(error: BaseException) -> None:
    """Its type and its arguments, with the worker's frames for its cause."""
    home = brought_home(error)
    assert type(home) is type(error)
    assert home.args == error.args
    assert str(home) == str(error)
    assert "in deep_inside" in cause_of(home)


# What cannot come back itself, and what its stand-in has to say.
STANDS_IN = [
    (hostile.NotPickled("text"), "NotPickled", "text"),
    (hostile.ExitsWhenPickled("text"), "ExitsWhenPickled", "text"),
    (hostile.NotRebuilt("this", "that"), "NotRebuilt", "this and that"),
    (hostile.ByKeyword(code=7), "ByKeyword", "code 7"),
    (hostile.Impostor("original"), "Impostor", "original"),
    (hostile.NoException("original"), "NoException", "original"),
    (hostile.HoldsLock("locked"), "HoldsLock", "locked"),
    (hostile.Frozen(5), "Frozen", "5"),
]


@pytest.mark.parametrize(("error", "name", "message"), STANDS_IN, ids=[name for _, name, _ in STANDS_IN])
def test_an_exception_that_cannot_come_back_has_a_stand_in(error: Exception, name: str, message: str) -> None:
    """It names the type, says what the original said, and shows where it was raised."""
    home = brought_home(error)
    assert isinstance(home, RemoteError)
    assert home.type_name == f"hostile.{name}"
    assert home.message == message
    assert str(home) == f"hostile.{name}: {message}"
    assert "in deep_inside" in cause_of(home)
    assert f"hostile.{name}" in cause_of(home)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (hostile.NoWords("text"), "<its __str__ raised OSError>"),
        (hostile.NoRepr("text"), "<its __str__ raised RecursionError>"),
        (hostile.ExitsInStr("text"), "<its __str__ raised SystemExit>"),
        (hostile.OddText("text"), "an odd text"),
        (hostile.Anonymous("text"), "text"),
    ],
    ids=["NoWords", "NoRepr", "ExitsInStr", "OddText", "Anonymous"],
)
def test_an_exception_that_cannot_be_put_into_words_still_arrives(error: Exception, said: str) -> None:
    """Its frames are shown, and its type is named, whatever its `__str__` does."""
    error.lock = hostile.threading.Lock()  # type: ignore[attr-defined]  # keeps it from travelling whole
    home = brought_home(error)
    assert isinstance(home, RemoteError)
    assert home.message == said
    assert type(home.message) is str
    assert type(error).__qualname__ in home.type_name
    assert "in deep_inside" in cause_of(home)


@pytest.mark.parametrize("error", [hostile.NoWords("text"), hostile.NoRepr("text"), hostile.OddText("text")])
def test_such_an_exception_comes_back_whole_where_it_can(error: Exception) -> None:
    """What is broken is its words only."""
    home = brought_home(error)
    assert type(home) is type(error)
    assert home.args == ("text",)
    assert "in deep_inside" in cause_of(home)


def test_an_exception_on_which_nothing_can_be_set_gets_its_cause() -> None:
    """The frames must not be lost to a `__setattr__`."""
    home = brought_home(hostile.RefusesCause("fixed"))
    assert type(home) is hostile.RefusesCause
    assert "in deep_inside" in cause_of(home)


def test_notes_and_attributes_arrive() -> None:
    """They say what the message does not."""
    error = hostile.Plain("plain")
    error.add_note("while it was late")
    error.detail = {"line": 7}  # type: ignore[attr-defined]  # an attribute of the user's
    home = brought_home(error)
    assert home.__notes__ == ["while it was late"]
    assert home.detail == {"line": 7}  # type: ignore[attr-defined]  # as above
    stand_in = brought_home(_noted(hostile.NotPickled("text")))
    assert "while it was late" in cause_of(stand_in)


def _noted(error: Exception) -> Exception:
    error.add_note("while it was late")
    return error


def test_a_chain_of_causes_is_told() -> None:
    """All of it, in the words of the interpreter, down to the first frame."""
    first = hostile.raised(KeyError("first"))
    second = hostile.raised(ValueError("second"))
    second.__cause__ = first
    third = hostile.Plain("third")
    third.__context__ = second
    text = cause_of(brought_home(third))
    assert text.index("KeyError: 'first'") < text.index("ValueError: second") < text.index("Plain: third")
    assert "direct cause" in text
    assert "During handling" in text
    assert text.count("in deep_inside") == 3


def test_a_group_arrives_with_all_its_members() -> None:
    """Nested ones too; each with its own frames in the text."""
    members = [hostile.raised(ValueError(number)) for number in range(2)]
    inner = ExceptionGroup("inner", [hostile.raised(OSError(5, "inside"))])
    home = brought_home(ExceptionGroup("several", [*members, inner]))  # type: ignore[list-item]  # Exceptions all
    assert isinstance(home, ExceptionGroup)
    assert [type(member) for member in home.exceptions] == [ValueError, ValueError, ExceptionGroup]
    text = cause_of(home)
    assert "ValueError: 1" in text
    assert "inside" in text
    assert text.count("in deep_inside") == 4


def test_a_group_with_a_member_that_cannot_travel_is_told_in_full() -> None:
    """The stand-in shows the frames of every member."""
    home = brought_home(ExceptionGroup("several", [ValueError("fine"), hostile.HoldsLock("locked")]))
    assert isinstance(home, RemoteError)
    assert home.type_name == "ExceptionGroup"
    assert "ValueError: fine" in cause_of(home)
    assert "HoldsLock: locked" in cause_of(home)


def test_an_exception_that_holds_itself_arrives() -> None:
    """In a ring of arguments, which no pickle can rebuild, and in a ring of causes."""
    error = hostile.Plain("ring")
    error.args = ("ring", error)
    error.__context__ = ValueError("other")
    error.__context__.__context__ = error
    home = brought_home(error)
    assert isinstance(home, RemoteError)
    assert home.type_name == "hostile.Plain"
    assert "ring" in home.message
    assert "ValueError: other" in cause_of(home)


def test_a_very_deep_recursion_arrives_in_short() -> None:
    """A thousand equal frames are not shown one by one."""

    def recurse(number: int) -> int:
        return recurse(number + 1)

    try:
        recurse(0)
    except RecursionError as error:
        home = failures.unpack(failures.pack(error))
    assert isinstance(home, RecursionError)
    assert "more times" in cause_of(home)
    assert len(cause_of(home)) < 10_000


def test_the_traceback_that_is_shown_leads_to_the_workers_line() -> None:
    """As Python prints it, with the worker's frames above the caller's."""
    text = "".join(traceback.format_exception(brought_home(ValueError("shown"))))
    assert text.index("in deep_inside") < text.index("direct cause") < text.rindex("ValueError: shown")
