"""A18: does a forecast show what the activation function does?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, Claim, Question
from lstm_core.claims.evidence import Region
from lstm_core.experiment import Experiment

_SMOOTH = Experiment(task="forecast", series="mackey_glass", cell="rnn", length=30, batch=64, steps=800, lr=0.003)
_NOISY = dataclasses.replace(_SMOOTH, series="seattle_daily")
# An error that is a fifth lower.
_LOWER = Region(high=-0.1)

FORECASTING = (
    Claim(
        "A18",
        "A prediction test sets the activation functions apart.",
        (
            Question(
                "On Mackey-Glass the error of a tanh network is at least a fifth lower than that of a sigmoid one.",
                "RMSE on the test part, tanh / sigmoid, decades",
                lambda of: measures.lower_error(of["tanh"], of["sigmoid"]),
                _LOWER,
            ),
            Question(
                "And so is that of a ReLU network.",
                "RMSE on the test part, ReLU / sigmoid, decades",
                lambda of: measures.lower_error(of["ReLU"], of["sigmoid"]),
                _LOWER,
            ),
            Question(
                "ReLU has a lower error than tanh.",
                "RMSE on the test part, ReLU / tanh, decades",
                lambda of: measures.lower_error(of["ReLU"], of["tanh"]),
                Region(high=0),
                decides=False,
            ),
            Question(
                "On the warmest hours of Seattle's days, too, tanh is at least a fifth better than sigmoid.",
                "RMSE on Seattle's days, tanh / sigmoid, decades",
                lambda of: measures.lower_error(of["tanh, Seattle"], of["sigmoid, Seattle"]),
                _LOWER,
                decides=False,
            ),
        ),
        "Right on a series that can be known exactly, where sigmoid is the worst. On real weather all do alike.",
        "A sigmoid's small slopes make training slow, and its outputs are never negative. Where chance makes most of "
        "the error, as from one day to the next, no activation function can take it away.",
        "forecast",
        (("loss", ALL),),
        racers={
            **{label: dataclasses.replace(_SMOOTH, activation=label.lower()) for label in ("tanh", "sigmoid", "ReLU")},
            **{f"{name}, Seattle": dataclasses.replace(_NOISY, activation=name) for name in ("tanh", "sigmoid")},
        },
    ),
)
