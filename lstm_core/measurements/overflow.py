"""When does an sLSTM without its stabiliser fail? The time steps from which on its numbers are wrong, and none."""

from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.cells import FAMILIES, FORGET_ACTIVATIONS, Cell, Parameters
from lstm_core.streams import Rng

FEATURES, UNITS, SEQUENCES = 2, 32, 8
SIGMOID, EXP = FORGET_ACTIVATIONS
# The family that has a stabiliser.
ROW = next(row for row in FAMILIES.values() if "stabilised" in row.options)


class Failure(NamedTuple):
    """
    The first time steps, from 1, both (N,) and inf for never: at which n, by which c is divided, is infinite, so that
    h = c / n is 0 in some unit, finite and wrong; and at which some h is no finite number.
    """

    wrong: Tensor
    broken: Tensor


@torch.no_grad()
def failure(
    forget_bias: Tensor, forget: str, precision: torch.dtype, stabilised: bool, steps: int, rng: Rng
) -> Failure:
    """
    Of an sLSTM (Beck et al. 2024) for each of these forget biases, (N,), `forget` being one of `FORGET_ACTIVATIONS`, on
    so many time steps of inputs N(0, 1). Its weights are uniform in 1 / sqrt(H), its other biases 0; all N
    see the same.
    """
    bound = UNITS**-0.5
    drawn = (
        rng.uniform(-bound, bound, (FEATURES + UNITS, len(ROW.blocks) * UNITS)),
        rng.standard_normal((steps, SEQUENCES, FEATURES)),
    )
    weights, inputs = (torch.from_numpy(numbers).to(precision) for numbers in drawn)
    bias = forget_bias.to(precision)[:, None, None]
    cell = Cell(ROW.name, forget_activation=forget, stabilised=stabilised)
    p = Parameters(weights[FEATURES:].t(), weights[:FEATURES].t(), weights.new_zeros(len(weights[0])))
    states = tuple(state.expand(len(bias), -1, -1) for state in cell.start(inputs, UNITS))
    wrong, broken = (torch.full((len(forget_bias),), torch.inf, dtype=torch.float64) for _ in range(2))
    for t, x in enumerate(inputs, start=1):
        seen = torch.cat([x.expand(len(bias), -1, -1), states[0]], 2) @ weights
        blocks = dict(zip(cell.rows, seen.chunk(len(cell.rows), 2), strict=True))
        blocks["f"] = blocks["f"] + bias
        states, _gates = ROW.step(cell, p, blocks, states)
        of_letter = dict(zip(ROW.states, states, strict=True))
        wrong[of_letter["n"].isinf().any(2).any(1) & wrong.isinf()] = t
        broken[~of_letter["h"].isfinite().all(2).all(1) & broken.isinf()] = t
        if not bool(broken.isinf().any()):
            break
    return Failure(wrong, broken)
