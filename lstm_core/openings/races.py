"""Which race is on a page, with its controls set so? As the pages make it of their widgets, without Streamlit."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from lstm_core.activations import ACTIVATIONS
from lstm_core.experiment import Experiment
from lstm_core.openings.presets import (
    ACTIVATION_RACERS,
    COMPARISONS,
    FAMILY_RACERS,
    GATE_SETS,
    OPENINGS,
    WIRING_RACERS,
    variants,
    within_budget,
)
from lstm_core.wiring import PLAIN

# Values of a page's controls by their keys, fields of an experiment among them; what is not named is as it opens.
Settings = Mapping[str, Any]
Racers = dict[str, Experiment]

FIELDS = {spec.name for spec in dataclasses.fields(Experiment)}
OF_GATES = ("gates", "coupled", "peephole", "layer_norm", "zoneout_h", "zoneout_c")
OF_THE_RNN = ("activation", "init", "gain")
SINCE, PATHS, COUNTING, KEPT_ORTHOGONAL = "since", "paths", "counting", "orthogonal"
# With which settings each look at the highways since the LSTM begins, other than those of the page.
ON_HIGHWAYS: dict[str, dict[str, Any]] = {
    PATHS: {"task": "adding", "length": 100, "hidden": 32, "steps": 500, "racers": ["minGRU", "LRU", "LSTM"]},
    COUNTING: {
        "task": "running_parity",
        "length": 20,
        "hidden": 32,
        "lr": 0.1,
        "racers": ["a in [0, 1]", "a in [-1, 1]", "LSTM", "GRU"],
    },
    KEPT_ORTHOGONAL: {
        "steps": 400,
        "racers": ["W_h kept orthogonal", "W_h orthogonal at first, slow", "W_h orthogonal at first"],
    },
}
STACKS, IN_TIME = "stacks", "time"
EQUAL_SIZE, EQUAL_WEIGHTS = "size", "weights"
CELLS = {**FAMILY_RACERS, **{name: {"cell": "lstm", **changes} for name, changes in GATE_SETS.items()}}


def race_on(page: str, settings: Settings, seed: int = 0) -> Racers:
    """The experiments by label that a page shows with these settings."""
    opening = OPENINGS[page].base
    fields = {name: value for name, value in settings.items() if name in FIELDS}
    fields |= {"gates": "".join(fields["gates"])} if "gates" in fields else {}
    base = dataclasses.replace(opening, **{**fields, "seed": seed})
    return _RACES[page](base, settings)


def _only(base: Experiment, page: str, names: Iterable[str]) -> Experiment:
    """The base without what one racer alone is to have."""
    opening = OPENINGS[page].base
    return dataclasses.replace(base, **{name: getattr(opening, name) for name in names})


def _families(page: str, base: Experiment, settings: Settings) -> Racers:
    chosen = settings.get("racers", OPENINGS[page].racers)
    return variants(base, {label: FAMILY_RACERS[label] for label in FAMILY_RACERS if label in chosen})


def _activations(base: Experiment, settings: Settings) -> Racers:
    front, others = ACTIVATIONS[base.activation].label, settings.get("others", [*OPENINGS["activations"].racers][1:])
    chosen = [label for label in ACTIVATION_RACERS if label in others]
    return variants(base, {label: ACTIVATION_RACERS[label] for label in dict.fromkeys([front, *chosen])})


def _both(base: Experiment, settings: Settings) -> Racers:
    rnn, lstm = OPENINGS["gradient_flow"].racers
    of_the_rnn = {name: getattr(base, name) for name in OF_THE_RNN}
    return {
        rnn: dataclasses.replace(_only(base, "gradient_flow", (*OF_THE_RNN, *OF_GATES)), cell="rnn", **of_the_rnn),
        lstm: _only(base, "gradient_flow", OF_THE_RNN),
    }


def _gates(base: Experiment, settings: Settings) -> Racers:
    yours, *rivals = OPENINGS["gates"].racers
    chosen = settings.get("variants", rivals)
    return {
        yours: base,
        **variants(_only(base, "gates", OF_GATES), {name: GATE_SETS[name] for name in GATE_SETS if name in chosen}),
    }


def _layouts(base: Experiment, settings: Settings) -> Racers:
    return variants(base, COMPARISONS[settings.get("compare", next(iter(COMPARISONS)))])


def _stacks(base: Experiment, settings: Settings) -> Racers:
    if settings.get("look") == IN_TIME:
        windows = settings.get("windows", ["1", "2", "4"])
        return variants(base, {f"k = {k}": {"cell": "rnn", "layers": 1, "window": int(k)} for k in windows})
    chosen = [PLAIN, *settings.get("wirings", OPENINGS["depth"].racers)]
    racers = variants(base, {name: WIRING_RACERS[name] for name in WIRING_RACERS if name in chosen})
    return within_budget(racers) if settings.get("compared") == EQUAL_WEIGHTS else racers


def _forecasts(base: Experiment, settings: Settings) -> Racers:
    activations, cells = settings.get("activations", OPENINGS["forecast"].racers), settings.get("cells", [])
    chosen = {label: ACTIVATION_RACERS[label] for label in ACTIVATION_RACERS if label in activations}
    return variants(base, chosen | {label: CELLS[label] for label in CELLS if label in cells})


_RACES: dict[str, Callable[[Experiment, Settings], Racers]] = {
    "dashboard": partial(_families, "dashboard"),
    "activations": _activations,
    "gradient_flow": _both,
    "gates": _gates,
    "concatenation": _layouts,
    "depth": _stacks,
    "highways": partial(_families, "highways"),
    "forecast": _forecasts,
}
