"""How do kernels change weights by their gradient? Clipped, and by the rules of torch's optimizers."""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.program import ADAM, BY_NORM, BY_VALUE, PART, SGD
from lstm_core.kernels.vectors import clamped, lanes, load, root, store, total, widened, zeros


@njit(**OPTIONS)
def dot(x: Any, y: Any) -> float:
    """Of two vectors of one length, in double precision, where no square of single precision under- or overflows."""
    sums = widened(zeros(x))
    for k in range(0, x.size, lanes(x)):
        sums = sums + widened(load(x, k)) * widened(load(y, k))
    return float(total(sums))


@njit(**PART)
def clip(plan: Any, rates: Any, gradient: Any, grad_norm: float) -> None:
    """By the norm of all of it, or every number by itself; nan stays nan."""
    real = gradient.dtype.type
    if plan.clip == BY_NORM and grad_norm > rates.clip_at:
        factor = real(rates.clip_at / grad_norm)
        for k in range(0, gradient.size, lanes(gradient)):
            store(load(gradient, k) * factor, gradient, k)
    elif plan.clip == BY_VALUE:
        most = real(rates.clip_at)
        for k in range(0, gradient.size, lanes(gradient)):
            store(clamped(load(gradient, k), -most, most), gradient, k)


@njit(**PART)
def update(plan: Any, rates: Any, learned: Any) -> None:
    """By torch's rules: Adam (Kingma and Ba 2015), RMSprop (Tieleman and Hinton 2012), SGD with momentum."""
    weights, gradient, first, second = learned.weights, learned.gradient, learned.first, learned.second
    real, count = weights.dtype.type, learned.begun[0]
    least, lr, momentum = real(1e-8), real(rates.lr), real(rates.momentum)
    keep, added = real(0.999 if plan.optimizer == ADAM else 0.9), real(0.001 if plan.optimizer == ADAM else 0.1)
    rate, unbiased = real(rates.lr / (1 - 0.9**count)), real(np.sqrt(1 - 0.999**count))
    for k in range(0, weights.size, lanes(weights)):
        g, m, v = load(gradient, k), load(first, k), load(second, k)
        if plan.optimizer == SGD:
            m = momentum * m + g
            step = lr * m
        else:
            v = keep * v + added * g * g
            if plan.optimizer == ADAM:
                m = m + real(0.1) * (g - m)
                step = rate * m / (root(v) / unbiased + least)
            else:
                step = lr * g / (root(v) + least)
        store(m, first, k)
        store(v, second, k)
        store(load(weights, k) - step, weights, k)
