"""Are the Jacobians those of autograd, and do the bounds bound them?"""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.autograd.functional import jacobian

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, FORGET_ACTIVATIONS, Cell, Parameters, Path, unroll
from lstm_core.initialisation import INITS
from lstm_core.layers import Stack
from lstm_core.measurements import gradients
from lstm_core.measurements.gradients import backward, jacobians, spectral_norms, walk
from lstm_core.streams import Purpose, stream
from tests.test_cells import ALL, over

T, D, H = 6, 3, 4


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def weights(cell: Cell, size: int = H, **options: Any) -> Parameters:
    """Of one layer in double precision, all of them random, biases and peepholes too."""
    layer = Stack(cell, D, size, generator=Generator().manual_seed(0), **options).double().layer_list[0]
    for seed, parameter in enumerate(layer.parameters()):
        parameter.data += 0.5 * random(*parameter.shape, seed=seed)
    return layer.tensors().each(Tensor.detach)


def as_numbers(states: Sequence[Tensor]) -> Tensor:
    """Of a batch of one, complex numbers as pairs."""
    return torch.cat([torch.view_as_real(one).flatten() if one.is_complex() else one.flatten() for one in states])


def as_states(numbers: Tensor, cell: Cell) -> tuple[Tensor, ...]:
    kinds, left = cell.kinds(torch.float64), list(numbers.split(H))
    parts = [(left.pop(0), left.pop(0)) if kind.is_complex else (left.pop(0),) for kind in kinds]
    whole = [torch.cat(part).reshape(-1, len(part)) for part in parts]
    return tuple(torch.complex(*one.unbind(1))[None] if one.shape[1] > 1 else one.t() for one in whole)


def state(path: Path, t: int) -> Tensor:
    return as_numbers([one[t] for one in path.states])


def assert_autograds(p: Parameters, cell: Cell) -> None:
    inputs = random(T, 1, D, seed=9)
    path = walk(p, cell, inputs)
    ours = jacobians(backward(p, cell, path), path, range(T + 1))
    assert torch.equal(ours[T], torch.eye(len(ours[T])).double())
    for t in range(T):

        def last(start: Tensor, t: int = t) -> Tensor:
            return as_numbers(unroll(inputs[t:], as_states(start, cell), p, cell).final)

        torch.testing.assert_close(ours[t], jacobian(last, state(path, t)), rtol=0, atol=1e-10)


@over(ALL)
def test_jacobians_are_those_of_autograd_to_1e_10(cell: Cell) -> None:
    assert_autograds(weights(cell), cell)


@pytest.mark.parametrize("forget", FORGET_ACTIVATIONS)
def test_the_jacobian_of_a_stabilised_cell_times_what_it_is_scaled_by_is_that_of_the_cell_without(forget: str) -> None:
    """dC_T/dC_t of C = c e^m is e^(m_T - m_t) (dc_T/dc_t + c_T dm_T/dc_t), and dh_T/dC_t is e^(-m_t) dh_T/dc_t."""
    ways, steps = [], range(1, T + 1)
    for stabilised in (True, False):
        cell = Cell("slstm", forget_activation=forget, stabilised=stabilised)
        p = weights(cell)
        path = walk(p, cell, random(T, 1, D, seed=9))
        ways.append((path, jacobians(backward(p, cell, path), path, steps)))
    (path, scaled), (plain_path, plain) = ways
    _, c, _, m = (states[:, 0] for states in path.states)
    torch.testing.assert_close(plain_path.states[1][1:, 0], c[1:] * m[1:].exp(), rtol=1e-12, atol=0)
    for t, one, other in zip(steps, scaled, plain, strict=True):
        h_by_c, c_by_c, _, m_by_c = one[:, H : 2 * H].split(H)
        expected = torch.cat(
            [h_by_c / m[t].exp(), m[T].exp()[:, None] * (c_by_c + c[T][:, None] * m_by_c) / m[t].exp()]
        )
        torch.testing.assert_close(other[: 2 * H, H : 2 * H], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layout", ["separate", "concatenated"])
@pytest.mark.parametrize("biases", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_jacobians_do_not_mind_layout_and_biases(family: str, biases: int, layout: str) -> None:
    assert_autograds(weights(Cell(family), biases=biases, weights=layout), Cell(family))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_jacobians_of_a_residual_chain_are_those_of_autograd(activation: str) -> None:
    cell, inputs = Cell("rnn", activation), random(T, 1, D, seed=9)
    p, phi = weights(cell), ACTIVATIONS[activation].function
    path = gradients.walk_residual(p, cell, inputs)

    def last(h: Tensor) -> Tensor:
        for x in inputs[:, 0]:
            h = h + phi(p.recurrent @ h + p.input @ x + p.bias)
        return h

    ours = jacobians(gradients.back_residual(p, cell, path), path, [0])[0]
    torch.testing.assert_close(path.hidden[-1, 0], last(path.hidden[0, 0]), rtol=0, atol=1e-12)
    torch.testing.assert_close(ours, jacobian(last, path.hidden[0, 0]), rtol=1e-10, atol=1e-10)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    activation=st.sampled_from(list(ACTIVATIONS)),
    init=st.sampled_from(list(INITS)),
    gain=st.integers(0, 40).map(lambda tenths: tenths / 10),
    size=st.integers(1, 24),
    length=st.integers(1, 60),
    seed=st.integers(0, 2**31),
)
def test_no_jacobian_exceeds_its_bounds(
    activation: str, init: str, gain: float, size: int, length: int, seed: int
) -> None:
    """measured <= product of the true slopes and sigma_max <= (gamma sigma_max)^(T-t), to 1e-4."""
    cell = Cell("rnn", activation)
    layer = Stack(cell, D, size, init=init, gain=gain, generator=Generator().manual_seed(seed)).double().layer_list[0]
    p = layer.tensors().each(Tensor.detach)
    path = walk(p, cell, random(length, 1, D, seed=seed))
    if not bool(path.hidden.isfinite().all()):
        return
    measured = spectral_norms(jacobians(backward(p, cell, path), path, range(length + 1)))
    tight, loose, _ = gradients.bounds(p, cell, path)
    assert bool((measured <= tight * (1 + 1e-4)).all())
    assert bool((tight <= loose * (1 + 1e-4)).all())


def test_a_sheared_matrix_has_a_norm_far_above_its_eigenvalues_and_grows_before_it_dies() -> None:
    matrix = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
    spectrum = gradients.spectrum(matrix)
    assert spectrum.radius == pytest.approx(0.5, abs=1e-6)
    assert spectrum.norm == pytest.approx(10.02, abs=0.005)
    norms = gradients.powers(matrix, 10)
    assert [float(norms[n - 1]) for n in (1, 2, 3, 10)] == pytest.approx([10.02, 10.01, 7.50, 0.195], abs=0.006)


@pytest.mark.parametrize("size", [1, 2, 32])
def test_all_powers_of_an_orthogonal_matrix_have_norm_1(size: int) -> None:
    matrix = torch.nn.init.orthogonal_(torch.empty(size, size).double(), generator=Generator().manual_seed(1))
    torch.testing.assert_close(gradients.powers(matrix, 50), torch.ones(50).double(), rtol=0, atol=1e-10)


def test_the_norm_of_a_matrix_is_never_below_its_spectral_radius() -> None:
    for seed in range(50):
        spectrum = gradients.spectrum(random(8, 8, seed=seed))
        assert spectrum.norm >= spectrum.radius
        assert spectrum.eigenvalues.abs().tolist() == sorted(spectrum.eigenvalues.abs().tolist(), reverse=True)


def test_spectral_norms_reach_from_the_smallest_to_the_largest_numbers_and_beyond() -> None:
    one = random(3, 3)
    norm = float(torch.linalg.matrix_norm(one, ord=2))
    scaled = torch.stack([1e-290 * one, 0 * one, 1e290 * one, torch.inf * one.abs(), torch.nan * one])
    norms = spectral_norms(scaled).tolist()
    assert norms[:4] == [pytest.approx(1e-290 * norm), 0.0, pytest.approx(1e290 * norm), math.inf]
    assert math.isnan(norms[4])


def test_the_spectrum_of_what_is_no_number_is_no_number() -> None:
    assert math.isnan(gradients.spectrum(torch.full((2, 2), torch.nan).double()).radius)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_the_growth_rate_of_a_linear_network_is_the_log_of_its_factor(factor: float) -> None:
    cell = Cell("rnn", "identity")
    recurrent = factor * torch.nn.init.orthogonal_(torch.empty(H, H).double(), generator=Generator().manual_seed(0))
    p = weights(cell)._replace(recurrent=recurrent)
    path = walk(p, cell, random(40, 3, D))
    rates = gradients.growth_rate(backward(p, cell, path), path, 10, stream(0, Purpose.PROBES))
    torch.testing.assert_close(rates, torch.full((3,), math.log(factor), dtype=torch.float64), rtol=0, atol=1e-12)


@over([Cell("rnn"), Cell("lstm"), Cell("gru")])
def test_the_growth_rate_is_the_slope_of_the_jacobians_norm_in_the_long_run(cell: Cell) -> None:
    p, steps = weights(cell), 600
    path = walk(p, cell, random(steps, 1, D))
    back = backward(p, cell, path)
    near, far = spectral_norms(jacobians(back, path, [steps - 450, steps - 150])).log().tolist()[::-1]
    rate = gradients.growth_rate(back, path, 150, stream(0, Purpose.PROBES))
    assert float(rate) == pytest.approx((far - near) / 300, abs=0.05)


@pytest.mark.parametrize(("w", "u"), [(0.9, 0.3), (1.2, 0.05), (-0.9, 0.5)])
def test_the_growth_rate_of_one_unit_is_the_log_of_its_slope_where_the_unit_stays(w: float, u: float) -> None:
    """However long the way there from zero, on which it has other slopes."""
    cell, point = Cell("rnn"), 0.0
    for _ in range(2000):
        point = math.tanh(w * point + u)
    one = torch.ones(1, 1).double()
    p = Parameters(w * one, u * one, torch.zeros(1).double())
    path = walk(p, cell, torch.ones(1000, 1, 1).double())
    rate = gradients.growth_rate(backward(p, cell, path), path, 300, stream(0, Purpose.PROBES))
    assert float(rate) == pytest.approx(math.log(abs(w * (1 - point**2))), abs=1e-9)
    to_the_start = gradients.growth_rate(backward(p, cell, path), path, 0, stream(0, Purpose.PROBES))
    assert abs(float(to_the_start - rate)) > 1e-4


def test_a_network_that_lets_nothing_through_shrinks_without_end() -> None:
    cell = Cell("rnn", "relu")
    p = weights(cell)
    dead = p._replace(bias=torch.full_like(p.bias, -100.0))
    path = walk(dead, cell, random(20, 2, D))
    assert (
        gradients.growth_rate(backward(dead, cell, path), path, 5, stream(0, Purpose.PROBES)).tolist()
        == [-math.inf] * 2
    )
