"""What can be learned of a series? Windows of its first part, each with the value that comes some steps later."""

import torch
from torch import Tensor

from lstm_core.streams import Rng
from lstm_core.tasks.series import LEFT_OUT, Series


def targets(series: Series, first: int, last: int, length: int, horizon: int) -> Tensor:
    """
    The places, from `first` to before `last`, whose values can be forecast, (N,): the value is known, and so is a
    window of this length that ends `horizon` before it, or that window may have what stands in for missing values.
    """
    places = torch.arange(min(max(first, length + horizon - 1), last), last)
    if not series.known:
        return places
    missing = series.missing_before
    there = missing[places + 1] == missing[places]
    if series.gaps == LEFT_OUT:
        there &= missing[places - horizon + 1] == missing[places - horizon - length + 1]
    return places[there]


def learned(series: Series, length: int, horizon: int) -> tuple[Tensor, Tensor]:
    """All values that can be asked for after a window of this length, and the last one of each window, both (N,)."""
    places = targets(series, 0, series.train_end, length, horizon)
    return series.scaled[places], series.scaled[places - horizon]


def drawn(series: Series, horizon: int, length: int, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """To learn from: any windows, (T, B, 1), and the value `horizon` steps after the end of each, (B, 1), scaled."""
    return _before(series, horizon, length, targets(series, 0, series.train_end, length, horizon), batch, rng)


def held_out(series: Series, horizon: int, length: int, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """The same, from which nobody learns: the values to come are those of the validation part."""
    places = targets(series, series.train_end, series.validation_end, length, horizon)
    return _before(series, horizon, length, places, batch, rng)


def _before(series: Series, horizon: int, length: int, places: Tensor, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """The windows from which the values at some of these places, (B,), are to be forecast, and these values."""
    values, ends = series.scaled.float(), places[torch.from_numpy(rng.integers(0, len(places), batch))]
    windows = values[ends + torch.arange(1 - length - horizon, 1 - horizon)[:, None]]
    return windows[:, :, None], values[ends, None]


def too_long(series: Series, horizon: int, length: int) -> str | None:
    """Why a part of the series has no such window, and what to lower; None if all have."""
    most = series.train_end - horizon
    if length > most:
        advice = f"lower the length to at most {most:,}, or the horizon" if most > 0 else "lower the horizon"
        return (
            f"length: {length} and a horizon of {horizon} need {length + horizon:,} values to learn from; "
            f"{series.label} has {series.train_end:,}, so {advice}"
        )
    parts = {
        "to train on": (0, series.train_end),
        "to validate": (series.train_end, series.validation_end),
        "to test": (series.validation_end, len(series.values)),
    }
    for part, ends in parts.items():
        if not len(targets(series, *ends, length, horizon)):
            advice = "lower the length, or let gaps be filled" if series.gaps == LEFT_OUT else "fill them in the file"
            return f"length: {series.label} has no {length} values without a gap in the part {part}; {advice}"
    return None
