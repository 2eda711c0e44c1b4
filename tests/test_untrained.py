"""Do charts of untrained cells say what a recurrence on noise does, and when an sLSTM overflows?"""

import cmath
import math
import sys

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from lstm_core.charts import untrained
from lstm_core.measurements.memory import eigenvalues, memory
from lstm_core.measurements.overflow import EXP, FEATURES, SEQUENCES, SIGMOID, UNITS, failure
from lstm_core.streams import Purpose, stream


@pytest.mark.parametrize("modulus", [0.0, 0.5, 0.9, 0.99])
def test_after_long_the_squares_are_those_of_the_geometric_series(modulus: float) -> None:
    r = modulus**2
    for normalised, factor in ((False, 1.0), (True, 1 - r)):
        found = memory(torch.tensor([modulus], dtype=torch.float64), 5000, normalised)
        assert float(found.state) ** 2 == pytest.approx(factor / (1 - r), rel=1e-9)
        assert float(found.by_eigenvalue) ** 2 == pytest.approx(factor * (1 + r) / (1 - r) ** 3, rel=1e-9)


@pytest.mark.parametrize("turn", [0.0, 1.0])
@pytest.mark.parametrize("modulus", [0.5, 0.95])
def test_they_are_what_a_recurrence_over_white_noise_has(modulus: float, turn: float) -> None:
    """Its derivatives by finite differences, ν through λ = exp(-exp(ν)); to 3 % by chance, of 20,000 sequences."""
    steps, wide = 30, 1e-5
    noise = np.random.default_rng(0).standard_normal((steps, 20_000))
    gamma = math.sqrt(1 - modulus**2)

    def last(size: float) -> np.ndarray:
        state = np.zeros(noise.shape[1], complex)
        for x in noise:
            state = size * cmath.exp(1j * turn) * state + gamma * x
        return state

    def rms(values: np.ndarray) -> float:
        return float(np.sqrt((np.abs(values) ** 2).mean()))

    nu = math.log(-math.log(modulus))
    found = memory(torch.tensor([modulus], dtype=torch.float64), steps, normalised=True)
    assert float(found.state) == pytest.approx(rms(last(modulus)), rel=0.03)
    by_modulus = (last(modulus + wide) - last(modulus - wide)) / (2 * wide)
    assert float(found.by_eigenvalue) == pytest.approx(rms(by_modulus), rel=0.03)
    ends = (math.exp(-math.exp(nu + sign * wide)) for sign in (1, -1))
    above, below = map(last, ends)
    assert float(found.by_nu) == pytest.approx(rms((above - below) / (2 * wide)), rel=0.03)


def test_the_slider_ends_where_the_cell_remembers_the_whole_sequence() -> None:
    grid = eigenvalues(100)
    assert float(grid[0]) == 0
    assert float(grid[-1]) == pytest.approx(1 - 1 / 100, abs=1e-12)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=str)
def test_n_overflows_where_its_logarithm_says_so_and_h_is_soon_no_number(precision: torch.dtype) -> None:
    """The logarithms by numpy, of a cell whose n is kept as exp(m) times a number."""
    biases, steps = [2.0, 4.6], 400
    rng, bound = stream(3, Purpose.PROBES), UNITS**-0.5
    weights = rng.uniform(-bound, bound, (FEATURES + UNITS, 4 * UNITS))
    inputs = rng.standard_normal((steps, SEQUENCES, FEATURES))
    found = failure(torch.tensor(biases), EXP, precision, stabilised=False, steps=steps, rng=stream(3, Purpose.PROBES))
    limit = math.log(torch.finfo(precision).max)
    for bias, wrong, broken in zip(biases, found.wrong.tolist(), found.broken.tolist(), strict=True):
        hidden, cell = (np.zeros((SEQUENCES, UNITS)) for _ in range(2))
        log_n = np.full((SEQUENCES, UNITS), -np.inf)
        step = 0
        while log_n.max() <= limit:
            log_i, log_f, z, o = np.split(np.concatenate([inputs[step], hidden], 1) @ weights, 4, 1)
            log_f = log_f + bias
            after = np.logaddexp(log_f + log_n, log_i)
            cell = cell * np.exp(log_f + log_n - after) + np.exp(log_i - after) * np.tanh(z)
            hidden, log_n, step = cell / (1 + np.exp(-o)), after, step + 1
        assert wrong == step
        assert wrong <= broken <= wrong + 6


@pytest.mark.parametrize(("forget", "stabilised"), [(EXP, True), (SIGMOID, True), (SIGMOID, False)])
def test_with_the_stabiliser_or_a_sigmoid_it_never_does(forget: str, stabilised: bool) -> None:
    found = failure(torch.tensor([1.0, 6.0]), forget, torch.float32, stabilised, 150, stream(0, Purpose.PROBES))
    assert found.wrong.tolist() == found.broken.tolist() == [math.inf, math.inf]


def test_the_curse_of_memory_is_drawn_with_its_values_noted_at_the_slider() -> None:
    shown = untrained.memory_by_eigenvalue(100, 0.9).to_pandas()
    here = shown[shown.note != ""]
    assert here.x.tolist() == pytest.approx([10.0] * 5)
    assert here.note.tolist() == ["2.29", "1", "16.2", "7.08", "0.671"]
    assert shown.x.max() == pytest.approx(100)


def test_what_never_overflows_lies_on_the_upper_edge() -> None:
    shown = untrained.overflow_by_forget_bias(1.0).to_pandas()
    safe = shown[shown.part.isin(["f = sigmoid", "f = exp, stabilised"])]
    assert set(safe.off) == {"overflow"}
    assert shown[(shown.part == "f = exp, single precision") & (shown.x == 1)].y.item() < 100
    assert shown[shown.note != ""].x.unique().tolist() == [1.0]


def page() -> None:
    from lstm_core.ui import untrained

    untrained.memory(100, untrained.eigenvalue(100))
    untrained.overflow(untrained.bias())


def test_a_page_shows_both_and_their_numbers_follow_the_sliders(monkeypatch: pytest.MonkeyPatch) -> None:
    # A script without a file would be what processes of later tests begin with.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    visit = AppTest.from_function(page, default_timeout=60).run()
    assert not visit.exception
    before = [caption.value for caption in visit.caption]
    eigenvalue, bias = visit.select_slider
    eigenvalue.set_value(0.99)
    bias.set_value(2.0)
    after = [caption.value for caption in visit.run().caption]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True, False]
    assert "**6.6**" in after[1]
