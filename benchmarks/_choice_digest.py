"""A short text that is the same for equal results, so that results of two processes can be compared."""

from __future__ import annotations

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def digest(value: object) -> str:
    """Return what tells results apart: by type, order and content, not by identity.

    Raises:
        TypeError: for a type that no work returns.
    """
    state = sha256()
    _feed(state, value)
    return state.hexdigest()


def _feed(state: Any, value: Any) -> None:
    kind = type(value).__name__
    if value is None or isinstance(value, (bool, int, float, str)):
        state.update(f"{kind} {value!r}\0".encode())
    elif isinstance(value, bytes):
        state.update(b"bytes %d\0" % len(value) + value)
    elif isinstance(value, (list, tuple)):
        state.update(f"{kind} {len(value)}\0".encode())
        for one in value:
            _feed(state, one)
    elif isinstance(value, dict):
        _feed(state, list(value.items()))
    elif hasattr(value, "dtype"):
        state.update(f"array {value.dtype} {value.shape}\0".encode())
        state.update(value.tobytes())
    else:
        raise TypeError(f"no digest of a {kind}")
