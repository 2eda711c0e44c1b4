"""Is the loss on longer sequences what it is called? Against networks whose answers are known at any length."""

import math
from dataclasses import replace

import pytest
import torch

from lstm_core import TASKS, Experiment, train
from lstm_core.charts import lengths as charts
from lstm_core.charts.needs import measured, missing
from lstm_core.charts.points import Curve
from lstm_core.measurements import lengths
from lstm_core.measurements.checkpoints import Checkpoint, beginning
from lstm_core.measurements.lengths import TIMES, longer
from lstm_core.network import Network
from lstm_core.streams import Purpose, stream

RECALL = Experiment(task="recall", cell="rnn", activation="identity", length=6, hidden=8)


def keeping(share: float) -> Checkpoint:
    """A linear network that keeps so much of the symbol shown first from step to step, and answers with 3 times it."""
    network = Network(RECALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.readout.weight.copy_(3 * torch.eye(8))
        p = network.layer.tensors()
        p.recurrent.copy_(share * torch.eye(8))
        p.input[:, :8].copy_(torch.eye(8))
    return Checkpoint(RECALL, 1, "", torch.nn.utils.parameters_to_vector(network.parameters()).detach())


def test_what_computes_the_same_at_any_length_has_the_same_loss_there() -> None:
    loss = math.log(1 + 7 * math.exp(-3)) / math.log(8)
    assert longer(keeping(1)) == pytest.approx({1: loss, 2: loss, 4: loss}, rel=1e-12)


def test_what_forgets_an_eighth_at_every_step_has_the_loss_of_what_is_left() -> None:
    left = {times: 3 * 0.875 ** (6 * times - 1) for times in (1, 2, 4)}
    expected = {times: math.log(1 + 7 * math.exp(-one)) / math.log(8) for times, one in left.items()}
    assert longer(keeping(0.875)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("task", [name for name, row in TASKS.items() if row.of is None])
def test_it_is_the_mean_over_sequences_of_that_length_that_no_training_sees(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are in memory at a time."""
    monkeypatch.setattr(lengths, "STATES", 4000)
    experiment, row = Experiment(task=task, length=10, hidden=4, layers=2), TASKS[task]
    checkpoint, expected = beginning(experiment), {}
    for times in TIMES:
        drawn = row.draw(10 * times, lengths.SEQUENCES, stream(0, Purpose.HELD_OUT))
        inputs, targets = (part.double() if part.is_floating_point() else part for part in drawn)
        expected[times] = checkpoint.network().loss(inputs, targets) / row.constant_loss(10 * times)
    assert longer(checkpoint) == pytest.approx(expected, rel=1e-12)


def test_at_the_length_of_a_fixed_training_set_nothing_of_it_is_asked() -> None:
    """Of recall there is nothing else, so that this length is left out."""
    fixed = replace(keeping(1), experiment=replace(RECALL, sequences=200))
    whole = longer(keeping(1))
    assert longer(fixed) == {2: whole[2], 4: whole[4]}


def test_the_chart_has_a_point_for_each_length_and_what_guessing_scores() -> None:
    experiment = Experiment(length=10, hidden=4, batch=4, steps=20)
    curves = measured([Curve("it", experiment, list(train(experiment, 5, 10)))], [charts.LONGER])
    shown = charts.loss_by_length(curves).to_pandas()
    racer = shown[shown.kind == "racer"]
    assert dict(zip(racer.x, racer.y, strict=True)) == longer(curves[0].checkpoint(20))
    assert shown[shown.kind == "reference"][["x", "y"]].to_numpy().tolist() == [[1, 1], [4, 1], [1, 0.06], [4, 0.06]]


def test_of_a_series_nothing_longer_is_measured() -> None:
    assert missing(Curve("it", Experiment(task="forecast"), []), [charts.LONGER]) == []
