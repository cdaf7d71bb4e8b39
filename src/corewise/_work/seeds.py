"""Random numbers that depend on the item alone: the same for any number of workers, any chunk size, any approach.

Before each item the global generators are seeded from the call's seed and the item's index: that of `random`, and, once
NumPy is loaded, that of ``numpy.random``. Both seeds are taken from one BLAKE2b hash of the two numbers (128 bits for
each), so items whose indexes are neighbours have nothing in common, and neither have the two generators. The derivation
knows no platform and no Python version; what `random` makes of a seed is the same everywhere by its own promise.

Two things are not seeded. Generators that a program makes for itself (``numpy.random.default_rng()``, those of
PyTorch or TensorFlow) are its own. And an item during which NumPy is loaded for the first time draws from NumPy's
generator as loading has left it; the next item of that worker is seeded. A program that imports NumPy at the top of its
module never meets that.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def seed_item(seed: int, index: int) -> None:
    """Seed the global generators for one item.

    Args:
        seed: the call's seed, any whole number.
        index: the item's index in the whole input.
    """
    import random

    digest = _digest(seed, index)
    random.seed(int.from_bytes(digest[:16], "little"))
    if "numpy" in sys.modules:
        _seed_numpy(digest[16:])


@contextmanager
def kept() -> Iterator[None]:
    """Put the global generators back to where they were, for items that are run in the caller's own process."""
    import random  # before its state is kept: left to `seed_item`, the caller would find it seeded

    ours = random.getstate()
    theirs = _generator().get_state(legacy=False) if "numpy" in sys.modules else None
    try:
        yield
    finally:
        random.setstate(ours)
        if theirs is not None:
            _restore_numpy(theirs)
        elif "numpy" in sys.modules:
            _generator().seed()  # from the system, as if it had only just been loaded


def _digest(seed: int, index: int) -> bytes:
    try:
        from _blake2 import blake2b  # at a tenth of the import time of hashlib, which loads OpenSSL
    except ImportError:  # not CPython, or built without it
        from hashlib import blake2b

    # In hexadecimal: Python refuses to write very long numbers in decimal.
    return blake2b(b"corewise %x %x" % (seed, index), digest_size=32).digest()


def _generator() -> Any:
    import numpy.random  # NumPy loads it when it is first used

    return numpy.random


def _seed_numpy(data: bytes) -> None:
    generator = _generator()
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, 16, 4)]
    generator.seed(words)
    # Another kind of generator, put there by the program, keeps the second of two normal numbers over its seeding.
    if not _is_usual(generator) and generator.get_state(legacy=False)["has_gauss"]:
        generator.standard_normal()
        generator.seed(words)


def _is_usual(generator: Any) -> bool:
    get = getattr(generator, "get_bit_generator", None)  # NumPy 1.24 and later; before that it could not be replaced
    return get is None or isinstance(get(), generator.MT19937)


def _restore_numpy(state: Any) -> None:
    try:
        _generator().set_state(state)
    except (TypeError, ValueError):  # the items have put a generator of another kind in its place, and meant it to stay
        return
