"""Are units kept by chance while training, the same ones every time, and is all that is measured the expectation?"""

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch import Tensor

from lstm_core import Experiment, train
from lstm_core.cells import Cell, unroll
from lstm_core.cells.zoneout import drawn
from lstm_core.charts.equations import latex
from lstm_core.data import samples
from lstm_core.engine import REFERENCE_ENGINE
from lstm_core.export.layer import layer
from lstm_core.layers import Layer
from lstm_core.measurements import checkpoints, stacks
from lstm_core.measurements.gradients import backward, jacobians, walk
from lstm_core.measurements.unseen import unseen
from lstm_core.network import Network
from lstm_core.streams import Purpose, stream
from tests.test_cells import B, D, H, T, built, normal

KEEPING = Cell("lstm", zoneout_h=0.05, zoneout_c=0.5)
SMALL = Experiment(length=12, hidden=6, batch=4, steps=8, precision="float64", zoneout_h=0.05, zoneout_c=0.5)


def masks(step: int, layer: int) -> Tensor:
    """Of h and c, (2, T, B, H), by the generator's own words."""
    place = np.random.SeedSequence((SMALL.seed, Purpose.ZONEOUT), spawn_key=(step, layer))
    numbers = np.random.Generator(np.random.PCG64DXSM(place)).random((2, SMALL.time_steps, SMALL.batch, SMALL.hidden))
    return torch.from_numpy(np.stack([numbers[0] < SMALL.zoneout_h, numbers[1] < SMALL.zoneout_c]))


def written_out(one: Layer, seen: Tensor, keep_h: Tensor, keep_c: Tensor) -> Tensor:
    """Krueger et al. (2017), section 3.2: the hidden states, where units keep theirs, 1 or 0, (T, B, H)."""
    h = c = torch.zeros_like(keep_h[0])
    shown = []
    for t, x in enumerate(seen):
        i, f, g, o = (h @ one.weight_h.T + x @ one.weight_x.T + one.bias).chunk(4, 1)
        new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = keep_h[t] * h + (1 - keep_h[t]) * torch.sigmoid(o) * torch.tanh(new)
        c = keep_c[t] * c + (1 - keep_c[t]) * new
        shown.append(h)
    return torch.stack(shown)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_training_step_is_that_of_the_paper_with_the_masks_of_its_stream(layers: int) -> None:
    """d keeps the old state, and h is shown of what c would have been. The first two losses."""
    experiment = dataclasses.replace(SMALL, layers=layers, lr=1e-8)
    network, batches = Network(experiment).requires_grad_(False), samples(experiment)
    for step, snapshot in zip((1, 2), train(experiment), strict=False):
        seen, targets = next(batches)
        for number, one in enumerate(network.stack.layer_list):
            seen = written_out(one, seen, *masks(step, number).double())
        assert snapshot.loss == pytest.approx(float(network.task.loss(network.readout(seen[-1]), targets)), rel=1e-6)
        assert snapshot.engine == REFERENCE_ENGINE


def test_the_masks_depend_on_seed_step_and_layer_and_on_no_order() -> None:
    def of(seed: int, step: int, layer: int) -> bytes:
        return drawn(KEEPING, T, B, H, stream(seed, Purpose.ZONEOUT, step, layer)).numpy().tobytes()

    places = [(seed, step, layer) for seed in (0, 1) for step in (1, 2, 300) for layer in (0, 1, 5)]
    forward, back = {at: of(*at) for at in places}, {at: of(*at) for at in reversed(places)}
    assert forward == back
    assert len(set(forward.values())) == len(places)


def test_a_place_of_a_stream_is_another_stream_and_no_place_is_the_stream_itself() -> None:
    """SeedSequence fills up with zeros what is short: a place of zeros is none of these."""
    begun = [stream(3, Purpose.DATA, *place).integers(2**62) for place in ((), (0,), (0, 0), (0, 1), (1, 0))]
    assert len(set(begun)) == 5
    assert begun[0] == stream(3, Purpose.DATA).integers(2**62)


def test_as_many_units_keep_their_states_as_is_asked_for() -> None:
    held = drawn(KEEPING, 50, 40, 30, stream(0, Purpose.ZONEOUT, 1, 0)).double()
    assert held.mean((1, 2, 3)).tolist() == pytest.approx([0.05, 0.5], abs=0.01)


def test_equal_experiments_are_trained_bitwise_equally_however_they_are_recorded() -> None:
    every, some = list(train(SMALL, weights_every=4)), list(train(SMALL, 4, 4))
    assert every == list(train(SMALL, weights_every=4))
    assert [one.loss for one in every if one.step in (1, 4, 8)] == [one.loss for one in some]
    assert every[-1].weights is not None
    assert some[-1].weights is not None
    assert torch.equal(every[-1].weights, some[-1].weights)


def test_the_mean_over_many_masks_of_a_step_is_the_expectation() -> None:
    """Of one time step, which is linear in the mask."""
    (one,), x, start = (
        built(KEEPING).requires_grad_(False).layer_list,
        normal(1, 1, D, seed=1),
        (normal(1, H, seed=2), normal(1, H, seed=3)),
    )
    many, p = 40_000, one.tensors()
    held = drawn(KEEPING, 1, many, H, stream(0, Purpose.ZONEOUT, 1, 0))
    wide = tuple(state.expand(many, H) for state in start)
    trace, expected = unroll(x.expand(1, many, D), wide, p, KEEPING, held), unroll(x, start, p, KEEPING)
    for state, mean in zip(trace.final, expected.final, strict=True):
        torch.testing.assert_close(state.mean(0, keepdim=True), mean, rtol=0, atol=0.02)
        assert float(state.std(0).min()) > 0.01


@pytest.mark.parametrize("layers", [1, 2])
def test_nothing_is_kept_by_chance_in_what_is_measured(layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = dataclasses.replace(SMALL, layers=layers, sequences=8)
    snapshots = list(train(experiment, weights_every=1))
    checkpoint = checkpoints.kept(experiment, snapshots)[-1]
    monkeypatch.setattr("lstm_core.training.step_by_step.drawn", lambda *_: pytest.fail("a mask was drawn"))
    assert stacks.layer_gradients(checkpoint) == stacks.layer_gradients(checkpoint)
    network, (seen, targets) = checkpoint.network(), unseen(experiment, 200)
    for one in network.stack.layer_list:
        share = torch.ones(len(seen), seen.shape[1], SMALL.hidden, dtype=torch.float64)
        seen = written_out(one, seen, SMALL.zoneout_h * share, SMALL.zoneout_c * share)
    expected = float(network.task.loss(network.readout(seen[-1]), targets))
    assert snapshots[-1].held_out_loss == pytest.approx(expected, rel=1e-12)
    assert checkpoints.held_out_loss(checkpoint) != pytest.approx(snapshots[-1].loss)


def test_its_jacobians_are_those_of_the_expectation() -> None:
    """By differences of its own path, c nudged before the first step."""
    p, x, nudge = built(KEEPING).layer_list[0].tensors().each(Tensor.detach), normal(T, 1, D, seed=9), 1e-6
    path = walk(p, KEEPING, x)
    whole = jacobians(backward(p, KEEPING, path), path, [0])[0]
    for unit in range(H):
        start = KEEPING.start(x, H)
        start[1][0, unit] += nudge
        moved = torch.cat(unroll(x, start, p, KEEPING).final, 1)[0]
        at_rest = torch.cat([state[-1, 0] for state in path.states])
        torch.testing.assert_close(whole[:, H + unit], (moved - at_rest) / nudge, rtol=1e-4, atol=1e-8)


def test_its_direct_path_is_the_whole_jacobian_of_c_without_recurrent_weights() -> None:
    checkpoint = checkpoints.beginning(dataclasses.replace(SMALL, gain=0.0))
    way = checkpoints.highway(checkpoint)
    torch.testing.assert_close(way.cell, way.direct, rtol=1e-12, atol=0)
    plain = checkpoints.highway(checkpoints.beginning(dataclasses.replace(SMALL, gain=0.0, zoneout_c=0.0)))
    assert bool((way.direct[:-1] > plain.direct[:-1]).all())


def test_who_keeps_half_by_chance_has_a_time_constant_that_is_twice_as_long() -> None:
    plain = checkpoints.time_constants(checkpoints.beginning(dataclasses.replace(SMALL, gain=0.0, zoneout_c=0.0)))
    half = checkpoints.time_constants(checkpoints.beginning(dataclasses.replace(SMALL, gain=0.0, zoneout_h=0.0)))
    torch.testing.assert_close(half, 2 * plain, rtol=1e-12, atol=0)


def test_kernels_and_scripts_that_do_not_know_it_say_so_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^engine: 'fused' has no kernel for zoneout_h, zoneout_c, choose auto or "):
        dataclasses.replace(SMALL, engine="fused")
    with pytest.raises(ValueError, match=r"^zoneout_c: 0.5 has no code of its own$"):
        layer(dataclasses.replace(SMALL, zoneout_h=0.0))


def test_its_equations_have_a_mask_for_each_state_that_is_kept() -> None:
    both, one = latex(SMALL), latex(dataclasses.replace(SMALL, zoneout_h=0.0))
    assert r"d_{h,t} &\sim \mathrm{Bernoulli}(0.05)" in both
    assert r"c_t &= d_{c,t} \odot c_{t-1} + (1 - d_{c,t}) \odot u_t" in both
    assert "d_{h,t}" not in one
    assert r"h_t &= o_t \odot \tanh(u_t)" in one


def test_json_keeps_it_and_older_records_mean_none() -> None:
    assert Experiment.from_json(SMALL.to_json()) == SMALL
    fields = json.loads(SMALL.to_json())
    del fields["zoneout_h"], fields["zoneout_c"]
    assert Experiment.from_json(json.dumps(fields)) == dataclasses.replace(SMALL, zoneout_h=0.0, zoneout_c=0.0)
