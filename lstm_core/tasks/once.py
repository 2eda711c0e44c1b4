"""What is computed once for a series, and forgotten with it?"""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

# So many latest answers are kept.
MOST_KEPT = 8
P = ParamSpec("P")
Of = TypeVar("Of")
Found = TypeVar("Found")


def once(of: Callable[Concatenate[Of, P], Found]) -> Callable[Concatenate[Of, P], Found]:
    """What a function says of a series, computed once for as long as the series is there, of the latest questions."""
    found: WeakKeyDictionary[Of, dict[Any, Found]] = WeakKeyDictionary()

    def kept(series: Of, /, *asked: P.args, **named: P.kwargs) -> Found:
        answers = found.setdefault(series, {})
        question = (asked, tuple(named.items()))
        answer = answers.get(question)
        if answer is None:
            answer = answers[question] = of(series, *asked, **named)
            for old in [*answers][:-MOST_KEPT]:
                answers.pop(old, None)
        return answer

    return kept
