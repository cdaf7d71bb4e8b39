"""Notes on exceptions, as tracebacks print them below the message."""

from __future__ import annotations


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception that may be raised more than once, or refuse to be changed."""
    notes = getattr(error, "__notes__", None)
    notes = notes if isinstance(notes, list) else []
    if note not in notes:  # the same object may be raised more than once
        # Not `add_note`: an exception may refuse to be changed, as a frozen dataclass does.
        BaseException.__setattr__(error, "__notes__", [*notes, note])
