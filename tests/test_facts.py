"""Do the numbers that the pages lean on hold here? Exact ones, and orders of magnitude over five seeds."""

import math
import statistics
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from lstm_core import LSTM, Experiment
from lstm_core.cells import Cell, Parameters, unroll
from lstm_core.layers import Stack
from lstm_core.measurements import checkpoints, gradients
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.gradients import backward, jacobians, spectral_norms, walk
from lstm_core.network import Network
from lstm_core.training.train import train
from tests.test_cells import GATE_SETS

SEEDS = range(5)


def untrained(**changes: Any) -> Checkpoint:
    """The weights that an experiment starts from."""
    experiment = Experiment(length=changes.pop("length", 100), precision="float64", **changes)
    parameters = Network(experiment).parameters()
    return Checkpoint(experiment, 0, "reference", torch.cat([parameter.detach().flatten() for parameter in parameters]))


def magnitudes(values: list[Tensor]) -> list[float]:
    """Decimal logarithms."""
    return [math.log10(float(value)) for value in values]


@pytest.mark.parametrize("gates", [gates for gates in GATE_SETS if "f" not in gates])
def test_without_a_forget_gate_the_direct_path_is_1_exactly_and_the_jacobian_is_not(gates: str) -> None:
    checkpoint = untrained(gates=gates, hidden=8, length=20)
    way = checkpoints.highway(checkpoint)
    assert way.direct.tolist() == [1.0] * len(way.steps)
    assert float(way.rest[0]) > 1e-6
    p = checkpoint.parameters()
    cut = p._replace(recurrent=torch.zeros_like(p.recurrent))
    path = walk(cut, checkpoint.cell, checkpoints.first_inputs(checkpoint.experiment))
    whole = jacobians(backward(cut, checkpoint.cell, path), path, [0])[0]
    assert torch.equal(whole[8:, 8:], torch.eye(8).double())


@pytest.mark.parametrize(("bias", "steps"), [(0.0, 2.0), (1.0, 3.7), (2.0, 8.4), (3.0, 21.0), (math.log(99), 100.0)])
def test_a_unit_at_forget_bias_b_keeps_for_1_plus_e_to_the_b_steps(bias: float, steps: float) -> None:
    checkpoint = untrained(forget_bias=bias, init="identity", gain=0.0, hidden=4)
    p = checkpoint.parameters()
    inputs = checkpoints.first_inputs(checkpoint.experiment)
    path = walk(p._replace(input=torch.zeros_like(p.input)), checkpoint.cell, inputs)
    forget = path.gates["f"]
    torch.testing.assert_close(1 / (1 - forget), torch.full_like(forget, steps), rtol=0.01, atol=0)


def test_filling_both_biases_of_torchs_lstm_with_1_makes_a_forget_bias_of_2() -> None:
    theirs = nn.LSTM(2, 3).double()
    for name, parameter in theirs.named_parameters():
        nn.init.constant_(parameter, 1.0 if name.startswith("bias") else 0.0)
    p = LSTM.from_torch(theirs).stack.layer_list[0].tensors()
    path = walk(p, Cell("lstm"), torch.zeros(4, 1, 2).double())
    expected = torch.full((4, 1, 3), 2.0).double().sigmoid()
    torch.testing.assert_close(path.gates["f"], expected)


@pytest.mark.parametrize("clip", ["none", "norm", "value"])
def test_clipping_by_norm_keeps_the_direction_and_by_value_does_not(clip: str) -> None:
    experiment = Experiment(length=20, hidden=8, batch=4, steps=20, clip=clip, clip_at=0.01, precision="float64")
    cosines = [snapshot.clip_cosine for snapshot in train(experiment)]
    if clip == "value":
        assert max(cosines) < 0.999
    else:
        assert cosines == pytest.approx([1.0] * len(cosines), abs=1e-12)


def test_torchs_default_recurrent_matrix_has_radius_62_and_norm_1_13() -> None:
    for seed in SEEDS:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            torchs = dict(nn.RNN(2, 64).named_parameters())["weight_hh_l0"].detach().double()
        ours = checkpoints.recurrent_spectrum(untrained(cell="rnn", hidden=64, seed=seed))
        for spectrum in (ours, gradients.spectrum(torchs)):
            assert spectrum.radius == pytest.approx(0.61, abs=0.06)
            assert spectrum.norm == pytest.approx(1.13, abs=0.06)


# Decimal logarithms of ||dh_T/dh_0||, H = 64, T = 100, on adding: the band that all five seeds have to keep to.
BANDS = {
    ("tanh", "uniform", 1.0): (-28, -17),
    ("sigmoid", "uniform", 1.0): (-90, -77),
    ("relu", "uniform", 1.0): (-47, -28),
    ("relu", "orthogonal", 1.0): (-20, -10),
    ("relu", "identity", 1.0): (-1e-12, 1e-12),
}


@pytest.mark.parametrize(("activation", "init", "gain"), BANDS)
def test_what_is_left_of_an_rnns_gradient_after_100_steps(activation: str, init: str, gain: float) -> None:
    low, high = BANDS[activation, init, gain]
    options = {"cell": "rnn", "hidden": 64, "activation": activation, "init": init, "gain": gain}
    reaches = [checkpoints.reach(untrained(seed=seed, **options)) for seed in SEEDS]
    assert all(low <= magnitude <= high for magnitude in magnitudes([reach.measured[0] for reach in reaches]))
    if (activation, init) == ("tanh", "uniform"):
        assert min(magnitudes([reach.true_slopes[0] for reach in reaches])) > 3


@pytest.mark.parametrize(("radius", "low", "high", "bound"), [(1.1, -5.0, 1.0, 25), (1.9, 4.0, 7.0, 45)])
def test_a_tanh_network_at_a_radius_above_1_does_not_grow_as_its_bound(
    radius: float, low: float, high: float, bound: float
) -> None:
    """Decimal logarithms at T = 100, H = 32: the median of five seeds, and none near the bound."""
    measured = []
    for seed in SEEDS:
        start = untrained(cell="rnn", hidden=32, seed=seed)
        gain = radius / checkpoints.recurrent_spectrum(start).radius
        checkpoint = untrained(cell="rnn", hidden=32, seed=seed, gain=gain)
        assert checkpoints.recurrent_spectrum(checkpoint).radius == pytest.approx(radius, rel=1e-6)
        one, most = magnitudes([(reach := checkpoints.reach(checkpoint)).measured[0], reach.largest_slope[0]])
        measured.append(one)
        assert one < most - 20
        assert most > bound
    assert low < statistics.median(measured) < high


def test_half_of_the_directions_or_more_pass_a_relu_network_that_starts_from_the_identity() -> None:
    for seed in SEEDS:
        checkpoint = untrained(cell="rnn", hidden=64, activation="relu", init="identity", seed=seed)
        path = checkpoints.one_sequence(checkpoint)
        whole = jacobians(backward(checkpoint.parameters(), checkpoint.cell, path), path, [0])[0]
        assert 0.5 < float(whole.norm()) / 8 < 0.8


def test_a_relu_network_with_a_gain_of_1_5_explodes_for_most_seeds() -> None:
    options = {"cell": "rnn", "hidden": 64, "activation": "relu", "init": "gaussian", "gain": 1.5}
    sizes = magnitudes([checkpoints.reach(untrained(seed=seed, **options)).measured[0] for seed in SEEDS])
    assert sum(magnitude > 0 for magnitude in sizes) >= 4
    assert max(sizes) > 4


def test_a_sigmoid_networks_gradient_is_exactly_0_in_single_precision() -> None:
    for seed in SEEDS:
        checkpoint = untrained(cell="rnn", hidden=64, activation="sigmoid", seed=seed)
        p = checkpoint.parameters().each(torch.Tensor.float)
        path = walk(p, checkpoint.cell, checkpoints.first_inputs(checkpoint.experiment).float())
        assert not jacobians(backward(p, checkpoint.cell, path), path, [0]).any()


@pytest.mark.parametrize(
    ("bias", "direct", "full"),
    [(0.0, -28, -20), (1.0, -12, -6.3), (2.0, -4.3, -0.5), (math.log(99), -0.3, 2)],
)
def test_the_product_of_the_forget_gates_is_not_the_lstms_gradient(bias: float, direct: float, full: float) -> None:
    """Decimal logarithms at T = 100, H = 32, within two orders of magnitude and a half."""
    ways = [checkpoints.highway(untrained(forget_bias=bias, hidden=32, seed=seed)) for seed in SEEDS]
    assert magnitudes([way.direct[0] for way in ways]) == pytest.approx([direct] * 5, abs=2)
    assert magnitudes([way.cell[0] for way in ways]) == pytest.approx([full] * 5, abs=2.5)
    assert all(float(way.cell[0]) > 10 * float(way.direct[0]) for way in ways)


def test_without_a_forget_gate_the_state_grows_with_the_sequence_and_with_it_it_does_not() -> None:
    for seed in SEEDS:
        largest = {
            (gates, length): float(checkpoints.states(untrained(gates=gates, length=length, seed=seed))[-1].abs().max())
            for gates in ("io", "ifo")
            for length in (50, 100, 200, 400)
        }
        growth = [largest["io", 2 * length] / largest["io", length] for length in (50, 100, 200)]
        assert all(1.4 < factor < 2.8 for factor in growth)
        assert 7 < largest["io", 50] < 20
        assert 70 < largest["io", 400] < 160
        assert all(0.3 < largest["ifo", length] < 0.8 for length in (50, 100, 200, 400))


@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("steps", [1, 4, 10])
def test_a_cell_that_sees_its_last_k_states_has_paths_of_t_over_k_jacobians(window: int, steps: int) -> None:
    """With all recurrent weights scaled by epsilon the gradient falls as epsilon to the length of the shortest path."""
    for seed in SEEDS:
        generator = Generator().manual_seed(seed)
        cell = Cell("rnn", window=window)
        p = Stack(cell, 2, 3, init="gaussian", generator=generator).double().layer_list[0].tensors()
        inputs = torch.randn(steps, 1, 2, generator=generator, dtype=torch.float64)

        def norm(epsilon: float, p: Parameters = p, inputs: Tensor = inputs, cell: Cell = cell) -> float:
            scaled = p._replace(recurrent=epsilon * p.recurrent)

            def last(h: Tensor) -> Tensor:
                return unroll(inputs, (h[None],), scaled, cell).final[0][0]

            at = torch.full((3,), 0.5).double()
            return float(spectral_norms(torch.autograd.functional.jacobian(last, at)[None])[0])

        order = (math.log10(norm(1e-5)) - math.log10(norm(1e-7))) / 2
        assert order == pytest.approx(math.ceil(steps / window), abs=0.01)
