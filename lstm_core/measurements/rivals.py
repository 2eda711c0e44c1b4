"""
What do the forecasters of statistics say, whose packages this one does without? As was recorded, in `rivals.json`.

Exponential smoothing and ARIMA, each in the form that a criterion picks (Hyndman and Khandakar 2008), as statsforecast
fits them. `python -m tests.forecast_winners --record` writes the record.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.language import _

RECORDED = Path(__file__).with_name("rivals.json")
ETS, ARIMA = "ETS", "ARIMA"
LABELS = {ETS: _("ETS, recorded"), ARIMA: _("ARIMA, recorded")}


class Forecasts(NamedTuple):
    """Of the test part of a series, by its label and its content's name; in the order of the places that are tested."""

    series: str
    content: str
    horizon: int
    by: str
    forecasts: list[float]


@cache
def _recorded() -> dict[tuple[str, int], dict[str, list[float]]]:
    rows = [Forecasts(**row) for row in json.loads(RECORDED.read_text())]
    return {
        key: {row.by: row.forecasts for row in rows if (row.content, row.horizon) == key}
        for key in {(row.content, row.horizon) for row in rows}
    }


def recorded_forecasts(content: str, horizon: int) -> dict[str, Tensor]:
    """By label, (N,), of a series with this content, so many steps ahead; none where none were recorded."""
    recorded = _recorded().get((content, horizon), {})
    return {LABELS[by]: torch.tensor(forecasts, dtype=torch.float64) for by, forecasts in recorded.items()}


def record(rows: Iterable[Forecasts]) -> None:
    """Write these over all that was recorded."""
    lines = ",\n".join(json.dumps(row._asdict(), ensure_ascii=False) for row in rows)
    RECORDED.write_text(f"[\n{lines}\n]\n")
    _recorded.cache_clear()
