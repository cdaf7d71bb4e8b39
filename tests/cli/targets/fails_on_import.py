"""Cannot be imported."""


def _divide(number: int) -> float:
    return number / 0


VALUE = _divide(1)
