"""Do the charts of depth show the layers as they are, and a fixed training set for what it is?"""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from lstm_core import Experiment, train
from lstm_core.charts import depth
from lstm_core.charts.points import Curve
from lstm_core.data import samples
from lstm_core.measurements import checkpoints, stacks
from lstm_core.network import Network, parameter_count
from lstm_core.openings.presets import WIRING_RACERS, variants, within_budget

BASE = Experiment(layers=3, length=12, hidden=6, batch=4, steps=30)
CURVES = [
    Curve(label, experiment, list(train(experiment, 5, 10)))
    for label, experiment in variants(BASE, WIRING_RACERS).items()
]


def line(table: object, series: str, part: str = "") -> pd.DataFrame:
    rows = table.to_pandas()  # type: ignore[attr-defined]
    return rows[(rows.kind == "racer") & (rows.series == series) & (rows.part == part)]


def last(curve: Curve) -> checkpoints.Checkpoint:
    return curve.checkpoint(curve.steps[-1])


def test_the_gradient_by_layer_is_that_of_the_last_snapshot() -> None:
    for curve in CURVES:
        shown = line(depth.gradient_by_layer(CURVES), curve.label)
        assert shown.x.tolist() == [1, 2, 3]
        assert shown.y.tolist() == list(curve.snapshots[-1].layer_grad_norms)


def test_the_first_layers_share_is_a_ratio_for_every_snapshot() -> None:
    shown = line(depth.first_layer_by_step(CURVES), "plain")
    norms = [snapshot.layer_grad_norms for snapshot in CURVES[0].snapshots]
    assert shown.y.tolist() == [first / last for first, _, last in norms]


def test_the_loss_stands_at_the_number_of_weights() -> None:
    for curve in CURVES:
        shown = line(depth.loss_by_weights(CURVES), curve.label)
        assert shown.x.tolist() == [parameter_count(curve.experiment)]


def test_the_axis_of_weights_has_room_for_every_racer_and_the_constant_predictor_goes_all_along_it() -> None:
    table = depth.loss_by_weights(CURVES).to_pandas()
    ends, constant, racers = (table[table.kind == kind].x for kind in ("frame", "reference", "racer"))
    assert set(ends) == set(constant) == {0, max(ends)}
    assert max(ends) >= max(racers)


@pytest.mark.parametrize("copies", [1, 3])
def test_the_effective_rank_of_equal_directions_is_their_number(copies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that take `copies` orthogonal directions equally; twice each, so that pairs are correlated."""
    directions = torch.nn.init.orthogonal_(torch.empty(200, 6).double(), generator=torch.Generator().manual_seed(0))
    directions = torch.linalg.qr(directions - directions.mean(0))[0]
    seen = torch.cat([directions[:, :copies]] * 2, 1)
    monkeypatch.setattr(Network, "features", lambda network, inputs: seen)
    features = stacks.features(last(CURVES[0]))
    assert features.rank == pytest.approx(copies)
    assert features.correlation == pytest.approx(copies / (copies * (2 * copies - 1)))


def test_features_are_what_the_readout_sees_without_the_input() -> None:
    widths = []
    for curve in CURVES:
        network = last(curve).network()
        inputs = torch.rand(12, 5, 2).double()
        seen = network.features(inputs)
        assert torch.equal(
            network.readout(seen), network.answer(inputs, [network.reached(t) for t in network.stack.traces(inputs)])
        )
        widths.append(seen.shape[1])
        assert 1 <= stacks.features(last(curve)).rank <= seen.shape[1]
    assert widths == [6, 6, 6, 2 + 3 * 6]


def test_the_readouts_norms_make_up_its_whole() -> None:
    names = {}
    for curve in CURVES:
        norms = stacks.readout_norms(last(curve))
        assert math.hypot(*norms.values()) == pytest.approx(float(last(curve).network().readout.weight.norm()))
        names[curve.label] = list(norms)
    last_alone = {wiring: ["layer 3"] for wiring in ("plain", "residual", "highway")}
    assert names == last_alone | {"dense": ["input", "layer 1", "layer 2", "layer 3"]}


def test_the_shortest_path_has_a_kth_of_the_steps() -> None:
    racers = [Curve(f"{k}", dataclasses.replace(BASE, cell="rnn", layers=1, window=k), []) for k in (1, 3)]
    table = depth.shortest_path(racers)
    assert line(table, "1").y.tolist() == list(range(12, -1, -1))
    assert line(table, "3").y.tolist() == [4, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 0]


def test_a_fixed_training_set_comes_again_and_again() -> None:
    batches = samples(dataclasses.replace(BASE, sequences=5))
    seen = {tuple(column.flatten().tolist()) for _ in range(50) for column in next(batches)[0].unbind(1)}
    assert len(seen) == 5


def test_answers_stay_with_their_sequences_in_a_fixed_set() -> None:
    for task in ("adding", "copy", "latch"):
        fixed = samples(dataclasses.replace(BASE, task=task, sequences=3))
        answers: dict[tuple[float, ...], tuple[float, ...]] = {}
        for _ in range(20):
            inputs, targets = next(fixed)
            along = 1 if task == "copy" else 0
            for one, answer in zip(inputs.unbind(1), targets.unbind(along), strict=True):
                key = tuple(one.flatten().tolist())
                assert answers.setdefault(key, tuple(answer.flatten().tolist())) == tuple(answer.flatten().tolist())
        assert len(answers) == 3


def test_on_a_fixed_set_the_loss_on_held_out_sequences_is_told_and_nothing_counts_as_solved() -> None:
    experiment = Experiment(cell="gru", length=10, hidden=32, batch=8, steps=400, sequences=8, lr=0.02)
    *_, end = train(experiment, 100)
    assert end.ended == "completed"
    assert end.mean_loss < 0.01
    assert end.held_out_loss is not None
    assert end.held_out_loss > 3 * end.mean_loss
    assert next(iter(train(BASE))).held_out_loss is None


def test_the_loss_on_held_out_sequences_is_a_chart_of_its_own() -> None:
    few = dataclasses.replace(BASE, sequences=4)
    table = depth.held_out_loss([Curve("plain", few, list(train(few, 10)))])
    assert len(line(table, "plain", depth.HELD_OUT)) == len(line(table, "plain", depth.TRAINING)) > 0
    assert line(depth.held_out_loss(CURVES), "plain", depth.HELD_OUT).empty


@pytest.mark.parametrize("layers", [1, 2, 6])
@pytest.mark.parametrize("hidden", [4, 16, 64])
def test_a_budget_is_kept_and_used_up(layers: int, hidden: int) -> None:
    racers = within_budget(variants(dataclasses.replace(BASE, layers=layers, hidden=hidden), WIRING_RACERS))
    budget = parameter_count(racers["plain"])
    assert racers["plain"].hidden == hidden
    for racer in racers.values():
        assert parameter_count(racer) <= budget or racer.hidden == 1
        assert parameter_count(dataclasses.replace(racer, hidden=racer.hidden + 1)) > budget
