"""On which sequences is a network measured that it was not trained on, and what does it lose there?"""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from lstm_core.data import held_out
from lstm_core.experiment import Experiment
from lstm_core.tasks import Sample

AT_A_TIME = 100


def unseen(experiment: Experiment, sequences: int) -> Sample:
    """Held-out inputs (T, B, D) and targets of its task, see `data.held_out`, in double precision."""
    inputs, targets = held_out(experiment, sequences)
    return inputs.double(), targets.double() if targets.is_floating_point() else targets


def another(experiment: Experiment, sequences: int) -> Sample:
    """The same, and always so many: where its task has few sequences, some may be in a fixed training set."""
    return unseen(dataclasses.replace(experiment, sequences=0), sequences)


def on_unseen(loss: Callable[[Tensor, Tensor], float], experiment: Experiment, sequences: int) -> float:
    """The mean loss on so many held-out sequences."""
    return in_parts(loss, unseen(experiment, sequences), int(experiment.problem.every_step), AT_A_TIME)


def in_parts(loss: Callable[[Tensor, Tensor], float], drawn: Sample, along: int, at_a_time: int) -> float:
    """
    The mean loss on inputs (T, B, D) and targets, whose sequences lie `along` that dimension, and of which the states
    are in memory for so many sequences at a time; nan of none.
    """
    inputs, targets = drawn
    parts = zip(inputs.split(at_a_time, 1), targets.split(at_a_time, along), strict=True)
    losses = torch.tensor([(loss(*part), part[0].shape[1]) for part in parts], dtype=torch.float64)
    return float((losses[:, 0] * losses[:, 1]).sum() / losses[:, 1].sum())
