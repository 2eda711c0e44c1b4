"""What does a network answer, and how wrong is it? The readout in numba, two losses, and the way back from them."""

from typing import Any

import numpy as np

from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import exp, inner
from lstm_core.kernels.matrix import Matrix, clear
from lstm_core.kernels.vectors import lanes, load, store


@inner
def read(plan: Any, learned: Any, shown: Matrix, work: Any, at: Any) -> None:
    """Answers (M, O) = shown W^T + b"""
    width, outputs, count = plan.width, plan.outputs, plan.answers
    for o in range(outputs):
        for k in range(width):
            work[at.readout + k * outputs + o] = learned.weights[o * width + k]
    for m in range(count):
        for o in range(outputs):
            work[at.answer + m * outputs + o] = learned.weights[outputs * width + o]
    readout, answer = Matrix(work, at.readout, outputs), Matrix(work, at.answer, outputs)
    product(shown, readout, answer, count, width, outputs, True)


@inner
def read_backward(plan: Any, learned: Any, shown: Matrix, work: Any, at: Any, dshown: Matrix) -> None:
    """dW = danswer^T shown     db = sum of danswer     dshown = danswer W"""
    width, outputs, count = plan.width, plan.outputs, plan.answers
    clear(learned.gradient, 0, outputs * (width + 1))
    danswer, gradient = Matrix(work, at.danswer, outputs), Matrix(learned.gradient, 0, width)
    add_transposed_product(danswer, shown, gradient, count, outputs, width)
    for m in range(count):
        for o in range(outputs):
            learned.gradient[outputs * width + o] += work[at.danswer + m * outputs + o]
    product(danswer, Matrix(learned.weights, 0, width), dshown, count, outputs, width, False)


@inner
def squared_error(plan: Any, data: Any, begin: int, work: Any, at: Any) -> float:
    """The mean over all answers, and its gradient."""
    count, total = plan.answers * plan.outputs, 0.0
    for m in range(plan.answers):
        value = (m // plan.batch * data.sequences + begin + m % plan.batch) * plan.outputs
        for o in range(plan.outputs):
            k = m * plan.outputs + o
            error = np.float64(work[at.answer + k]) - np.float64(data.values[value + o])
            total += error * error
            work[at.danswer + k] = 2 * error / count
    return total / count


@inner
def cross_entropy(plan: Any, data: Any, begin: int, work: Any, at: Any) -> float:
    """The mean over all answers, in nats, and its gradient, (softmax - one-hot) / M."""
    outputs, count, total = plan.outputs, plan.answers, 0.0
    for m in range(count):
        answer, danswer = at.answer + m * outputs, at.danswer + m * outputs
        top = work[answer]
        for o in range(1, outputs):
            top = max(top, work[answer + o])
        for o in range(outputs):
            work[danswer + o] = work[answer + o] - top
        total -= work[danswer + label_of(plan, data, begin, m)]
    for k in range(at.danswer, at.danswer + count * outputs, lanes(work)):
        store(exp(load(work, k)), work, k)
    for m in range(count):
        danswer, whole = at.danswer + m * outputs, 0.0
        for o in range(outputs):
            whole += work[danswer + o]
        total += np.log(whole)
        for o in range(outputs):
            work[danswer + o] = work[danswer + o] / (whole * count)
        work[danswer + label_of(plan, data, begin, m)] -= 1 / count
    return total / count


@inner
def label_of(plan: Any, data: Any, begin: int, m: int) -> int:
    """The right class of answer m, of the batch that begins with sequence `begin`."""
    return int(data.labels[m // plan.batch * data.sequences + begin + m % plan.batch])


@inner
def hits(plan: Any, data: Any, begin: int, work: Any, at: Any) -> int:
    """How many of the answers that count have the right class in front; nan is in front of all numbers, as in torch."""
    right = 0
    for m in range(plan.scored, plan.answers):
        answer = at.answer + m * plan.outputs
        best = answer
        for k in range(answer + 1, answer + plan.outputs):
            if work[k] > work[best] or (work[k] != work[k] and work[best] == work[best]):
                best = k
        right += best - answer == label_of(plan, data, begin, m)
    return right
