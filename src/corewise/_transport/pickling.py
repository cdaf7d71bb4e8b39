"""Pickle by the C module behind it, where there is one: the public module loads `re` first, which takes 3 ms."""

from __future__ import annotations

try:
    from _pickle import PickleBuffer, dumps, loads
except ImportError:  # an interpreter without the C module
    from pickle import PickleBuffer, dumps, loads

__all__ = ["PickleBuffer", "dumps", "loads"]
