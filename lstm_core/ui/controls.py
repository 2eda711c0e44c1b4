"""How are experiments set? One widget for each field, all of them in the page's address."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, GATES
from lstm_core.experiment import CHRONO, CLIPS, OPTIMIZERS, PRECISIONS, Experiment
from lstm_core.initialisation import INITS
from lstm_core.tasks import TASKS
from lstm_core.tasks.series import SERIES
from lstm_core.ui.session import DEFAULTS, PROJECTED, PROJECTOR

IN_ADDRESS: Final = "query-params"
SIZES = (4, 8, 16, 32, 64, 128)
LEARNING_RATES = (1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
THRESHOLDS = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)

Widget = Callable[[str, Any], Any]


def _slider(label: str, low: float, high: float, step: float, about: str | None = None) -> Widget:
    return lambda key, value: st.slider(label, low, high, value, step, key=key, bind=IN_ADDRESS, help=about)


def _ordered(label: str, names: dict[Any, str], about: str | None = None) -> Widget:
    """One of many that have an order."""

    def widget(key: str, value: Any) -> Any:
        return st.select_slider(
            label, list(names), value, format_func=names.__getitem__, key=key, bind=IN_ADDRESS, help=about
        )

    return widget


def _choice(label: str, names: dict[Any, str], about: str | None = None) -> Widget:
    """One of a few, all of them in sight."""

    def widget(key: str, value: Any) -> Any:
        chosen = st.segmented_control(  # type: ignore[call-overload]
            label,
            list(names),
            default=value,
            required=True,
            wrap=True,
            format_func=names.get,
            key=key,
            bind=IN_ADDRESS,
            help=about,
        )
        # An address that says "optimizer=", with nothing behind it, gives None all the same.
        return value if chosen is None else chosen

    return widget


def _select(label: str, names: dict[Any, str], about: str | None = None) -> Widget:
    """One of many."""

    def widget(key: str, value: Any) -> Any:
        options = list(names)
        return st.selectbox(
            label, options, options.index(value), format_func=names.__getitem__, key=key, bind=IN_ADDRESS, help=about
        )

    return widget


def _toggle(label: str, about: str | None = None) -> Widget:
    return lambda key, value: st.toggle(label, value, key=key, bind=IN_ADDRESS, help=about)


def _seed(key: str, value: int) -> int:
    # A float inside, because a whole-number input raises OverflowError when an address says seed=inf.
    about = "Of data and first weights."
    seed = st.number_input(
        "Seed", 0.0, 2.0**32 - 1, float(value), 1.0, format="%.0f", key=key, bind=IN_ADDRESS, help=about
    )
    return int(seed)


def _pills(label: str, names: dict[str, str], about: str | None = None) -> Widget:
    """Any of a few."""

    def widget(key: str, value: Iterable[str]) -> list[str]:
        chosen = st.pills(
            label,
            list(names),
            selection_mode="multi",
            default=list(value),
            format_func=names.__getitem__,
            key=key,
            bind=IN_ADDRESS,
            help=about,
        )
        return [option for option in names if option in chosen]

    return widget


def same(options: Iterable[str]) -> dict[str, str]:
    """Options that are their own names."""
    return {option: option for option in options}


def _numbers(values: Sequence[float]) -> dict[Any, str]:
    return {value: f"{value:g}" for value in values}


def _labels(rows: Mapping[str, Any]) -> dict[str, str]:
    return {name: row.label for name, row in rows.items()}


WIDGETS: dict[str, Widget] = {
    "task": _select("Task", _labels(TASKS), "What the network is asked to remember."),
    "length": _slider("Length T", 10, 200, 5, "How many time steps back the oldest information lies."),
    "cell": _choice("Cell", _labels(FAMILIES)),
    "activation": _ordered("Activation, by its largest slope", _labels(ACTIVATIONS)),
    "gates": _pills("Learned gates", GATES, "A gate that is switched off is held at 1 and has no weights."),
    "coupled": _toggle("Coupled: f = 1 - i", "Whatever is added replaces something. Needs both gates."),
    "peephole": _toggle("Peepholes", "The gates see the cell state."),
    "forget_bias": _slider("Forget bias b", -2.0, 6.0, 0.1, "Where the forget gate starts: sigmoid(b)."),
    "hidden": _ordered("Hidden size H", _numbers(SIZES), "Units of the hidden state."),
    "optimizer": _choice("Optimizer", OPTIMIZERS),
    "lr": _ordered("Learning rate", _numbers(LEARNING_RATES)),
    "seed": _seed,
    "steps": _slider("Training steps, at most", 100, 3000, 100),
    "batch": _ordered("Batch size B", _numbers(SIZES), "Sequences per training step."),
    "clip": _choice("Clip gradients", CLIPS),
    "clip_at": _ordered("Clip at", _numbers(THRESHOLDS)),
    "init": _select("First weights", _labels(INITS)),
    "gain": _slider("Scale of the first W_h", 0.0, 3.0, 0.05, "Multiplies the recurrent matrix."),
    "layers": _slider("Layers", 1, 6, 1, "Recurrent layers, one above the other."),
    "sequences": _ordered(
        "Training set",
        {0: "new ones for ever", 32: "32", 64: "64", 128: "128", 512: "512"},
        "A few sequences again and again, or always new ones.",
    ),
    "precision": _choice("Arithmetic", same(PRECISIONS)),
    "horizon": _slider("Horizon h", 1, 50, 1, "How many steps after the end of the window the forecast lies."),
}
WINDOW = _slider("Window T", 10, 200, 5, "How many values each forecast sees.")


def place(widget: Widget, key: str, default: Any) -> Any:
    """Show a widget and remember its default, for the way back to it; its value."""
    st.session_state.setdefault(DEFAULTS, {})[key] = default
    return widget(key, default)


def draw(field: str, base: Experiment) -> Any:
    """The widget of one field, at the page's own default; its value."""
    return place(WIDGETS[field], field, getattr(base, field))


def several(label: str, names: dict[str, str], default: Sequence[str], key: str) -> list[str]:
    """Any of a few, as pills that show their names; the chosen ones in the order of `names`."""
    return place(_pills(label, names), key, list(default))


def one_of(label: str, names: dict[str, str], key: str) -> str:
    """One of a few, all of them in sight; the first by default."""
    return place(_choice(label, names), key, next(iter(names)))


def select(label: str, names: dict[str, str], key: str) -> str:
    """One of many; the first by default."""
    return place(_select(label, names), key, next(iter(names)))


def projector() -> None:
    """Whether pages are shown to a class: what the address of the first one says, remembered from page to page."""
    about = "Larger type, controls, racers and two charts, nothing else."
    before = st.session_state.get(PROJECTED, st.query_params.get(PROJECTOR) == "true")
    st.session_state[PROJECTED] = st.toggle("Projector", before, key=PROJECTOR, help=about)
    if st.session_state[PROJECTED]:
        st.query_params[PROJECTOR] = "true"
    else:
        st.query_params.pop(PROJECTOR, None)


def five_seeds() -> bool:
    """Whether each racer is to be trained from five seeds."""
    about = "Thin: each seed. Thick: the median over them."
    chosen: bool = place(_toggle("Each with five seeds", about), "seeds", False)
    return chosen


def window(base: Experiment) -> int:
    """The length, where it is that of a window."""
    return place(WINDOW, "length", base.length)


def series(own: str, about: str) -> str:
    """A name of `SERIES`, or `own`, with which a visitor says that there is a file."""
    names = {**_labels(SERIES), own: about}
    return place(_select("Series", names), "series", next(iter(names)))


def gates(base: Experiment, settings: DeltaGenerator) -> dict[str, Any]:
    """
    Pills and a toggle for what an LSTM's gates are, peepholes among the `settings`; the fields of an experiment, as far
    as they go together.
    """
    learned = "".join(draw("gates", base))
    coupled = draw("coupled", base)
    with settings:
        peephole = draw("peephole", base)
    if coupled and not {"i", "f"} <= set(learned):
        st.caption("Coupling needs both the input and the forget gate; it is off.")
        coupled = False
    if peephole and not learned:
        st.caption("Without gates there is nothing for peepholes to look into.")
    return {"gates": learned, "coupled": coupled, "peephole": peephole}


def forget_bias(base: Experiment, settings: DeltaGenerator) -> float | str:
    """A slider for b with the time constant 1 + e^b below it, or chrono initialisation, among the `settings`."""
    chrono = base.forget_bias == CHRONO
    value = place(WIDGETS["forget_bias"], "forget_bias", 1.0 if chrono else base.forget_bias)
    with settings:
        spread = place(_toggle("Chrono", "Spread the forget biases over all time scales."), "chrono", chrono)
    if spread:
        st.caption("*Chrono* is on, among the settings: units for every time scale up to T.")
        return CHRONO
    st.caption(f"At first it remembers about **{1 + math.exp(value):.1f} steps** (1 + e^b).")
    return value
