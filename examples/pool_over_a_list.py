"""A pool of processes works through a list; the results stand in the order of the list.

Prints:
    the number below      1,000 with the longest way to 1 is     871
    the number below      5,000 with the longest way to 1 is   3,711
    the number below     10,000 with the longest way to 1 is   6,171
    the number below     20,000 with the longest way to 1 is  17,647
    4 items by processes, 2 workers: as asked for
"""

import corewise


def steps_to_one(number: int) -> int:
    """Return the length of the way: halve what is even, take three times and one more of what is odd."""
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


def longest_way(limit: int) -> int:
    """Return the number below `limit` that takes the most steps."""
    return max(range(1, limit), key=steps_to_one)


if __name__ == "__main__":
    limits = [1_000, 5_000, 10_000, 20_000]
    results = corewise.map(longest_way, limits, approach="processes", workers=2)
    for limit, number in zip(limits, results, strict=True):
        print(f"the number below {limit:10,} with the longest way to 1 is {number:7,}")
    print(f"{results.stats.items} items by {results.choice}")
