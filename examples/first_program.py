"""A first program: one function, four inputs. The first items are measured, and that decides how the rest is run.

Prints:
    [333332833333500000, 2666664666667000000, 8999995500000500000, 21333325333334000000]
"""

import corewise


def sum_of_squares(limit: int) -> int:
    """Return the sum of the squares of all numbers below `limit`."""
    return sum(number * number for number in range(limit))


if __name__ == "__main__":
    limits = [1_000_000, 2_000_000, 3_000_000, 4_000_000]
    results = corewise.map(sum_of_squares, limits)
    print(results)
