"""What can be learned of a series? Windows of its first part, each with the value that comes some steps later."""

import torch
from torch import Generator, Tensor

from lstm_core.series import Series


def learned(series: Series, length: int, horizon: int) -> tuple[Tensor, Tensor]:
    """All values that can be asked for after a window of this length, and the last one of each window, both (N,)."""
    part = series.scaled[: series.train_end]
    return part[length + horizon - 1 :], part[length - 1 : len(part) - horizon]


def drawn(series: Series, horizon: int, length: int, batch: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Any windows, (T, B, 1), and the value `horizon` steps after the end of each, (B, 1), all scaled."""
    part = series.scaled[: series.train_end].float()
    starts = torch.randint(0, len(part) - length - horizon + 1, (batch,), generator=generator)
    windows = part[starts + torch.arange(length)[:, None]]
    return windows[:, :, None], part[starts + length + horizon - 1][:, None]


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
