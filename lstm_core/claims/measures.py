"""
What did a network do that a statement is about? One number for each question, from its weights before and after
training.

Ratios are given as log10: 0 for as large, -1 for a tenth.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Parameters, unroll
from lstm_core.claims.results import SeedResult
from lstm_core.engine import REFERENCE_ENGINE
from lstm_core.measurements import checkpoints, forecast, stacks
from lstm_core.measurements.ablations import held_open
from lstm_core.measurements.checkpoints import (
    Checkpoint,
    first_inputs,
    one_sequence,
)
from lstm_core.measurements.gradients import backward, jacobians, spectral_norms, walk
from lstm_core.measurements.stacks import features
from lstm_core.measurements.unseen import another
from lstm_core.streams import Purpose, stream

# What is smaller than a double can be counts as the smallest one.
SMALLEST = torch.finfo(torch.float64).tiny
WIDE_OPEN = 50.0
Seen = TypeVar("Seen")
SCALES = (1e-6, 1e-8)


@lru_cache(32)
def seen(what: Callable[[Checkpoint], Seen], checkpoint: Checkpoint) -> Seen:
    """What is measured of a checkpoint, once for all questions to the same seed."""
    return what(checkpoint)


def floored_log10(value: float | Tensor) -> float:
    """log10 of what is not negative, 0 counting as the smallest double."""
    return math.log10(max(float(value), SMALLEST))


def held_out_loss(result: SeedResult) -> float:
    """The loss at the end on sequences that it was not trained on."""
    return seen(checkpoints.held_out_loss, result.after)


def lower_held_out_loss(one: SeedResult, other: SeedResult) -> float:
    """The loss of one over that of another, as log10, on sequences that neither was trained on."""
    return floored_log10(held_out_loss(one) / held_out_loss(other))


def lowest_error(results: Sequence[SeedResult]) -> float:
    """
    The RMSE on the test part, as log10, of that network among several that the validation part picks; nan where none
    has weights that are numbers.
    """
    whole = [result for result in results if result.end is not None]
    if not whole:
        return math.nan
    picked = min(whole, key=lambda one: forecast.validation_errors(one.experiment, one.after.weights).rmse)
    return floored_log10(forecast.scores(picked.experiment, picked.after.weights).model)


def hidden_reach(checkpoint: Checkpoint) -> float:
    """||dh_T/dh_0|| of an RNN, as log10."""
    return floored_log10(seen(checkpoints.reach, checkpoint).measured[0])


def residual_reach(checkpoint: Checkpoint) -> float:
    """The same for a residual chain with the RNN's weights."""
    return floored_log10(seen(checkpoints.reach, checkpoint).residual[0])


def cell_reach(checkpoint: Checkpoint) -> float:
    """||dc_T/dc_0|| of an LSTM, as log10."""
    return floored_log10(seen(checkpoints.highway, checkpoint).cell[0])


def direct_reach(checkpoint: Checkpoint) -> float:
    """The largest product of an LSTM's forget gates over all time steps, as log10."""
    return floored_log10(seen(checkpoints.highway, checkpoint).direct[0])


def beside_direct(checkpoint: Checkpoint) -> float:
    """The norm of what is in dc_T/dc_0 of an LSTM beside its direct path, as log10."""
    return floored_log10(seen(checkpoints.highway, checkpoint).rest[0])


def direct_error(checkpoint: Checkpoint) -> float:
    """The largest distance of the direct path of an LSTM's cell from 1, over all time steps."""
    return float((seen(checkpoints.highway, checkpoint).direct - 1).abs().max())


def over_bound(checkpoint: Checkpoint) -> float:
    """||dh_T/dh_t|| of an RNN over its bound by the norm of W_h and the true slopes, at its largest time step."""
    reach = seen(checkpoints.reach, checkpoint)
    return float((reach.measured / reach.true_slopes).max())


def below_bound(checkpoint: Checkpoint) -> float:
    """(gamma sigma_max)^T over ||dh_T/dh_0|| of an RNN, as log10."""
    reach = seen(checkpoints.reach, checkpoint)
    return floored_log10(reach.largest_slope[0]) - floored_log10(reach.measured[0])


def norm_less_radius(checkpoint: Checkpoint) -> float:
    """Spectral norm of the W_h of an RNN less its spectral radius."""
    spectrum = seen(checkpoints.recurrent_spectrum, checkpoint)
    return spectrum.norm - spectrum.radius


def steepest_slope(name: str) -> float:
    """Of an activation from -10 to 10, by torch's autograd."""
    x = torch.linspace(-10, 10, 20_001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(ACTIVATIONS[name].function(x).sum(), x)
    return float(slope.max())


def largest_state(checkpoint: Checkpoint) -> float:
    """max |c| of an LSTM, or |h| of others, over the first sequence of its seed."""
    return float(seen(checkpoints.states, checkpoint).abs().max())


def change_per_step(checkpoint: Checkpoint) -> float:
    """The mean of ||s_t - s_(t-1)|| / ||s_t|| over the first sequence, the state s being c of an LSTM, h of others."""
    states = seen(checkpoints.states, checkpoint)[1:]
    return float((states.diff(dim=0).norm(dim=1) / states[1:].norm(dim=1)).mean())


def likeness_to_identity(checkpoint: Checkpoint) -> float:
    """
    tr J / (sqrt(H) ||J||_F), the cosine between J and the identity: 1 for a multiple of it, about 0 at random.
    J (H, H) is ds_t/ds_(t-1), the state s being c of an LSTM, h of others; the mean over the time steps.
    """
    p, cell = checkpoint.parameters(), checkpoint.cell
    path = one_sequence(checkpoint)
    back, size = backward(p, cell, path), checkpoint.experiment.hidden
    last = len(path.states) - 1
    rows = torch.eye(path.state_size, dtype=torch.float64)[last * size : (last + 1) * size, None]
    steps = [back(t, rows)[:, 0, last * size : (last + 1) * size] for t in range(1, len(path.inputs) + 1)]
    return math.fsum(float(j.trace() / (math.sqrt(size) * j.norm())) for j in steps) / len(steps)


def rank_per_feature(checkpoint: Checkpoint) -> float:
    """The effective rank of what the readout sees over the number of features, as log10."""
    found = seen(features, checkpoint)
    return math.log10(found.rank / found.number)


def correlation(checkpoint: Checkpoint) -> float:
    """Of the features that the readout sees, the mean |correlation| of pairs."""
    return seen(features, checkpoint).correlation


def input_slope(checkpoint: Checkpoint) -> float:
    """How steeply its answer changes with its input, as log10."""
    return floored_log10(seen(stacks.input_slope, checkpoint))


def first_layer_share(checkpoint: Checkpoint) -> float:
    """||dL/dh|| of the first layer over that of the last, as log10."""
    norms = seen(stacks.layer_gradients, checkpoint)
    return floored_log10(norms[0] / norms[-1])


def read_below(checkpoint: Checkpoint) -> float:
    """The share of the readout's squared weights that is on anything below the last layer."""
    squares = [norm**2 for norm in seen(stacks.readout_norms, checkpoint).values()]
    return 1 - squares[-1] / sum(squares)


def output_difference(one: Checkpoint, other: Checkpoint) -> float:
    """The largest difference between what two networks' readouts see of the same held-out sequences."""
    inputs, _ = another(one.experiment, stacks.FEATURE_SEQUENCES)
    features = []
    for network in (one.network(), other.network()):
        # The fused engine computes both layouts as one.
        network.stack.engine = REFERENCE_ENGINE
        features.append(network.features(inputs))
    return float((features[0] - features[1]).abs().max())


def shortest_path(checkpoint: Checkpoint) -> float:
    """
    Jacobians on the shortest path from h_T to h_0 of an RNN, as a share of T: with W_h scaled by epsilon the gradient
    falls as epsilon to the power of their number.
    """
    p, cell, inputs = checkpoint.parameters(), checkpoint.cell, first_inputs(checkpoint.experiment)
    size, logs = checkpoint.experiment.hidden, []
    for scale in SCALES:
        scaled = p._replace(recurrent=scale * p.recurrent)
        path = walk(scaled, cell, inputs)
        whole = jacobians(backward(scaled, cell, path), path, [0])
        logs.append(floored_log10(spectral_norms(whole[:, :size, :size])[0]))
    return (logs[0] - logs[1]) / (floored_log10(SCALES[0]) - floored_log10(SCALES[1])) / len(inputs)


def output_gate_error(checkpoint: Checkpoint) -> float:
    """The largest difference between the hidden states of an LSTM whose output gate is wide open and of one without."""
    p, cell, inputs = checkpoint.parameters(), checkpoint.cell, first_inputs(checkpoint.experiment)
    size, at = checkpoint.experiment.hidden, cell.rows.index("o")
    rows = slice(at * size, (at + 1) * size)
    recurrent, fed, bias = p.recurrent.clone(), p.input.clone(), p.bias.clone()
    recurrent[rows], fed[rows], bias[rows] = 0, 0, WIDE_OPEN
    wide = walk(p._replace(recurrent=recurrent, input=fed, bias=bias), cell, inputs)
    none = walk(*held_open(p, cell, "o"), inputs)
    return float((wide.hidden - none.hidden).abs().max())


def _any_state(checkpoint: Checkpoint) -> tuple[Parameters, Tensor, Tensor, Tensor]:
    """Weights, an input (1, 1, D), and states (1, H) in the middle of nowhere, for a single step."""
    rng = stream(checkpoint.experiment.seed, Purpose.PROBES)
    h, c = torch.from_numpy(rng.standard_normal((2, 1, checkpoint.experiment.hidden)))
    return checkpoint.parameters(), first_inputs(checkpoint.experiment)[:1], h.tanh(), c


def gate_spill(checkpoint: Checkpoint) -> float:
    """How far a gate or candidate reaches into other units' cells in a step: the largest |dc'_j/da_k|, j not k, over
    the largest with j = k."""
    p, x, h, c = _any_state(checkpoint)
    cell = checkpoint.cell

    def after(bias: Tensor) -> Tensor:
        return unroll(x, (h, c), p._replace(bias=bias), cell).final[1][0]

    whole = torch.autograd.functional.jacobian(after, p.bias)
    blocks = torch.stack(whole.split(checkpoint.experiment.hidden, 1)).abs()
    own = torch.eye(checkpoint.experiment.hidden, dtype=torch.bool)
    return float(blocks[:, ~own].max() / blocks[:, own].max())


def hadamard_error(checkpoint: Checkpoint) -> float:
    """The largest difference between the cell state of torch's own LSTMCell and f * c + i * g, element by element."""
    p, x, h, c = _any_state(checkpoint)
    theirs = nn.LSTMCell(x.shape[2], len(h[0]), bias=False, dtype=torch.float64)
    theirs.weight_ih.data, theirs.weight_hh.data = p.input, p.recurrent
    with torch.no_grad():
        _, after = theirs(x[0], (h, c))
        i, f, g, _ = (linear(x[0], p.input) + linear(h, p.recurrent)).chunk(4, 1)
        return float((after - (f.sigmoid() * c + i.sigmoid() * g.tanh())).abs().max())
