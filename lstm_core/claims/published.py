"""
Do published results come out here? Adding and copy memory as in the logs of a public reproduction of Le and others,
2015, and Arjovsky and others, 2016, one seed each.
"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, MOST, Claim, Question, solved
from lstm_core.claims.evidence import Region
from lstm_core.experiment import Experiment

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
        "It solves the task, that is, its loss falls below 0.01.",
        "share of seeds that solve it",
        label,
        MOST,
    )


def _ends(label: str, sentence: str, holds: Region) -> Question:
    return Question(sentence, "loss on fresh sequences", lambda of: measures.held_out_loss(of[label]), holds)


PUBLISHED = (
    Claim(
        "P1",
        "Adding, T = 100, LSTM with 128 units: below 0.01 at step 7,550.",
        (_solved("LSTM 128"),),
        "It comes out: every seed gets there within 12,000 steps.",
        "The forget gate starts at a bias of 1 and learns to stay open over a hundred steps.",
        "dashboard",
        (("loss", ALL),),
        racers={"LSTM 128": _BASE},
        address=_ON_THE_RACE,
    ),
    Claim(
        "P2",
        "Adding, T = 100, tanh RNN with 128 units: never; 0.165 at step 20,000.",
        (
            _ends(
                "tanh RNN 128",
                "After 12,000 steps it is still at the constant predictor, 0.1667.",
                Region(0.155, 0.185),
            ),
        ),
        "It comes out: the network answers with the average, whatever it has read.",
        "None of the gradient reaches the marks.",
        "dashboard",
        (("loss", ALL),),
        racers={"tanh RNN 128": dataclasses.replace(_BASE, cell="rnn")},
        address=_ON_THE_RACE,
    ),
    Claim(
        "P3",
        "Adding, T = 100, ReLU network from W_h = I with 128 units: below 0.01 at step 3,000.",
        (_solved("IRNN 128"),),
        "It comes out for most seeds within 8,000 steps, and takes about twice as many as published.",
        "From the identity the gradient comes back unchanged through all units that stay open.",
        "activations",
        (("loss", ALL),),
        racers={"IRNN 128": dataclasses.replace(_BASE, cell="rnn", activation="relu", init="identity", steps=8000)},
        address={**_ON_THE_RACE, "activation": "relu", "init": "identity"},
    ),
    Claim(
        "P4",
        "Copy memory, T = 100, tanh RNN with 80 units: 0.1733 at step 20,000.",
        (
            _ends(
                "tanh RNN 80",
                "It is within 2 % of 0.1733, the constant predictor.",
                Region(0.98 * 0.1733, 1.02 * 0.1733),
            ),
        ),
        "It comes out: some seeds stay on the constant predictor, others come a per cent or two below it.",
        "A little of the ten symbols can be kept by an RNN that is trained for long enough; most cannot.",
        "dashboard",
        (("loss", ALL),),
        racers={"tanh RNN 80": dataclasses.replace(_COPY, cell="rnn", hidden=80)},
        address={**_NEAREST, "task": "copy", "hidden": "64", "steps": "3000"},
    ),
    Claim(
        "P5",
        "Copy memory, T = 100, LSTM with 40 units: 0.1539 at step 20,000.",
        (_ends("LSTM 40", "It is below 0.165.", Region(high=0.165)),),
        "It comes out, and it is no solution: the loss only dips below the constant predictor, 0.1733.",
        "At this size an LSTM keeps about one of the ten symbols.",
        "dashboard",
        (("loss", ALL),),
        racers={"LSTM 40": dataclasses.replace(_COPY, hidden=40)},
        address={**_NEAREST, "task": "copy", "steps": "3000"},
    ),
)
