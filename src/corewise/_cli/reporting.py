"""The command `report`: draws a stored comparison."""

from __future__ import annotations

from typing import Any


def report(**given: Any) -> int:
    raise NotImplementedError
