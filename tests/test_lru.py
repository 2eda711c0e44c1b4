"""Is the linear recurrent unit a straight way back, and does it start as its paper says?"""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from lstm_core import Experiment, train
from lstm_core.cells import FAMILIES, Cell, unroll
from lstm_core.cells.lru import starts
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.layers import Layer, Stack
from lstm_core.measurements import checkpoints
from lstm_core.measurements.gradients import back_by_autograd, backward, jacobians, walk
from lstm_core.measurements.saved import load, to_safetensors
from lstm_core.network import Network, parameter_count
from lstm_core.race.limits import multiplications
from lstm_core.streams import Purpose, stream
from tests import test_fused

ALONE, AFTER_LAYER = "lru", "lru_relu"
ROWS = {ALONE: (0.98, 0.9999, 2 * math.pi), AFTER_LAYER: (0.9, 0.999, math.pi / 10)}
SMALL: dict[str, Any] = {"length": 8, "hidden": 6, "batch": 4, "steps": 20}
T, B, D, H = 100, 1, 3, 5
every_row = pytest.mark.parametrize("family", ROWS)


def built(family: str, inputs: int = D, size: int = H, **options: Any) -> Layer:
    stack = Stack(Cell(family), inputs, size, generator=Generator().manual_seed(0), **options)
    (layer,) = stack.double().requires_grad_(False).layer_list
    return layer


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


@every_row
def test_the_direct_path_is_the_whole_jacobian_of_its_state(family: str) -> None:
    """To 1e-14, relative to what is left after 100 steps, whatever was learned in 20."""
    one = Experiment(cell=family, length=100, hidden=6, batch=4, steps=20)
    *_, last = train(one, weights_every=20)
    assert last.weights is not None
    way = checkpoints.highway(checkpoints.Checkpoint(one, last.step, "", last.weights))
    assert float((way.rest / way.direct).max()) < 1e-14
    assert torch.allclose(way.cell, way.direct, rtol=1e-14, atol=0)
    assert not bool(way.hidden[:-1].any())


@every_row
def test_what_is_left_after_k_steps_is_lambda_to_the_k(family: str) -> None:
    layer, x = built(family), noise(T, B, D)
    p, cell = layer.tensors(), layer.cell
    path = walk(p, cell, x)
    pairs = jacobians(backward(p, cell, path), path, [0, T])[0, H:, H:]
    left = torch.complex(pairs[::2, ::2], pairs[1::2, ::2])
    size = torch.exp(-T * layer.own["nu"].exp())
    expected = torch.polar(size, T * layer.own["theta"].exp())
    torch.testing.assert_close(left, torch.diag(expected), rtol=1e-12, atol=1e-15)


@every_row
def test_the_step_back_by_hand_is_that_of_autograd(family: str) -> None:
    layer, x = built(family), noise(4, B, D)
    p, cell = layer.tensors(), layer.cell
    path = walk(p, cell, x)
    u = torch.eye(3 * H, dtype=torch.float64)[:, None]
    for t in range(1, 5):
        by_hand, by_autograd = (way(p, cell, path)(t, u) for way in (backward, back_by_autograd))
        torch.testing.assert_close(by_hand, by_autograd, rtol=0, atol=1e-12)


@every_row
def test_it_starts_in_its_ring_with_its_phases(family: str) -> None:
    least, most, phase = ROWS[family]
    turned = built(family, size=2000).tensors().own["lambda"]
    squares, angles = turned.abs().square(), torch.exp(built(family, size=2000).own["theta"])
    shares = torch.histc(squares, 4, least**2, most**2).div(2000).tolist()
    assert least <= float(turned.abs().min()) < float(turned.abs().max()) <= most
    assert shares == pytest.approx([0.25] * 4, abs=0.03)
    assert torch.histc(angles, 4, 0, phase).div(2000).tolist() == pytest.approx([0.25] * 4, abs=0.03)


def test_white_noise_makes_states_of_one_size() -> None:
    """E |s|^2 = 1 for every lambda, as B x has variance 1 for x of variance 1, once the start is forgotten."""
    layer = built(ALONE, inputs=4, size=200)
    layer.own["nu"].copy_(torch.linspace(-4.5, -1, 200))
    starts(layer._learned(), 1.0, stream(0, Purpose.WEIGHTS))
    x = noise(1500, 8, 4)
    states = unroll(x, layer.cell.start(x, 200), layer.tensors(), layer.cell).states[1][700:]
    sizes = states.abs().square().mean((0, 1))
    for part in sizes.chunk(4):
        assert float(part.mean()) == pytest.approx(1, abs=0.15)


@every_row
def test_both_parts_of_b_and_c_have_the_variances_of_the_paper(family: str) -> None:
    layer = built(family, inputs=200, size=400)
    inward = layer.weight_x if family == ALONE else layer.own["W_v"]
    inputs = inward.shape[1]
    for rows, variance in zip(inward.chunk(3), (0.5, 0.5, 1.0), strict=True):
        assert float(rows.var()) * inputs == pytest.approx(variance, rel=0.03)
    for name in ("C_r", "C_i"):
        assert float(layer.own[name].var()) * 400 == pytest.approx(1, rel=0.03)


def test_alone_it_is_linear_in_x_and_after_a_layer_it_is_not() -> None:
    one, other = noise(6, B, D), noise(6, B, D, seed=2)
    for family in ROWS:
        layer = built(family)

        def read(x: Tensor, layer: Layer = layer) -> Tensor:
            return unroll(x, layer.cell.start(x, H), layer.tensors(), layer.cell).hidden

        assert torch.allclose(read(one + other), read(one) + read(other), rtol=0, atol=1e-12) == (family == ALONE)


@every_row
@pytest.mark.parametrize("weights", ["separate", "concatenated"])
def test_there_are_no_recurrent_weights(family: str, weights: str) -> None:
    """
    nu, theta, gamma: 3 H; C: 2 H^2. Alone: B and D, 3 H D. After a layer of H D + H: B and D, 3 H^2.
    """
    one = Experiment(cell=family, biases=1, weights=weights, **SMALL)
    inward = 3 * 6 * 2 if family == ALONE else 6 * 2 + 6 + 3 * 6 * 6
    assert parameter_count(one) == 3 * 6 + 2 * 36 + inward + 7
    assert sum(term.size for term in terms(one)) == parameter_count(one)


@every_row
def test_its_letters_stand_in_equations_and_terms(family: str) -> None:
    for layers in (1, 2):
        one = Experiment(cell=family, layers=layers, **SMALL)
        number = "" if layers == 1 else "^{(1)}"
        assert {rf"\nu{number}", rf"\theta{number}", rf"\gamma{number}", f"C{number}_r"} <= {t.name for t in terms(one)}
        number = "" if layers == 1 else r"^{(\ell)}"
        assert rf"\lambda{number} &= \exp(-\exp(\nu{number}) + i\,\exp(\theta{number}))" in latex(one)


@every_row
@pytest.mark.parametrize("name", ["highway", "growth", "memory_ruler", "state_growth"])
def test_charts_of_what_is_added_to_draw_it(family: str, name: str) -> None:
    one = Experiment(cell=family, **SMALL)
    (curve,) = measured([Curve("it", one, list(train(one, 20, 20)))], CHARTS[name].needs)
    assert "it" in {row["series"] for row in CHARTS[name].table([curve]).to_pylist()}


def test_a_unit_remembers_for_1_over_1_minus_its_size() -> None:
    first = checkpoints.beginning(Experiment(cell=ALONE, **SMALL))
    expected = 1 / (1 - first.parameters().own["lambda"].abs())
    torch.testing.assert_close(checkpoints.time_constants(first), expected, rtol=1e-9, atol=0)


@every_row
def test_a_forecaster_of_it_travels(family: str, tmp_path: Any) -> None:
    one = Experiment(cell=family, task="forecast", series="sines", **SMALL)
    *_, last = train(one, weights_every=1)
    assert last.weights is not None
    file = tmp_path / "forecaster.safetensors"
    file.write_bytes(to_safetensors(one, last.weights))
    again = load(file)
    assert torch.equal(torch.nn.utils.parameters_to_vector(again.network.parameters()), last.weights)


def test_what_it_multiplies_is_known_beforehand() -> None:
    """
    At each step of 8, for 4 sequences, 20 times, forward and twice backward: [x; 1] and C; or C, B and D.
    """
    times, (x, c, b_and_d) = 3 * 8 * 4 * 20, (6 * 3, 2 * 36, 3 * 36)
    assert multiplications(Experiment(cell=ALONE, **SMALL)) == times * (3 * x + c)
    assert multiplications(Experiment(cell=AFTER_LAYER, **SMALL)) == times * (x + c + b_and_d)


@every_row
def test_what_it_has_not_is_refused(family: str) -> None:
    with pytest.raises(ValueError, match=r"^activation: 'relu' needs cell "):
        Experiment(cell=family, activation="relu")
    assert not FAMILIES[family].transforms


@every_row
@pytest.mark.usefixtures("_denormal_numbers")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-4)], ids=str)
def test_kernels_compute_what_the_reference_does_at_any_size(family: str, dtype: torch.dtype, tolerance: float) -> None:
    """Values, norms, and the gradient of every parameter, of inputs and of first states."""
    torch.set_flush_denormal(True)
    for size, batch, steps in itertools.product((1, 7, 20, 33), (1, 7, 33), (1, 20, 33)):
        stack = test_fused.built(Cell(family), D, size, dtype=dtype)
        x, states = noise(steps, batch, D).to(dtype), test_fused.first_states(stack.cell, batch, size, dtype)
        test_fused.assert_equal(*test_fused.both(stack, x, states), tolerance)


@every_row
@pytest.mark.parametrize("engine", [FUSED, REFERENCE_ENGINE])
def test_a_training_is_repeated_exactly(family: str, engine: str) -> None:
    one = Experiment(cell=family, engine=engine, **SMALL)
    assert list(train(one)) == list(train(one))
    assert Network(one).layer.cell.row.adds
