"""What can be learned of a series? Windows of its first part, each with the value that comes some steps later."""

from typing import Any

import torch
from torch import Tensor

from lstm_core.streams import Rng
from lstm_core.tasks.series import Series


def learned(series: Series, length: int, horizon: int) -> tuple[Tensor, Tensor]:
    """All values that can be asked for after a window of this length, and the last one of each window, both (N,)."""
    part = series.scaled[: series.train_end]
    return part[length + horizon - 1 :], part[length - 1 : len(part) - horizon]


def drawn(series: Series, horizon: int, length: int, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """To learn from: any windows, (T, B, 1), and the value `horizon` steps after the end of each, (B, 1), scaled."""
    return _before(series, horizon, length, rng.integers(length + horizon - 1, series.train_end, batch))


def held_out(series: Series, horizon: int, length: int, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """The same, from which nobody learns: the values to come are those of the validation part."""
    return _before(series, horizon, length, rng.integers(series.train_end, series.validation_end, batch))


def _before(series: Series, horizon: int, length: int, places: Any) -> tuple[Tensor, Tensor]:
    """The windows from which the values at these places, (B,), are to be forecast, and these values."""
    values, ends = series.scaled.float(), torch.from_numpy(places)
    windows = values[ends + torch.arange(1 - length - horizon, 1 - horizon)[:, None]]
    return windows[:, :, None], values[ends, None]


def too_long(series: Series, horizon: int, length: int) -> str | None:
    """Why the part to train on has no such window, and what to lower; None if it has."""
    most = series.train_end - horizon
    if length <= most:
        return None
    advice = f"lower the length to at most {most:,}, or the horizon" if most > 0 else "lower the horizon"
    return (
        f"length: {length} and a horizon of {horizon} need {length + horizon:,} values to learn from; {series.label} "
        f"has {series.train_end:,}, so {advice}"
    )
