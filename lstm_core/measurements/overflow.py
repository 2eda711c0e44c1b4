"""When does an sLSTM without its stabiliser fail? The time steps from which on its numbers are wrong, and none."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lstm_core.streams import Rng

FEATURES, UNITS, SEQUENCES = 2, 32, 8
GATES = 4
EXP, SIGMOID = "exp", "sigmoid"


class Failure(NamedTuple):
    """
    The first time steps, from 1, both (N,) and inf for never: at which n, by which c is divided, is infinite, so that
    h = c / n is 0 in some unit, finite and wrong; and at which some h is no finite number.
    """

    wrong: Tensor
    broken: Tensor


class _States(NamedTuple):
    """(N, B, H) each."""

    hidden: Tensor
    cell: Tensor
    normaliser: Tensor
    stabiliser: Tensor


@torch.no_grad()
def failure(
    forget_bias: Tensor, forget: str, precision: torch.dtype, stabilised: bool, steps: int, rng: Rng
) -> Failure:
    """
    Of an sLSTM (Beck et al. 2024) for each of these forget biases, (N,), with f = exp or the sigmoid, on so many time
    steps of inputs N(0, 1). Its weights are uniform in 1 / sqrt(H), its other biases 0; all N see the same.
    """
    bound = UNITS**-0.5
    drawn = (
        rng.uniform(-bound, bound, (FEATURES + UNITS, GATES * UNITS)),
        rng.standard_normal((steps, SEQUENCES, FEATURES)),
    )
    weights, inputs = (torch.from_numpy(numbers).to(precision) for numbers in drawn)
    bias = forget_bias.to(precision)[:, None, None]
    zero = torch.zeros(len(forget_bias), SEQUENCES, UNITS, dtype=precision)
    states = _States(zero, zero, zero, torch.full_like(zero, -torch.inf if stabilised else 0))
    wrong, broken = (torch.full((len(forget_bias),), torch.inf, dtype=torch.float64) for _ in range(2))
    for t, x in enumerate(inputs, start=1):
        seen = torch.cat([x.expand(len(bias), -1, -1), states.hidden], 2) @ weights
        states = _step(seen, bias, forget, stabilised, states)
        wrong[states.normaliser.isinf().any(2).any(1) & wrong.isinf()] = t
        broken[~states.hidden.isfinite().all(2).all(1) & broken.isinf()] = t
        if not bool(broken.isinf().any()):
            break
    return Failure(wrong, broken)


def _step(seen: Tensor, bias: Tensor, forget: str, stabilised: bool, states: _States) -> _States:
    """
    c' = f c + i z      n' = f n + i      h' = o c' / n', all of c, n and i times e^-m where it is `stabilised`, with
    m' = max(log f + m, log i), from minus infinity on.
    """
    _hidden, cell, normaliser, before = states
    log_i, pre_f, pre_z, pre_o = seen.chunk(GATES, 2)
    log_f = logsigmoid(pre_f + bias) if forget == SIGMOID else pre_f + bias
    after = torch.maximum(log_f + before, log_i) if stabilised else before
    f, i = torch.exp(log_f + before - after), torch.exp(log_i - after)
    cell, normaliser = f * cell + i * torch.tanh(pre_z), f * normaliser + i
    return _States(torch.sigmoid(pre_o) * cell / normaliser, cell, normaliser, after)
