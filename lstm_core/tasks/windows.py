"""What can be learned of a series? Windows of its first part, each with the value that comes some steps later."""

import torch
from torch import Tensor

from lstm_core.streams import Rng
from lstm_core.tasks.series import LEFT_OUT, Series
from lstm_core.tasks.task import Sample
from lstm_core.tasks.view import View


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


def learned(view: View, length: int) -> tuple[Tensor, Tensor]:
    """What is to be answered after every window of this length, and what the last value answers, both (N,), scaled."""
    places = _trained(view, length)
    return view.answers(places), view.unchanged(places)


def drawn(view: View, length: int, batch: int, rng: Rng) -> Sample:
    """To learn from: any windows, (T, B, D), and what is to be answered after each, (B, 1), scaled."""
    return _before(view, length, _trained(view, length), batch, rng)


def held_out(view: View, length: int, batch: int, rng: Rng) -> Sample:
    """The same, from which nobody learns: the values to come are those of the validation part."""
    series = view.series
    places = targets(series, series.train_end, series.validation_end, view.seen(length), view.horizon)
    return _before(view, length, places, batch, rng)


def at(view: View, length: int, places: Tensor) -> Tensor:
    """The windows from which what is at these places, (B,), is to be forecast, (T, B, D), in double precision."""
    return view.inputs[places + torch.arange(1 - length - view.horizon, 1 - view.horizon)[:, None]]


def _trained(view: View, length: int) -> Tensor:
    return targets(view.series, 0, view.series.train_end, view.seen(length), view.horizon)


def _before(view: View, length: int, places: Tensor, batch: int, rng: Rng) -> Sample:
    """The windows before some of these places, and what is to be answered after them."""
    ends = places[torch.from_numpy(rng.integers(0, len(places), batch))]
    return at(view, length, ends).float(), view.answers(ends).float()[:, None]


def too_long(view: View, length: int) -> str | None:
    """Why a part of the series has no such window, and what to lower; None if all have. ValueError of `View.check`."""
    series, horizon = view.series, view.horizon
    most = series.train_end - horizon - view.difference
    if length > most:
        advice = f"lower the length to at most {most:,}, or the horizon" if most > 0 else "lower the horizon"
        return (
            f"length: {length} and a horizon of {horizon} need {view.seen(length) + horizon:,} values to learn from; "
            f"{series.label} has {series.train_end:,}, so {advice}"
        )
    parts = {
        "to train on": (0, series.train_end),
        "to validate": (series.train_end, series.validation_end),
        "to test": (series.validation_end, len(series.values)),
    }
    for part, ends in parts.items():
        if not len(targets(series, *ends, view.seen(length), horizon)):
            advice = "lower the length, or let gaps be filled" if series.gaps == LEFT_OUT else "fill them in the file"
            return f"length: {series.label} has no {length} values without a gap in the part {part}; {advice}"
    view.check()
    return None
