"""
Do published results come out here? Adding and copy memory as in the logs of a public reproduction of Le and others,
2015, and Arjovsky and others, 2016, one seed each.
"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, MOST, Claim, Question, solved
from lstm_core.claims.evidence import Region
from lstm_core.experiment import Experiment
from lstm_core.language import _

_BASE = Experiment(
    length=100,
    batch=20,
    optimizer="rmsprop",
    lr=0.001,
    clip="value",
    clip_at=1.0,
    init="xavier",
    hidden=128,
    steps=12000,
)
_COPY = dataclasses.replace(_BASE, task="copy", steps=20000)
_NEAREST = {"optimizer": "rmsprop", "lr": "0.001", "clip": "value", "init": "xavier", "batch": "16"}
_ON_THE_RACE = {**_NEAREST, "hidden": "128", "steps": "3000"}


def _solved(label: str) -> Question:
    return solved(
        _("It solves the task: its loss falls below 0.01."),
        _("share of seeds that solve it"),
        label,
        MOST,
    )


def _ends(label: str, sentence: str, holds: Region) -> Question:
    return Question(sentence, _("loss on fresh sequences"), lambda of: measures.held_out_loss(of[label]), holds)


PUBLISHED = (
    Claim(
        "P1",
        _("Adding, T = 100, LSTM with 128 units: below 0.01 at step 7,550."),
        (_solved("LSTM 128"),),
        _("Reproduced: all 5 seeds get there within 12,000 steps."),
        _("The forget gate starts at a bias of 1 and learns to stay open over a hundred steps."),
        "dashboard",
        (("loss", ALL),),
        racers={"LSTM 128": _BASE},
        address=_ON_THE_RACE,
    ),
    Claim(
        "P2",
        _("Adding, T = 100, tanh RNN with 128 units: never; 0.165 at step 20,000."),
        (
            _ends(
                "tanh RNN 128",
                _("After 12,000 steps it is still at the constant predictor, 0.1667."),
                Region(0.155, 0.185),
            ),
        ),
        _("Reproduced: the network only guesses the average."),
        _("Almost none of the gradient reaches the marks."),
        "dashboard",
        (("loss", ALL),),
        racers={"tanh RNN 128": dataclasses.replace(_BASE, cell="rnn")},
        address=_ON_THE_RACE,
    ),
    Claim(
        "P3",
        _("Adding, T = 100, ReLU network from W_h = I with 128 units: below 0.01 at step 3,000."),
        (_solved("IRNN 128"),),
        _("Undecided: 4 of 5 seeds get there within 8,000 steps, after about twice as many steps as published."),
        _("With W_h = I the gradient returns unchanged through all units that stay on."),
        "activations",
        (("loss", ALL),),
        racers={"IRNN 128": dataclasses.replace(_BASE, cell="rnn", activation="relu", init="identity", steps=8000)},
        address={**_ON_THE_RACE, "activation": "relu", "init": "identity"},
    ),
    Claim(
        "P4",
        _("Copy memory, T = 100, tanh RNN with 80 units: 0.1733 at step 20,000."),
        (
            _ends(
                "tanh RNN 80",
                _("It is within 2 % of 0.1733, the constant predictor."),
                Region(0.98 * 0.1733, 1.02 * 0.1733),
            ),
        ),
        _("Reproduced: some seeds stay at the constant predictor, others end one or two per cent below it."),
        _("An RNN can keep a little of the ten symbols if it trains for long enough; most of them are lost."),
        "dashboard",
        (("loss", ALL),),
        racers={"tanh RNN 80": dataclasses.replace(_COPY, cell="rnn", hidden=80)},
        address={**_NEAREST, "task": "copy", "hidden": "64", "steps": "3000"},
    ),
    Claim(
        "P5",
        _("Copy memory, T = 100, LSTM with 40 units: 0.1539 at step 20,000."),
        (_ends("LSTM 40", _("It is below 0.165."), Region(high=0.165)),),
        _("Reproduced, but it is no solution: the loss only drops a little below the constant predictor, 0.1733."),
        _("At this size an LSTM keeps about one of the ten symbols."),
        "dashboard",
        (("loss", ALL),),
        racers={"LSTM 40": dataclasses.replace(_COPY, hidden=40)},
        address={**_NEAREST, "task": "copy", "steps": "3000"},
    ),
)
