"""The error for an object that cannot be sent: apart, because its base class is dear to import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pickle import PicklingError
else:
    try:
        from _pickle import PicklingError  # the same class; the public module takes 3 ms more
    except ImportError:  # an interpreter without the C module
        from pickle import PicklingError

from corewise.errors import CorewiseError


class CannotTravel(CorewiseError, TypeError, PicklingError):
    """An object cannot be sent to another process; the message names the part that cannot, and a way out."""


CannotTravel.__module__ = "corewise.errors"  # where users find it, and what a traceback should say
