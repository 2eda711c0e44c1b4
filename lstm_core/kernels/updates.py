"""How do kernels change weights by their gradient? Clipped, and by the rules of torch's optimizers."""

from typing import Any

import numpy as np

from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.pointers import real
from lstm_core.kernels.program import ADAM, BY_NORM, BY_VALUE, SGD
from lstm_core.kernels.vectors import clamped, lanes, load, root, store, total, widened, zeros


@inner
def dot(x: Any, y: Any, count: int) -> float:
    """Of so many numbers, in double precision, where no square of single precision under- or overflows."""
    sums = widened(zeros(x))
    for k in range(0, count, lanes(x)):
        sums = sums + widened(load(x, k)) * widened(load(y, k))
    return float(total(sums))


@inner
def clip(plan: Any, rates: Any, gradient: Any, count: int, grad_norm: float) -> None:
    """By the norm of all of it, or every number by itself; nan stays nan."""
    if plan.clip == BY_NORM and grad_norm > rates.clip_at:
        factor = real(gradient, rates.clip_at / grad_norm)
        for k in range(0, count, lanes(gradient)):
            store(load(gradient, k) * factor, gradient, k)
    elif plan.clip == BY_VALUE:
        most = real(gradient, rates.clip_at)
        for k in range(0, count, lanes(gradient)):
            store(clamped(load(gradient, k), -most, most), gradient, k)


@inner
def update(plan: Any, rates: Any, learned: Any) -> None:
    """By torch's rules: Adam (Kingma and Ba 2015), RMSprop (Tieleman and Hinton 2012), SGD with momentum."""
    weights, gradient, first, second = learned.weights, learned.gradient, learned.first, learned.second
    begun = learned.begun[0]
    tenth, least = real(weights, 0.1), real(weights, 1e-8)
    lr, momentum = real(weights, rates.lr), real(weights, rates.momentum)
    keep = real(weights, 0.999 if plan.optimizer == ADAM else 0.9)
    added = real(weights, 0.001 if plan.optimizer == ADAM else 0.1)
    rate, unbiased = real(weights, rates.lr / (1 - 0.9**begun)), real(weights, np.sqrt(1 - 0.999**begun))
    for k in range(0, learned.count, lanes(weights)):
        g, m, v = load(gradient, k), load(first, k), load(second, k)
        if plan.optimizer == SGD:
            m = momentum * m + g
            step = lr * m
        else:
            v = keep * v + added * g * g
            if plan.optimizer == ADAM:
                m = m + tenth * (g - m)
                step = rate * m / (root(v) / unbiased + least)
            else:
                step = lr * g / (root(v) + least)
        store(m, first, k)
        store(v, second, k)
        store(load(weights, k) - step, weights, k)
