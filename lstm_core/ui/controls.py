"""How are experiments set? One control for each field, all of them in the page's address."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, GATES
from lstm_core.experiment import CHRONO, CLIPS, OPTIMIZERS, PRECISIONS, Experiment
from lstm_core.initialisation import INITS
from lstm_core.language import _
from lstm_core.openings.presets import ACTIVATION_RACERS, FAMILY_RACERS, FROM_IDENTITY, GATE_SETS
from lstm_core.tasks import TASKS
from lstm_core.tasks.public import SERIES
from lstm_core.ui.address import place, put
from lstm_core.ui.control import Control, choice, ordered, pills, seed, select, slider, slugs, toggle
from lstm_core.ui.session import PROJECTED, PROJECTOR

SIZES = (4, 8, 16, 32, 64, 128)
LEARNING_RATES = (1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
THRESHOLDS = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
# Spreads the forget gate's biases; beside the slider of one bias for all.
SPREAD = "chrono"

# How an address calls the racers that can be chosen.
FAMILY_WORDS = {label: changes["cell"] for label, changes in FAMILY_RACERS.items()}
GATE_WORDS = slugs(GATE_SETS)
ACTIVATION_WORDS = {
    **{label: changes["activation"] for label, changes in ACTIVATION_RACERS.items()},
    FROM_IDENTITY: "relu_identity",
}


@dataclass(frozen=True)
class ForgetBias(Control):
    """A slider, or a switch beside it, under a key of its own, that stands for all time scales."""

    def get(self, key: str) -> Any:
        return CHRONO if st.session_state.get(SPREAD) else st.session_state[key]

    def put(self, key: str, value: Any) -> None:
        st.session_state[SPREAD] = value == CHRONO
        st.session_state[key] = 1.0 if value == CHRONO else value

    def forget(self, key: str) -> None:
        super().forget(key)
        st.session_state.pop(SPREAD, None)


def same(options: Iterable[str]) -> dict[str, str]:
    """Options that are their own names."""
    return {option: option for option in options}


def _numbers(values: Sequence[float]) -> dict[Any, str]:
    return {value: f"{value:g}" for value in values}


def _labels(rows: Mapping[str, Any]) -> dict[str, str]:
    return {name: row.label for name, row in rows.items()}


_BIAS = slider(_("Forget bias b"), -2.0, 6.0, 0.1, _("How open the forget gate starts: sigmoid(b)."))
_KEPT = _("Chance that a unit keeps its old value for a step, in training only.")

CONTROLS: dict[str, Control] = {
    "task": select(_("Task"), _labels(TASKS), _("What the network is asked to remember.")),
    "length": slider(_("Length T, in time steps"), 10, 200, 5),
    "cell": select(_("Cell"), _labels(FAMILIES)),
    "activation": ordered(_("Activation, by its largest slope"), _labels(ACTIVATIONS)),
    "gates": pills(_("Learned gates; the others stay open, at 1"), GATES, same(GATES), between=""),
    "coupled": toggle(_("Coupled: f = 1 - i"), _("Writing 30 % new erases 30 % old. Needs input and forget gates.")),
    "peephole": toggle(_("Peepholes"), _("The gates see the cell state.")),
    "layer_norm": toggle(
        _("Layer normalisation"), _("Sums of inputs, and the shown cell state, are brought to mean 0, variance 1.")
    ),
    "zoneout_h": slider(_("Zoneout of the hidden state"), 0.0, 0.95, 0.05, _KEPT),
    "zoneout_c": slider(_("Zoneout of the cell state"), 0.0, 0.95, 0.05, _KEPT),
    "forget_bias": ForgetBias(_BIAS.draw, _BIAS.read, _BIAS.write, lambda b: b if b == CHRONO else _BIAS.fit(b)),
    "hidden": ordered(_("Hidden size H"), _numbers(SIZES), _("Units of the hidden state.")),
    "optimizer": choice(_("Optimizer"), OPTIMIZERS),
    "lr": ordered(_("Learning rate"), _numbers(LEARNING_RATES)),
    "seed": seed(_("Seed"), _("Decides the data and the first weights. Same seed, same race.")),
    "steps": slider(_("Training steps, at most"), 100, 3000, 100),
    "batch": ordered(_("Batch size B"), _numbers(SIZES), _("Sequences per training step.")),
    "clip": choice(_("Clip gradients"), CLIPS, _("Shortens a gradient that is too long.")),
    "clip_at": ordered(_("Clip at"), _numbers(THRESHOLDS), _("The longest gradient that is allowed.")),
    "init": select(_("First weights"), _labels(INITS), _("How the weights are drawn before training.")),
    "gain": slider(_("Scale of the first W_h"), 0.0, 3.0, 0.05, _("Multiplies the recurrent matrix.")),
    "layers": slider(_("Layers"), 1, 6, 1, _("Recurrent layers, one above the other.")),
    "sequences": ordered(
        _("Training set"),
        {0: _("new sequences at every step"), 32: "32", 64: "64", 128: "128", 512: "512"},
        _("The same few sequences again and again, or always new ones."),
    ),
    "precision": choice(_("Arithmetic"), same(PRECISIONS)),
    "horizon": slider(_("Horizon h"), 1, 50, 1, _("How many steps ahead the forecast lies.")),
    "log": toggle(_("Learn logarithms"), _("For a series that grows by percent; all values have to be above 0.")),
    "difference": toggle(
        _("Learn changes"), _("The network forecasts by how much the last value changes: for a series with a trend.")
    ),
}
WINDOW = slider(_("Window T"), 10, 200, 5, _("How many values each forecast sees."))


def draw(field: str, base: Experiment, away: bool = False) -> Any:
    """The widget of one field, at the page's own default; its value."""
    return place(CONTROLS[field], field, getattr(base, field), away)


def several(
    label: str, names: Mapping[Any, str], default: Sequence[Any], key: str, words: Mapping[Any, str]
) -> list[Any]:
    """Any of a few, as pills that show their names; the chosen ones in the order of `names`."""
    chosen: list[Any] = place(pills(label, names, words), key, list(default))
    return chosen


def one_of(label: str, names: Mapping[str, str], key: str) -> str:
    """One of a few by its word, all of them in sight; the first by default."""
    chosen: str = place(choice(label, names, words=same(names)), key, next(iter(names)))
    return chosen


def select_one(
    label: str, names: Mapping[str, str], key: str, begins: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """One of many by its word; the first by default. Each `begins` with these values of other controls."""

    def begin() -> None:
        chosen = st.session_state[key]
        put({key: chosen, **(begins or {}).get(chosen, {})})

    control = select(label, names, words=same(names), changed=begin if begins else None)
    chosen: str = place(control, key, next(iter(names)))
    return chosen


def projector() -> None:
    """Whether pages are shown to a class: remembered from page to page."""

    def switch() -> None:
        st.session_state[PROJECTED] = st.session_state[PROJECTOR]

    about = _("Larger type, controls, racers and two charts, nothing else.")
    st.toggle(_("Projector"), st.session_state[PROJECTED], key=PROJECTOR, on_change=switch, help=about)


def five_seeds() -> bool:
    """Whether each racer is to be trained from five seeds."""
    switch = toggle(_("Each with five seeds"), _("Thin: each seed. Thick: the median over them."))
    chosen: bool = place(switch, "seeds", False)
    return chosen


def window(base: Experiment) -> int:
    """The length, where it is that of a window."""
    length: int = place(WINDOW, "length", base.length)
    return length


def series(own: str, about: str) -> str:
    """A name of `SERIES`, or `own`, with which a visitor says that there is a file."""
    return select_one(_("Series"), {**_labels(SERIES), own: about}, "series")


def gates(base: Experiment, settings: DeltaGenerator, away: bool = False) -> dict[str, Any]:
    """
    Pills and a toggle for what an LSTM's gates are, peepholes and what else it may have among the `settings`; the
    fields of an experiment, as far as they go together.
    """
    learned = "".join(place(CONTROLS["gates"], "gates", list(base.gates), away))
    coupled = draw("coupled", base, away)
    with settings:
        peephole = draw("peephole", base)
        steadied = {field: draw(field, base) for field in ("layer_norm", "zoneout_h", "zoneout_c")}
    if coupled and not {"i", "f"} <= set(learned):
        st.caption(_("Coupling needs both the input and the forget gate; it is off."))
        coupled = False
    if peephole and not learned:
        st.caption(_("Without gates there is nothing for peepholes to look into."))
    return {"gates": learned, "coupled": coupled, "peephole": peephole, **steadied}


def forget_bias(base: Experiment, settings: DeltaGenerator, away: bool = False) -> float | str:
    """A slider for b with the time constant 1 + e^b below it, or chrono initialisation, among the `settings`."""
    value: float = draw("forget_bias", base, away)
    with settings:
        spread = st.toggle(
            _("Chrono"), key=SPREAD, help=_("Gives the forget gates different biases, for every time scale up to T.")
        )
    if spread:
        st.caption(_("*Chrono* is on, in the settings: units for every time scale up to T."))
        return CHRONO
    st.caption(_("At first it remembers about **{steps:.1f} steps** (1 + e^b).").format(steps=1 + math.exp(value)))
    return value
