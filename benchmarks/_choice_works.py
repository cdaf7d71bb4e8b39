"""All works of the suite, and in which module each one stands."""

from __future__ import annotations

import _choice_computing
import _choice_coroutines
import _choice_shapes
import _choice_waiting

_PLACES = (_choice_computing, _choice_waiting, _choice_coroutines, _choice_shapes)
WORKS = {name: work for place in _PLACES for name, work in place.WORKS.items()}
# A measured interpreter loads this one module alone: the others' imports would be a gift to whoever needs the same.
MODULES = {name: place.__name__ for place in _PLACES for name in place.WORKS}
