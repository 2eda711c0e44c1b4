"""A18: does a forecast show what the activation function does?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, Claim, Question
from lstm_core.claims.evidence import Region
from lstm_core.experiment import Experiment
from lstm_core.language import _

_SMOOTH = Experiment(task="forecast", series="mackey_glass", cell="rnn", length=30, batch=64, steps=800, lr=0.003)
_NOISY = dataclasses.replace(_SMOOTH, series="seattle_daily")
# An error that is a fifth lower.
_LOWER = Region(high=-0.1)

FORECASTING = (
    Claim(
        "A18",
        _("A prediction test sets the activation functions apart."),
        (
            Question(
                _("On Mackey-Glass the error of a tanh network is at least a fifth lower than that of a sigmoid one."),
                _("RMSE on the test part, tanh / sigmoid, powers of ten"),
                lambda of: measures.lower_error(of["tanh"], of["sigmoid"]),
                _LOWER,
            ),
            Question(
                _("The same holds for a ReLU network."),
                _("RMSE on the test part, ReLU / sigmoid, powers of ten"),
                lambda of: measures.lower_error(of["ReLU"], of["sigmoid"]),
                _LOWER,
            ),
            Question(
                _("ReLU has a lower error than tanh."),
                _("RMSE on the test part, ReLU / tanh, powers of ten"),
                lambda of: measures.lower_error(of["ReLU"], of["tanh"]),
                Region(high=0),
                decides=False,
            ),
            Question(
                _("On Seattle's daily highs, too, tanh is at least a fifth better than sigmoid."),
                _("RMSE on Seattle's days, tanh / sigmoid, powers of ten"),
                lambda of: measures.lower_error(of["tanh, Seattle"], of["sigmoid, Seattle"]),
                _LOWER,
                decides=False,
            ),
        ),
        _(
            "True on a noise-free series, where sigmoid is the worst of the three. On real weather tanh "
            "and sigmoid do about the same."
        ),
        _(
            "The sigmoid's small slopes slow training down, and its outputs are never negative. When "
            "most of the error is chance, as from one day to the next, no activation function can remove "
            "it."
        ),
        "forecast",
        (("loss", ALL),),
        racers={
            **{label: dataclasses.replace(_SMOOTH, activation=label.lower()) for label in ("tanh", "sigmoid", "ReLU")},
            **{f"{name}, Seattle": dataclasses.replace(_NOISY, activation=name) for name in ("tanh", "sigmoid")},
        },
    ),
)
