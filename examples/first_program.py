"""A first program: one function, four inputs. The first items are measured, and that decides how the rest is run.

Prints:
    [333332833333500000, 333332833333500000, 333332833333500000, 333332833333500000]
    run by ... on ... cores
"""

import corewise


def sum_of_squares(limit: int) -> int:
    """Return the sum of the squares of all numbers below `limit`."""
    return sum(number * number for number in range(limit))


if __name__ == "__main__":
    results = corewise.map(sum_of_squares, [10**6] * 4)
    print(results)
    print(f"run by {results.choice.approach} on {results.stats.cores_busy:.1f} cores")
