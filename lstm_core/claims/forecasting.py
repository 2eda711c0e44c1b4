"""A18: does a forecast show what the activation function does?"""

import dataclasses

from lstm_core.claims import measures, results
from lstm_core.claims.claim import ALL, Claim, Question
from lstm_core.claims.evidence import BESIDE, LIMITS, Region
from lstm_core.experiment import Experiment
from lstm_core.language import _

_SMOOTH = Experiment(task="forecast", series="mackey_glass", cell="rnn", length=30, batch=64, steps=800)
_SERIES = {"Mackey-Glass": _SMOOTH, "Seattle": dataclasses.replace(_SMOOTH, series="seattle_daily")}
_RATES = (0.001, 0.003, 0.01)
# An error that is a fifth lower.
_LOWER = Region(high=-0.1)


def _racer(activation: str, rate: float, series: str) -> str:
    return f"{activation}, {rate}, {series}"


def _lower_error(of: results.SeedResults, one: str, other: str, series: str) -> float:
    """The error of one activation function over that of another, as log10, each with the rate that validation picks."""
    errors = (
        measures.lowest_error([of[_racer(activation, rate, series)] for rate in _RATES]) for activation in (one, other)
    )
    return next(errors) - next(errors)


FORECASTING = (
    Claim(
        "A18",
        _("A prediction test sets the activation functions apart."),
        (
            Question(
                _("On Mackey-Glass the error of a tanh network is at least a fifth lower than that of a sigmoid one."),
                _("RMSE on the test part, tanh / sigmoid, powers of ten"),
                lambda of: _lower_error(of, "tanh", "sigmoid", "Mackey-Glass"),
                _LOWER,
            ),
            Question(
                _("The same holds for a ReLU network."),
                _("RMSE on the test part, ReLU / sigmoid, powers of ten"),
                lambda of: _lower_error(of, "ReLU", "sigmoid", "Mackey-Glass"),
                _LOWER,
            ),
            Question(
                _("ReLU has a lower error than tanh."),
                _("RMSE on the test part, ReLU / tanh, powers of ten"),
                lambda of: _lower_error(of, "ReLU", "tanh", "Mackey-Glass"),
                Region(high=0),
                role=BESIDE,
            ),
            Question(
                _("On Seattle's daily highs, too, tanh is at least a fifth better than sigmoid."),
                _("RMSE on Seattle's days, tanh / sigmoid, powers of ten"),
                lambda of: _lower_error(of, "tanh", "sigmoid", "Seattle"),
                _LOWER,
                role=LIMITS,
            ),
        ),
        _("True on a noise-free series. On real weather tanh and sigmoid do about the same."),
        _(
            "The sigmoid's small slopes slow training down, and its outputs are never negative. When "
            "most of the error is chance, as from one day to the next, no activation function can remove "
            "it. Each network has the learning rate, of three, that its validation part picks."
        ),
        "forecast",
        (("loss", ALL),),
        racers={
            _racer(name, rate, series): dataclasses.replace(base, activation=name.lower(), lr=rate)
            for series, base in _SERIES.items()
            for name in ("tanh", "sigmoid", "ReLU")
            for rate in _RATES
            if (name, series) != ("ReLU", "Seattle")
        },
    ),
)
