"""Does the gauge of the step length say on which side of the valley a training step ends?"""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_core import Experiment, train
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import measured, missing
from lstm_core.charts.points import Curve
from lstm_core.charts.step_length import ENDS
from lstm_core.data import batch_of, samples
from lstm_core.measurements.checkpoints import kept
from lstm_core.measurements.step_length import Descent, normalised_length, step_length, step_lengths
from lstm_core.network import Network

SMALL = Experiment(
    cell="rnn", length=8, hidden=5, batch=6, steps=12, precision="float64", engine="reference", optimizer="sgd", lr=0.05
)
OPTIMIZERS: dict[str, Any] = {
    "adam": lambda weights: torch.optim.Adam(weights, SMALL.lr),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, SMALL.lr, alpha=0.9),
    "sgd": lambda weights: torch.optim.SGD(weights, SMALL.lr, momentum=SMALL.momentum),
}


def by_least_squares(descent: Descent) -> float:
    """alpha of numpy's solution, as the authors' program has it: 2 t over the far side, less 1."""
    seen = np.array([[1, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 2]])
    (_height, slope, bend), *_ = np.linalg.lstsq(seen, np.array(descent), rcond=None)
    if slope >= 0:
        return math.inf
    return -1.0 if bend <= 0 else float(2 / (-slope / bend) - 1)


def test_the_parabola_is_that_of_least_squares() -> None:
    drawn = np.random.default_rng(0).standard_normal((200, 4))
    valleys = [Descent(a, b, -2 - abs(s), 2 + e) for a, b, s, e in drawn.tolist()]
    for descent in valleys:
        assert normalised_length(descent) == pytest.approx(by_least_squares(descent), rel=1e-9)


@pytest.mark.parametrize(("rate", "alpha"), [(0.0, -1.0), (0.5, -0.5), (1.0, 0.0), (1.5, 0.5), (2.0, 1.0), (3.0, 2.0)])
def test_gradient_descent_in_a_valley_of_curvature_l_has_the_rate_times_l_less_1(rate: float, alpha: float) -> None:
    curvature, at = 7.0, 0.3
    step = -rate / curvature * curvature * at
    before, after = (curvature * w**2 / 2 for w in (at, at + step))
    slopes = curvature * at * step, curvature * (at + step) * step
    assert normalised_length(Descent(before, after, *slopes)) == pytest.approx(alpha, abs=1e-12)


@pytest.mark.parametrize(
    ("descent", "alpha"),
    [
        (Descent(1.0, 0.0, -1.0, -1.0), -1.0),
        (Descent(1.0, -1.0, -1.0, -3.0), -1.0),
        (Descent(1.0, 3.0, 1.0, 3.0), math.inf),
        (Descent(1.0, math.nan, -1.0, math.nan), math.inf),
        (Descent(1.0, math.inf, -1.0, -1.0), math.inf),
    ],
    ids=["straight down", "ever steeper", "climbing", "no number after", "infinite after"],
)
def test_what_has_no_floor_ahead_is_at_an_end_of_the_scale(descent: Descent, alpha: float) -> None:
    assert normalised_length(descent) == alpha


class Plain(nn.Module):
    """The vanilla RNN of torch and a readout of its last hidden state, with the first weights of an experiment."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        network = Network(experiment)
        p = network.layer.tensors()
        self.layer = nn.RNN(p.input.shape[1], experiment.hidden, dtype=torch.float64)
        self.readout = nn.Linear(experiment.hidden, 1, dtype=torch.float64)
        names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
        values = p.input, p.recurrent, p.bias, torch.zeros_like(p.bias)
        self.layer.load_state_dict(dict(zip(names, values, strict=True)))
        self.readout.load_state_dict(network.readout.state_dict())
        self.layer.get_parameter("bias_hh_l0").requires_grad_(False)

    @property
    def trained(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def gradient(self, inputs: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        self.zero_grad()
        loss = (self.readout(self.layer(inputs)[0][-1]) - targets).square().mean()
        loss.backward()
        return loss.item(), torch.cat([parameter.grad.flatten() for parameter in self.trained])  # type: ignore[union-attr]


def plainly(experiment: Experiment) -> Iterator[float]:
    """alpha of every training step, by torch's own layer, optimizer and clipping."""
    network = Plain(experiment)
    optimizer = OPTIMIZERS[experiment.optimizer](network.trained)
    for inputs, targets in islice(samples(experiment), experiment.steps):
        start = nn.utils.parameters_to_vector(network.trained).detach()
        before, steepness = network.gradient(inputs, targets)
        if experiment.clip == "norm":
            for parameter in network.trained:
                assert parameter.grad is not None
                parameter.grad.mul_(min(1.0, experiment.clip_at / float(steepness.norm())))
        optimizer.step()
        update = nn.utils.parameters_to_vector(network.trained).detach() - start
        after, steepness_after = network.gradient(inputs, targets)
        yield by_least_squares(Descent(before, after, float(steepness @ update), float(steepness_after @ update)))


@pytest.mark.parametrize("clip", ["none", "norm"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_of_every_step_of_a_training_it_is_what_plain_torch_finds(optimizer: str, clip: str) -> None:
    experiment = replace(SMALL, optimizer=optimizer, clip=clip, clip_at=0.1)
    expected = list(plainly(experiment))
    found = [alpha for _snapshot, alpha in step_lengths(experiment)]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    of_checkpoints = {at.step: step_length(at) for at in kept(experiment, train(experiment, 3, 6))}
    assert of_checkpoints == {step: found[step - 1] for step in (1, 6, 12)}


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_updated_weights_are_those_of_the_next_step(optimizer: str, engine: str) -> None:
    """To the last digit where torch makes the update, as far as rounding goes where a kernel does."""
    experiment = replace(SMALL, optimizer=optimizer, engine=engine, cell="lstm", clip_at=0.1)
    told = list(train(experiment, 1, 1))
    for one, following in pairwise(told):
        assert one.updated is not None
        assert following.weights is not None
        rounding = 0 if engine == "reference" else 1e-14
        torch.testing.assert_close(one.updated, following.weights, rtol=rounding, atol=rounding)
        assert not torch.equal(one.updated, one.weights if one.weights is not None else one.updated)


def test_a_batch_is_that_which_the_training_step_saw() -> None:
    for step, batch in enumerate(islice(samples(SMALL), 40), start=1):
        assert all(map(torch.equal, batch, batch_of(SMALL, step)))


def drawn(curves: list[Curve]) -> Any:
    chart = CHARTS["step_length"]
    shown = chart.table(measured(curves, chart.needs)).to_pandas()
    return shown[shown.kind == "racer"]


def test_the_chart_has_a_point_for_every_checkpoint_and_marks_what_is_beyond_it() -> None:
    experiment = replace(SMALL, optimizer="rmsprop", clip_at=0.1)
    shown = drawn([Curve("it", experiment, list(train(experiment, 1, 1)))])
    alphas = [alpha for _snapshot, alpha in step_lengths(experiment)]
    assert shown.x.tolist() == list(range(1, 13))
    assert shown.y.tolist() == pytest.approx([min(alpha, ENDS[1]) for alpha in alphas], rel=1e-9)
    assert shown.off.tolist() == ["overflow" if alpha > ENDS[1] else "" for alpha in alphas]
    assert set(shown.off) == {"overflow", ""}


@pytest.mark.parametrize("network", [{"layers": 2, "wiring": "dense"}, {"window": 3}, {"task": "copy"}], ids=str)
def test_stacks_windows_and_tasks_with_classes_have_it_too(network: dict[str, Any]) -> None:
    experiment = replace(SMALL, steps=3, **network)
    assert len(drawn([Curve("it", experiment, list(train(experiment, 1, 1)))])) == 3


def test_before_the_first_snapshot_there_is_no_step_to_measure() -> None:
    assert missing(Curve("it", SMALL, []), CHARTS["step_length"].needs) == []


def test_at_a_rate_that_diverges_the_far_side_is_reached_before_the_loss_rises() -> None:
    """Of gradient descent: the step that ends above its start is told before the loss that it leads to."""
    slow, fast = (replace(SMALL, momentum=0.0, lr=lr, clip="none", hidden=16, batch=32) for lr in (0.03, 1.0))
    told = list(step_lengths(fast))
    assert told[0][1] > 1
    assert told[1][0].loss > 2 * told[0][0].loss
    assert all(alpha < 0 for _snapshot, alpha in step_lengths(slow))


def test_of_a_training_that_ends_without_numbers_the_last_step_is_beyond_the_scale() -> None:
    told = list(step_lengths(replace(SMALL, lr=100.0, clip="none", precision="float32", steps=60)))
    assert told[-1][0].ended == "diverged"
    assert told[-1][1] == math.inf
