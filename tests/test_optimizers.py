"""Does an update change weights as torch's optimizer of that name does?"""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Generator

from lstm_core import Experiment
from lstm_core.experiment import OPTIMIZERS
from lstm_core.optimizers import update_rule

TORCHS: dict[str, Any] = {
    "adam": lambda weights: torch.optim.Adam([weights], 0.02),
    "rmsprop": lambda weights: torch.optim.RMSprop([weights], 0.02, alpha=0.9),
    "sgd": lambda weights: torch.optim.SGD([weights], 0.02, momentum=0.8),
}


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twenty_updates_are_those_of_torch(optimizer: str, precision: str) -> None:
    experiment = Experiment(optimizer=optimizer, lr=0.02, momentum=0.8, precision=precision)
    generator = Generator().manual_seed(0)
    weights = torch.randn(50, generator=generator, dtype=experiment.dtype)
    expected = torch.nn.Parameter(weights.clone())
    expected.grad = torch.zeros_like(weights)
    gradient, first, second = (torch.zeros_like(weights) for _ in range(3))
    update, theirs = update_rule(experiment, weights, gradient, first, second), TORCHS[optimizer](expected)
    for _ in range(20):
        drawn = torch.randn(50, generator=generator, dtype=experiment.dtype)
        gradient.copy_(drawn)
        expected.grad.copy_(drawn)
        update()
        theirs.step()
    torch.testing.assert_close(weights, expected.detach(), rtol=1e-6, atol=1e-7 if precision == "float32" else 1e-12)


def test_a_training_does_not_load_torchs_compiler() -> None:
    code = """
import sys
from lstm_core import Experiment, train
for optimizer in ("adam", "rmsprop", "sgd"):
    list(train(Experiment(length=3, steps=2, optimizer=optimizer, engine="reference")))
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
