"""What is a kernel of an activation made of? Functions of one number, in one precision."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Pair = Callable[[Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Arithmetic:
    """
    What a kernel is made of, in one precision: `real(2)`, the number 2, where a mere 2 would turn single precision into
    double; `least`, the lowest x at which e^x is a normal number; and functions of one number. `log1p` is for numbers
    from 0 to 1, `power_and_rest` gives 2^n and e^r - 1 of e^x = 2^n e^r, `normal_distribution` Phi(x) and Phi'(x).
    """

    real: Callable[[float], Any]
    least: Any
    exp: Callable[[Any], Any]
    expm1: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    power_and_rest: Pair
    sine_and_cosine: Pair
    normal_distribution: Pair
