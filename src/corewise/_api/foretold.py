"""What a sample lets expect of a comparison, to be held against what it then shows."""

from __future__ import annotations

from corewise._api.results import in_words
from corewise._choose import model, rule
from corewise._choose.advice import advice
from corewise._work.coroutines import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.trials import Learnt, Subject
    from corewise._types.comparison import Advised
    from corewise._types.measurement import Estimate


def foretold(learnt: Learnt, approach: str, workers: int, items: int, subject: Subject) -> Estimate:
    """Return what an approach is predicted to take.

    Args:
        learnt: what the sample has told. A coroutine function that stands in for a plain one is taken to wait and to
            compute as that does.
        approach: its name.
        workers: number of workers.
        items: number of items.
        subject: what is compared.
    """
    coroutine = subject.async_fn is not None or is_coroutine_function(subject.fn)
    measured = learnt.measurement.replace(remaining=items)
    return model.predict(measured, learnt.known.costs, approach=approach, workers=workers, coroutine=coroutine)


def advised(learnt: Learnt, items: int) -> Advised:
    """Return what `corewise.advise` would say.

    Args:
        learnt: what the sample has told.
        items: number of items.
    """
    measured, known = learnt.measurement.replace(remaining=items), learnt.known
    choice = in_words(rule.choose(measured, known.costs, known.wishes, travel=known.travel))
    return {
        "approach": choice.approach,
        "workers": choice.workers,
        "code": choice.code,
        "why": choice.why,
        "items": measured.items,
        "costs": advice(choice, known.costs),
    }
