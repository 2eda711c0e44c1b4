"""
How did addresses call things when they named labels? Words of today for what links of 2026 say; nothing is added here.
"""

_FAMILIES = {"vanilla RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
_ACTIVATIONS = {
    "hard tanh": "hardtanh",
    "ReLU": "relu",
    "leaky ReLU": "leaky_relu",
    "ELU": "elu",
    "SiLU": "silu",
    "GELU": "gelu",
}
_WITH_IDENTITY = {**_ACTIVATIONS, "ReLU, W_h = I": "relu_identity"}
_GATES = {
    "no gates": "no_gates",
    "V": "with_peepholes",
    "NIG": "no_input_gate",
    "NFG": "no_forget_gate",
    "NOG": "no_output_gate",
    "NIAF": "no_input_activation",
    "NOAF": "no_output_activation",
    "CIFG": "coupled_gates",
    "NP": "no_peepholes",
}

FORMER: dict[str, dict[str, str]] = {
    "task": {
        "Adding": "adding",
        "Multiplication": "multiplication",
        "Copy memory": "copy",
        "Temporal order": "temporal_order",
        "Latch": "latch",
        "Delayed recall": "recall",
        "Parity": "parity",
        "Forecasting": "forecast",
    },
    "cell": {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"},
    "activation": _ACTIVATIONS,
    "gates": {"input gate": "i", "forget gate": "f", "output gate": "o"},
    "optimizer": {"Adam": "adam", "RMSprop": "rmsprop", "SGD": "sgd"},
    "clip": {"off": "none", "by norm": "norm", "by value": "value"},
    "init": {
        "uniform, as torch.nn.LSTM": "uniform",
        "uniform, as torch.nn.Linear": "linear",
        "Xavier (Glorot)": "xavier",
        "Gaussian": "gaussian",
    },
    "sequences": {"new ones for ever": "0"},
    "series": {
        "Mackey-Glass, τ = 17": "mackey_glass",
        "Two sines and noise": "sines",
        "Seattle, warmest of each day, °C, 2012 to 2015": "seattle_daily",
        "San Francisco, usual temperature of each hour, °F, 2010": "san_francisco_hourly",
        "US employment, thousands, by month, 2006 to 2015": "us_employment",
        "Your own file": "own",
    },
    "racers": _FAMILIES,
    "others": _WITH_IDENTITY,
    "activations": _WITH_IDENTITY,
    "variants": _GATES,
    "cells": {**_FAMILIES, **_GATES},
    "section": {
        "How far back?": "reach",
        "Norm or eigenvalue?": "norm",
        "The highway": "highway",
        "Memory ruler": "ruler",
        "Transform or add?": "states",
        "Clipping": "clipping",
    },
    "compare": {"same weights": "weights", "own first weights": "init", "second bias": "biases"},
    "look": {"Stacks of layers": "stacks", "Dense in time": "time"},
    "compared": {"equal hidden size": "size", "equal number of weights": "weights"},
}
