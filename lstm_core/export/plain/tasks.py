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


def bell_curve(stream: Stream, size: int, variance: float = 1.0) -> Tensor:
    """Normal numbers, (size,), by Box and Muller (1958), in single precision."""
    first, second = halves(stream, (size + 1) // 2).view(2, -1)
    radius = (-2 * variance * (first / 2**32 + 0.5).clamp(min=2**-25).log()).sqrt()
    angle = 2 * math.pi / 2**32 * second
    return torch.cat([angle.cos() * radius, angle.sin() * radius])[:size]


def latch(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, 1): a sign, then normal noise of variance .2; the sign, (B,)."""
    targets = integers(stream, 0, 2, batch)
    inputs = bell_curve(stream, length * batch, 0.2).view(length, batch, 1)
    inputs[0, :, 0] = 2.0 * targets - 1
    return inputs, targets


def recall(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """One of eight symbols, blanks, and a cue at the end, one-hot (T, B, 10); the symbol, (B,)."""
    blank, cue = 8, 9
    shown, targets = torch.full((length, batch), blank), integers(stream, 0, 8, batch)
    shown[0], shown[-1] = targets, cue
    return F.one_hot(shown, 10), targets


def running_parity(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Bits (T, B, 1), and at each step whether the number of ones so far is odd, (T, B)."""
    bits = small_integers(stream, 0, 2, length, batch)
    return bits[:, :, None], bits.cumsum(0) % 2


def parity_varied(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """At the last steps of each sequence, 2 to T, bits, one-hot (T, B, 2); whether the number of ones is odd, (B,)."""
    lengths = integers(stream, 2, length + 1, batch)
    bits = small_integers(stream, 0, 2, length, batch)
    there = torch.arange(length)[:, None] >= length - lengths
    return F.one_hot(bits, 2) * there[:, :, None], (bits * there).sum(0) % 2


def any_of(stream: Stream, count: int, chosen: int, batch: int) -> Tensor:
    """So many different numbers below `count`, in any order, (chosen, B)."""
    return fractions(stream, count, batch).argsort(stable=True, dim=0)[:chosen]


def selective_copying(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Four of four symbols among blanks, then four cues, one-hot (T + 4, B, 6); at the cues the symbols, (T + 4, B)."""
    blank, cue = 4, 5
    places = any_of(stream, length, 4, batch).sort(0).values
    shown = torch.full((length + 4, batch), blank)
    targets = shown.clone()
    shown[places, torch.arange(batch)] = targets[length:] = integers(stream, 0, 4, 4, batch)
    shown[length:] = cue
    return F.one_hot(shown, 6), targets


def associative_recall(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Two keys, each before one of eight values, blanks, the keys, one-hot (T + 2, B, 11); their values, (T + 2, B)."""
    blank, column = 10, torch.arange(batch)
    keys, values, order = (any_of(stream, count, 2, batch) for count in (2, 8, 2))
    shown, targets = torch.full((length + 2, batch), blank), torch.full((length + 2, batch), 8)
    shown[:4:2], shown[1:4:2] = keys, 2 + values
    shown[length:], targets[length:] = keys[order, column], values[order, column]
    return F.one_hot(shown, 11), targets


def mnist1d(stream: Stream, length: int, batch: int) -> tuple[Tensor, Tensor]:
    """
    One of ten lines in a noisy signal, (T, B, 1); which it is, (B,). The recipe is that of MNIST-1D by Greydanus and
    Kobak (arXiv 2011.14439; github.com/greydanus/mnist1d, Apache 2.0).
    """
    digits, added, shifts = (integers(stream, *ends, batch) for ends in ((0, 10), (36, 61), (0, 48)))
    scale, tilt = fractions(stream, 2, batch) - 0.5
    smooth, rough = bell_curve(stream, 2 * 72 * batch).view(2, 72, batch)
    place = torch.arange(72)[:, None] * (11 + added).float() / 71
    low, lines = place.long().clamp(max=12), digit_lines()
    signal = torch.lerp(lines[digits, low], lines[digits, (low + 1).clamp(max=12)], place - low) * (1 + 0.4 * scale)
    shifted = (torch.arange(72)[:, None] - shifts) % 72
    signal, there = signal.gather(0, shifted), (place < 12).gather(0, shifted)
    signal = torch.where(there, signal, 0.25 * (smoothing() @ smooth)) + 0.02 * rough
    signal = signal - 0.75 * tilt * torch.linspace(-0.5, 0.5, 72, dtype=torch.float32)[:, None]
    return ((resampling(length) @ signal + 0.00605) / 0.15468)[:, :, None], digits


@cache
def digit_lines() -> Tensor:
    """Of each digit twelve heights, from 0 to 0, with variance 1/36, and one more 0, (10, 13)."""
    rows = (
        "5 6 6.5 6.75 7 7 7 7 6.75 6.5 6 5",
        "5 3 3 3.4 3.8 4.2 4.6 5 5.4 5.8 5 5",
        "5 6 6.5 6.5 6 5.25 4.75 4 3.5 3.5 4 5",
        "5 6 6.5 6.5 6 5 5 6 6.5 6.5 6 5",
        "5 4.4 3.8 3.2 2.6 2.6 5 5 5 5 5 5",
        "5 3 3 3 3 5 6 6.5 6.5 6 4.5 5",
        "5 4 3.5 3.25 3 3 3 3 3.25 3.5 4 5",
        "5 7 7 6.6 6.2 5.8 5.4 5 4.6 4.2 5 5",
        "5 4 3.5 3.5 4 5 5 4 3.5 3.5 4 5",
        "5 4 3.5 3.5 4 5 5 5 5 4.7 4.3 5",
    )
    heights = torch.tensor([[float(height) for height in row.split()] for row in rows], dtype=torch.float64)
    scaled = (heights - heights[:, :1]) / heights.std(1, correction=0, keepdim=True) / 6
    return F.pad(scaled, (0, 1)).float()


@cache
def smoothing() -> Tensor:
    """A moving average by a Gaussian, beyond whose ends a signal goes back as it came, (72, 72)."""
    weights = [math.exp(-(k**2) / 8) for k in range(-8, 9)]
    matrix = torch.zeros(72, 72, dtype=torch.float64)
    for point in range(72):
        for k, weight in enumerate(weights, point - 8):
            matrix[point, -1 - k if k < 0 else 143 - k if k > 71 else k] += weight / sum(weights)
    return matrix.float()


@cache
def resampling(length: int) -> Tensor:
    """Straight lines between 72 points, read at so many places, (T, 72)."""
    matrix = torch.zeros(length, 72, dtype=torch.float64)
    for row in range(length):
        place = row * 71 / (length - 1)
        low = min(int(place), 70)
        matrix[row, low], matrix[row, low + 1] = low + 1 - place, place - low
    return matrix.float()


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
