"""Works that compute: in Python, in C that holds the GIL, in C that releases it."""

from __future__ import annotations

import json
import lzma
import re
import zlib
from decimal import Context, Decimal
from hashlib import sha256

from _choice_work import SPIN_MS, Case, Work, over, spin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KILO, _MEGA = 1000, 1_000_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TEXT: list[str] = []
_BUFFERS: dict[int, bytes] = {}


def add_one(number: int) -> int:
    """Take some 30 ns."""
    return number + 1


def microsecond(number: int) -> int:
    """Take about a microsecond."""
    return spin(16) + number


def fifteen_microseconds(number: int) -> int:
    """Take some 15 µs."""
    return spin(300) + number


def fib(number: int) -> int:
    """Call itself again and again."""
    return number if number < 2 else fib(number - 1) + fib(number - 2)  # noqa: PLR2004 - the definition


def digits_of_root(number: int) -> str:
    """Compute a root, a logarithm and an exponential to 300 digits."""
    context = Context(prec=300)
    root = context.sqrt(Decimal(number))
    return str(context.exp(context.divide(context.ln(root), Decimal(number))))


def parse(text: str) -> int:
    """Parse JSON."""
    return sum(one["size"] for one in json.loads(text))


def documents() -> Case:
    """JSON texts of about 100 kB, one for each item."""
    texts = [
        json.dumps([{"id": n, "name": f"n{n}", "size": seed + n, "tags": ["a", "b"]} for n in range(2000)])
        for seed in range(150)
    ]
    return Case(parse, texts, len(texts))


def find_words(seed: int) -> int:
    """Match a pattern all over a text that is there already."""
    return sum(len(one.group()) for one in re.finditer(r"\b\w*[aeiou]\w{2}\b", _TEXT[seed % len(_TEXT)]))


def texts() -> Case:
    """Look through ten texts again and again."""
    from random import Random

    draw = Random(7)  # noqa: S311 - the same texts every time
    _TEXT[:] = ["".join(draw.choices(_LETTERS + "   ", k=30_000)) for _ in range(10)]
    return Case(find_words, list(range(120)), 120)


def build_text(seed: int) -> str:
    """Build a text of 90 kB from many small ones, and return it."""
    return ",".join(f"{number + seed:08x}" for number in range(10_000))


def sort_list(seed: int) -> float:
    """Sort a list of 100,000 numbers that is made here: C code that holds the GIL in one piece."""
    numbers = [(seed * 7919 + number * 104_729) % 1_000_003 / 7 for number in range(100_000)]
    numbers.sort()
    return numbers[len(numbers) // 2]


def sort_array(seed: int) -> float:
    """Sort an array: C code that releases the GIL."""
    import numpy as np

    numbers = np.random.default_rng(seed).random(400_000)
    numbers.sort()
    return float(numbers[200_000])


def digest_of_block(seed: int) -> str:
    """Hash 16 MB, the same bytes behind another beginning."""
    state = sha256(seed.to_bytes(8, "big"))
    state.update(_BUFFERS[16 * _MEGA])
    return state.hexdigest()


def digest(data: bytes) -> bytes:
    """Hash some bytes."""
    return sha256(data).digest()


def large_blocks() -> Case:
    """Twenty-four times 16 MB."""
    _BUFFERS[16 * _MEGA] = bytes(range(256)) * (16 * _MEGA // 256)
    return Case(digest_of_block, list(range(24)), 24)


def small_buffers() -> Case:
    """Many buffers of 64 bytes."""
    buffers = [number.to_bytes(64, "big") for number in range(300_000)]
    return Case(digest, buffers, len(buffers))


def pack(seed: int) -> int:
    """Compress 400 kB with zlib."""
    return len(zlib.compress(_BUFFERS[400 * _KILO] + seed.to_bytes(8, "big")))


def pack_well(seed: int) -> int:
    """Compress 400 kB with LZMA."""
    return len(lzma.compress(_BUFFERS[400 * _KILO] + seed.to_bytes(8, "big"), preset=2))


def _words() -> None:
    from random import Random

    draw = Random(3)  # noqa: S311 - the same bytes every time
    words = ["".join(draw.choices(_LETTERS, k=6)) for _ in range(500)]
    _BUFFERS[400 * _KILO] = " ".join(draw.choices(words, k=60_000)).encode()[: 400 * _KILO]


def to_zlib() -> Case:
    """Compress forty times."""
    _words()
    return Case(pack, list(range(40)), 40)


def to_lzma() -> Case:
    """Compress eight times."""
    _words()
    return Case(pack_well, list(range(8)), 8)


def small_arrays(seed: int) -> float:
    """Do a few operations on arrays of ten numbers."""
    import numpy as np

    array = np.arange(10.0) + seed
    return float((array * array - array / 2).sum())


def large_arrays(seed: int) -> float:
    """Do elementwise operations on a million numbers, which release the GIL."""
    import numpy as np

    array = np.arange(_MEGA, dtype=np.float64) + seed
    return float(np.sqrt(array).astype(np.int64).sum() + np.sin(array).size)


def multiply(seed: int) -> float:
    """Multiply matrices of 700 × 700, by which BLAS keeps all cores busy."""
    import numpy as np

    matrix = (np.arange(490_000, dtype=np.float64).reshape(700, 700) + seed) % 10
    return float((matrix @ matrix).sum())


def multiply_small(seed: int) -> float:
    """Multiply matrices of 60 × 60 a hundred times, for which BLAS uses one core."""
    import numpy as np

    matrix = (np.arange(3600, dtype=np.float64).reshape(60, 60) + seed) % 10
    return float(sum((matrix @ matrix)[0, 0] for _ in range(100)))


def half_released(seed: int) -> int:
    """Compute in Python for as long as in C that releases the GIL."""
    return spin(5 * SPIN_MS + seed) + pack(seed)


def to_half_released() -> Case:
    """Do so fifty times."""
    _words()
    return Case(half_released, list(range(50)), 50)


def _with_numpy(fn: Any, count: int) -> Case:
    """Load NumPy before the clock runs, as a program that computes with it has done."""
    import numpy as np

    np.ones((64, 64)) @ np.ones((64, 64))
    return Case(fn, list(range(count)), count)


WORKS = {
    "tiny_400000": Work("400,000 calls of 30 ns", over(add_one, range(400_000)), tiny=True),
    "tiny_1000": Work("1,000 calls of 1 µs", over(microsecond, range(1000)), tiny=True),
    "tiny_20": Work("20 calls of 15 µs", over(fifteen_microseconds, range(20)), tiny=True),
    "python_300ms": Work("pure Python, 4 items of 0.3 s", over(spin, [300 * SPIN_MS + n for n in range(4)])),
    "python_1ms": Work("pure Python, 500 items of 1 ms", over(spin, [SPIN_MS + n for n in range(500)])),
    "python_50us": Work(
        "pure Python, 10,000 items of 50 µs", over(spin, [SPIN_MS // 20 + n % 9 for n in range(10_000)])
    ),
    "recursion": Work("recursion (Fibonacci)", over(fib, [20, 21, 22] * 20)),
    "decimal": Work("Decimal to 300 digits", over(digits_of_root, range(2, 402))),
    "json": Work("JSON, texts of 100 kB", documents),
    "regex": Work("regular expressions", texts),
    "strings": Work("building texts of 90 kB, returned", over(build_text, range(200))),
    "sort_list": Work("sorting lists of 100,000", over(sort_list, range(12))),
    "sort_array": Work("sorting arrays of 400,000", lambda: _with_numpy(sort_array, 16)),
    "sha256_large": Work("SHA-256 of 16 MB", large_blocks),
    "sha256_small": Work("SHA-256 of 64 bytes, 300,000 items", small_buffers),
    "zlib": Work("zlib, 400 kB", to_zlib),
    "lzma": Work("LZMA, 400 kB", to_lzma),
    "numpy_small": Work("NumPy on 10 numbers, 40,000 items", lambda: _with_numpy(small_arrays, 40_000)),
    "numpy_large": Work("NumPy elementwise on 1,000,000 numbers", lambda: _with_numpy(large_arrays, 24)),
    "blas": Work("BLAS, 700 × 700, on all cores by itself", lambda: _with_numpy(multiply, 30)),
    "blas_small": Work("BLAS, 60 × 60", lambda: _with_numpy(multiply_small, 150)),
    "half_released": Work("Python, then C that releases the GIL", to_half_released),
}
