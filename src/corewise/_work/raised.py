"""What is done to exceptions on their way to the user: a note is added, our own frame taken off."""

from __future__ import annotations


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception that may be raised more than once, or refuse to be changed."""
    notes = getattr(error, "__notes__", None)
    notes = notes if isinstance(notes, list) else []
    if note not in notes:  # the same object may be raised more than once
        # Not `add_note`: an exception may refuse to be changed, as a frozen dataclass does.
        BaseException.__setattr__(error, "__notes__", [*notes, note])


def without_our_frame(error: BaseException) -> BaseException:
    """Return an exception that was just caught, with the frame that caught it taken off its traceback.

    To the user it says nothing, and it holds the exception: both would stay until the garbage collector finds them.
    """
    return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ is not None else None)
