"""Sum of squares below a number, four times: which approach pays, measured rather than believed.

`make compare` does the same with a larger number, several rounds and a table.

Prints:
    ...
    sync       ...×, ... cores busy: ...
    threads    ...×, ... cores busy: ...
    asyncio    ...×, ... cores busy: ...
    processes  ...×, ... cores busy: ...
    the results are equal: True
    recommended: ...
"""

import corewise


def sum_of_squares(limit: int) -> int:
    """Return the sum of the squares of all numbers below `limit`."""
    return sum(number * number for number in range(limit))


if __name__ == "__main__":
    comparison = corewise.compare(sum_of_squares, [10**6] * 4, repeat=1)
    case = comparison.document["cases"][0]
    print(f"{case['function']}, {case['items']} items")
    for row in case["rows"]:
        print(f"{row['label']:10} {row['speedup']:.2f}×, {row['cores_busy']:.1f} cores busy: {row['verdict']}")
    print("the results are equal:", case["difference"] is None)
    print("recommended:", comparison.best)
