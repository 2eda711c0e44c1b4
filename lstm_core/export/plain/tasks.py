"""How does torch alone draw the sequences of each task? The same numbers as `lstm_core.tasks`, from the same stream."""

import csv
import math
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core.export.plain.streams import Stream, fractions, halves, integers, small_integers


def mark_two(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Values and marks (T, B, 2), one mark in either half; the two marked values, (B,) each."""
    half, column = (length + 1) // 2, torch.arange(batch)
    first, second = integers(stream, 0, half, batch), integers(stream, half, length, batch)
    values, marks = fractions(stream, length, batch), torch.zeros(length, batch)
    marks[first, column] = marks[second, column] = 1
    return torch.stack([values, marks], 2), values[first, column], values[second, column]


def adding(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, 2) and the sum of the two marked values, (B, 1)."""
    inputs, a, b = mark_two(stream, length, batch)
    return inputs, (a + b)[:, None]


def multiplication(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, 2) and the product of the two marked values, (B, 1)."""
    inputs, a, b = mark_two(stream, length, batch)
    return inputs, (a * b)[:, None]


def parity(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Bits (T, B, 1), and whether the number of ones is odd, (B,)."""
    bits = small_integers(stream, 0, 2, length, batch, 1)
    return bits, bits.sum((0, 2)) % 2


def copy(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Ten of eight symbols, blanks, a delimiter, one-hot (T + 20, B, 10); at the last ten steps the symbols again."""
    blank, delimiter = 8, 9
    shown = torch.full((length + 20, batch), blank)
    targets = shown.clone()
    shown[:10] = targets[-10:] = integers(stream, 0, 8, 10, batch)
    shown[length + 9] = delimiter
    return F.one_hot(shown, 10), targets


def temporal_order(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Six symbols, one-hot (T, B, 6), of which the first two come once early and once late; their order, (B,)."""
    tenth = [-(-part * length // 10) for part in range(10)]
    column = torch.arange(batch)
    symbols = small_integers(stream, 2, 6, length, batch)
    first, second = integers(stream, 0, 2, 2, batch)
    symbols[integers(stream, tenth[1], tenth[2], batch), column] = first
    symbols[integers(stream, tenth[5], tenth[6], batch), column] = second
    return F.one_hot(symbols, 6), 2 * first + second


def latch(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, 1): a sign, then noise of variance .2, normal by Box and Muller (1958); the sign, (B,)."""
    targets, size = integers(stream, 0, 2, batch), length * batch
    first, second = halves(stream, (size + 1) // 2).view(2, -1)
    radius = (-0.4 * (first / 2**32 + 0.5).clamp(min=2**-25).log()).sqrt()
    angle = 2 * math.pi / 2**32 * second
    inputs = torch.cat([angle.cos() * radius, angle.sin() * radius])[:size].view(length, batch, 1)
    inputs[0, :, 0] = 2.0 * targets - 1
    return inputs, targets


def recall(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """One of eight symbols, blanks, and a cue at the end, one-hot (T, B, 10); the symbol, (B,)."""
    blank, cue = 8, 9
    shown, targets = torch.full((length, batch), blank), integers(stream, 0, 8, batch)
    shown[0], shown[-1] = targets, cue
    return F.one_hot(shown, 10), targets


@cache
def read_series() -> tuple[Tensor, Tensor]:
    """
    The values of series.csv, (N,), scaled to mean 0 and variance 1 in the part to learn from, where those that are
    missing are as the one before; and how many are missing before each, and in all, (N + 1,).
    """
    with Path("series.csv").open(newline="") as file:
        cells = [row["value"] for row in csv.DictReader(file)]
    learned = [float(cell) for cell in cells[: math.floor(0.7 * len(cells))] if cell]
    mean = math.fsum(learned) / len(learned)
    scale = math.sqrt(math.fsum((value - mean) ** 2 for value in learned) / len(learned))
    values: list[float] = []
    for cell in cells:
        values.append(float(cell) if cell else values[-1])
    missing = torch.tensor([0, *(not cell for cell in cells)]).cumsum(0)
    return (torch.tensor(values, dtype=torch.float64) - mean) / scale, missing


def forecast(stream: Stream, length: int, batch: int, horizon: int, filled: bool) -> tuple[Tensor, Tensor]:
    """
    Any windows of the series, (T, B, 1), and the value `horizon` steps after the end of each, (B, 1); windows may have
    what stands in for missing values where gaps are `filled`, values to come are known.
    """
    values, missing = read_series()
    places = torch.arange(length + horizon - 1, math.floor(0.7 * len(values)))
    there = missing[places + 1] == missing[places]
    if not filled:
        there &= missing[places - horizon + 1] == missing[places - horizon - length + 1]
    places = places[there]
    ends = places[integers(stream, 0, len(places), batch)]
    inputs = values.float()[ends + torch.arange(1 - length - horizon, 1 - horizon)[:, None]]
    return inputs[:, :, None], values.float()[ends, None]
