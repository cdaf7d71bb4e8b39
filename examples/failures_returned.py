"""Some items fail, one even ends its process, and all the others are run; afterwards there is a list of what failed.

Prints:
    these went well: {'1': 1.0, '4': 0.25}
    item 1, '0': ZeroDivisionError: float division by zero
    item 2, 'two': ValueError: could not convert string to float: 'two'
    item 3, 'crash': WorkerDied: the worker process ... was lost while it ran this item: it exited with code 3
"""

import os

import corewise


def inverse(text: str) -> float:
    """Return 1 divided by a number that is given as text."""
    if text == "crash":
        os._exit(3)  # as a crash in a C library would: no exception, the process is gone
    return 1 / float(text)


if __name__ == "__main__":
    texts = ["1", "0", "two", "crash", "4"]
    results = corewise.map(inverse, texts, approach="processes", workers=2, on_error="return")
    good = {text: value for text, value in zip(texts, results, strict=True) if not isinstance(value, Exception)}
    print("these went well:", good)
    for failed in results.failures:
        print(f"item {failed.index}, {failed.item}: {type(failed.error).__name__}: {failed.error}")
