"""Is MNIST-1D drawn by the published recipe? One sequence at a time, as it is written there, with numpy and scipy."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from lstm_core.streams import Purpose, stream
from lstm_core.tasks import TASKS
from lstm_core.tasks.digits import DEVIATION, HEIGHTS, MEAN
from lstm_core.tasks.signals import normal

BATCH = 200


def stretched(values: Any, points: int) -> Any:
    """Straight lines between values that are spread from 0 to 1."""
    return np.interp(np.linspace(0, 1, points), np.linspace(0, 1, len(values)), values)


def template(digit: int) -> Any:
    heights = np.array(HEIGHTS[digit], float)
    whitened = (heights - heights.mean()) / heights.std()
    return (whitened - whitened[0]) / 6


def recipe(digit: int, added: int, shift: int, scale: float, tilt: float, smooth: Any, rough: Any, points: int) -> Any:
    """One signal: pad, dilate, scale, translate, noise, shear, subsample; `scale` and `tilt` are from -1/2 to 1/2."""
    signal = stretched(np.concatenate([template(digit) + 1e-8, np.zeros(added)]), 72) * (1 + 0.4 * scale)
    signal = np.roll(signal, shift)
    mask = np.abs(signal) > 1e-12
    signal = mask * signal + (1 - mask) * gaussian_filter1d(0.25 * smooth, 2)
    signal = signal + 0.02 * rough - 0.75 * tilt * np.linspace(-0.5, 0.5, 72)
    return (stretched(signal, points) - MEAN) / DEVIATION


@pytest.mark.parametrize("points", [10, 40, 100])
def test_each_sequence_is_what_the_recipe_makes_of_the_same_chance(points: int) -> None:
    inputs, targets = TASKS["mnist1d"].draw(points, BATCH, stream(4, Purpose.DATA))
    rng = stream(4, Purpose.DATA)
    digits, added, shifts = (rng.integers(low, high, BATCH) for low, high in ((0, 10), (36, 61), (0, 48)))
    scales, tilts = rng.random((2, BATCH), np.float32).astype(float) - 0.5
    smooth, rough = normal(2 * 72 * BATCH, 1.0, rng).view(2, 72, BATCH).double().numpy()
    assert targets.tolist() == digits.tolist()
    chances = zip(digits, added, shifts, scales, tilts, smooth.T, rough.T, strict=True)
    for k, (digit, zeros, shift, scale, tilt, slow, fast) in enumerate(chances):
        np.testing.assert_allclose(
            inputs[:, k, 0], recipe(digit, zeros, shift, scale, tilt, slow, fast, points), atol=2e-5
        )


def test_signals_have_mean_0_and_variance_1() -> None:
    inputs, _ = TASKS["mnist1d"].draw(40, 50_000, stream(5, Purpose.DATA))
    assert float(inputs.double().mean()) == pytest.approx(0, abs=0.02)
    assert float(inputs.double().std()) == pytest.approx(1, abs=0.01)


def test_all_ten_digits_come_alike() -> None:
    _, targets = TASKS["mnist1d"].draw(10, 50_000, stream(6, Purpose.DATA))
    assert torch.bincount(targets).div(50_000).tolist() == pytest.approx([0.1] * 10, abs=0.01)
