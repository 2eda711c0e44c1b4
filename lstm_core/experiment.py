"""What decides a result? Everything that does is a field of `Experiment`, and nothing else."""

import dataclasses
import hashlib
import json
import reprlib
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

import torch

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, FORGET_ACTIVATIONS, LAYOUTS, MOST_WINDOW, MOST_ZONEOUT, OPTIONS, Cell, choose
from lstm_core.engine import ENGINES, check_kernels
from lstm_core.initialisation import INITS
from lstm_core.streams import CURRENT, Purpose, Rng, stream
from lstm_core.tasks import TASKS, Question, Task, bound
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import check_known
from lstm_core.tasks.view import View
from lstm_core.wiring import MOST_LAYERS, PLAIN, WIRINGS

OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}
CLIPS = {"none": "off", "norm": "by norm", "value": "by value"}
PRECISIONS = ("float32", "float64")
CHRONO, MOST_FOLDS = "chrono", 50
# Fields that are younger than the first keys, which have to stay, and what a record means that lacks them.
YOUNGER: dict[str, Any] = {
    "layers": 1,
    "wiring": PLAIN,
    "window": 1,
    "sequences": 0,
    "series": "mackey_glass",
    "horizon": 1,
    "stream": 1,
    "log": False,
    "difference": False,
    "fold": 1,
    "folds": 1,
    "forget_activation": "sigmoid",
    "stabilised": True,
    "layer_norm": False,
    "zoneout_h": 0.0,
    "zoneout_c": 0.0,
}


def _one_of(default: Any, options: Collection[Any], about: str) -> Any:
    """The options are kept as they are: rows may be added to a table later."""
    return dataclasses.field(default=default, metadata={"options": options, "about": about})


def _number(default: float, low: float, high: float, about: str, word: str | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "word": word, "about": about})


@dataclass(frozen=True)
class Experiment:
    """
    A network, its task and its training. Frozen, validated, equal by value; the same on every machine of a kind.

    Raises ValueError, naming the field, its value and what is allowed. Numbers are steps, units and sequences, learning
    rates per optimizer step; `forget_bias` may be "chrono", for log U(1, time_steps - 1).
    """

    task: str = _one_of("adding", TASKS, "what is to be remembered")
    length: int = _number(50, 1, 2000, "T, time steps of the memory")
    cell: str = _one_of("lstm", FAMILIES, "kind of network")
    activation: str = _one_of("tanh", ACTIVATIONS, "of the hidden state, or of the candidate g")
    output_activation: str | None = _one_of(None, ACTIVATIONS, "of the LSTM's cell state; none: the same as activation")
    gates: str = dataclasses.field(default="ifo", metadata={"about": "learned gates, the others held at 1"})
    coupled: bool = _one_of(False, (False, True), "f = 1 - i")
    peephole: bool = _one_of(False, (False, True), "gates see the cell state")
    weights: str = _one_of("separate", LAYOUTS, "two matrices, or one for [h; x]")
    biases: int = _one_of(1, (1, 2), "bias vectors per layer")
    init: str = _one_of("uniform", INITS, "first weights")
    gain: float = _number(1.0, 0.0, 10.0, "factor on the first recurrent weights")
    forget_bias: float | str = _number(1.0, -20.0, 20.0, "first bias of the forget gate", CHRONO)
    hidden: int = _number(32, 1, 1024, "H, hidden units")
    batch: int = _number(32, 1, 1024, "B, sequences per step")
    steps: int = _number(300, 1, 1_000_000, "most training steps")
    optimizer: str = _one_of("adam", OPTIMIZERS, "update rule")
    lr: float = _number(0.01, 1e-8, 100.0, "learning rate")
    momentum: float = _number(0.9, 0.0, 0.9999, "of SGD")
    clip: str = _one_of("norm", CLIPS, "gradient clipping")
    clip_at: float = _number(1.0, 1e-6, 1e6, "largest gradient norm, or value")
    seed: int = _number(0, 0, 2**32 - 1, "of data and first weights")
    precision: str = _one_of("float32", PRECISIONS, "of all arithmetic")
    engine: str = _one_of("auto", ENGINES, "who computes the sequences")
    layers: int = _number(1, 1, MOST_LAYERS, "recurrent layers, one above the other")
    wiring: str = _one_of(PLAIN, WIRINGS, "what each layer and the readout see of the layers below")
    window: int = _number(1, 1, MOST_WINDOW, "k, the last hidden states that an RNN sees")
    sequences: int = _number(0, 0, 2000, "size of a fixed training set; 0: new sequences for ever")
    series: str = dataclasses.field(
        default="mackey_glass",
        metadata={"about": f"what is forecast ({', '.join(SERIES)}, or the name of a visitor's own)"},
    )
    horizon: int = _number(1, 1, 1000, "steps from the end of a window to the value that is forecast")
    stream: int = _one_of(CURRENT, range(1, CURRENT + 1), "which random numbers; those of 1 are no longer drawn")
    log: bool = _one_of(False, (False, True), "forecast the logarithm of a series")
    difference: bool = _one_of(False, (False, True), "forecast the change of a series over the horizon")
    fold: int = _number(1, 1, MOST_FOLDS, "which piece of the test part is tested, all before it being known")
    folds: int = _number(1, 1, MOST_FOLDS, "into how many pieces the test part of a series is split")
    forget_activation: str = _one_of("sigmoid", FORGET_ACTIVATIONS, "of an sLSTM's forget gate")
    stabilised: bool = _one_of(True, (False, True), "an sLSTM's exponential functions are kept from overflowing")
    layer_norm: bool = _one_of(False, (False, True), "W_h h, W_x x and the cell state are normalised")
    zoneout_h: float = _number(0.0, 0.0, MOST_ZONEOUT, "probability that a unit keeps its hidden state for a step")
    zoneout_c: float = _number(0.0, 0.0, MOST_ZONEOUT, "probability that a unit keeps its cell state for a step")

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):
            object.__setattr__(self, spec.name, checked(spec, getattr(self, spec.name)))
        check_known(self.series)
        if self.fold > self.folds:
            raise ValueError(f"fold: {self.fold} is not a whole number from 1 to {self.folds}, the number of folds")
        shortest = self.problem.shortest
        if self.length < shortest:
            raise ValueError(f"length: {self.length} is too short for {self.task}, which needs at least {shortest}")
        if refusal := self.problem.refusal(self.length):
            raise ValueError(refusal)
        check_kernels(self.engine, self.recurrent_cell)

    @property
    def recurrent_cell(self) -> Cell:
        """The cell without its weights; its own ValueErrors name the same fields."""
        return Cell(self.cell, **{name: getattr(self, name) for name in OPTIONS})

    @property
    def problem(self) -> Task:
        """Its row of `TASKS`, bound to what is asked of its series where it forecasts."""
        return bound(self.task, self._question)

    @property
    def _question(self) -> Question:
        return Question(self.series, self.horizon, self.log, self.difference, self.fold, self.folds)

    @property
    def view(self) -> View:
        """Its series as it is seen; ValueError where that is gone."""
        return self._question.view

    @property
    def time_steps(self) -> int:
        """Steps of the whole sequence: `length`, and for copy memory the symbols before and after it."""
        return self.length + self.problem.extra_steps

    @property
    def dtype(self) -> torch.dtype:
        """The precision as torch names it."""
        dtype: torch.dtype = getattr(torch, self.precision)
        return dtype

    @property
    def refusal(self) -> str | None:
        """Why it cannot be trained, in one line; None if it can."""
        if self.stream == CURRENT:
            return None
        return (
            f"stream: {self.stream} stands for random numbers of an earlier version, which are no longer drawn; what "
            f"was trained with them can be looked at, not trained again, and {CURRENT} gives other numbers"
        )

    def stream_for(self, purpose: Purpose, *place: int) -> Rng:
        """Its random numbers for one purpose, or one place of it. ValueError where there is a `refusal`."""
        if self.refusal:
            raise ValueError(self.refusal)
        return stream(self.seed, purpose, *place)

    @property
    def key(self) -> str:
        """A name for the value of this experiment: 16 hexadecimal digits that never change."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Every field, sorted by name, but for the `YOUNGER` ones that mean what their absence means."""
        fields = {name: value for name, value in vars(self).items() if name not in YOUNGER or value != YOUNGER[name]}
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """
        The experiment of `to_json`; missing fields take their defaults, but for `stream`: without it, an experiment is
        of stream 1. ValueError for anything else.
        """
        values = fields_of(text)
        for name in values:
            choose("experiment", name, (spec.name for spec in dataclasses.fields(cls)))
        return cls(**YOUNGER | values)


def fields_of(text: str) -> dict[str, Any]:
    """What stands in the JSON object of an experiment, unchecked; ValueError where it is none."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError(f"experiment: {text[:40]!r} is not a JSON object")
    return fields


def options(spec: dataclasses.Field[Any]) -> tuple[Any, ...]:
    """What a field may be, where there is a list; None where that is its default."""
    listed = tuple(spec.metadata.get("options", ()))
    return (None, *listed) if listed and spec.default is None else listed


def parsed(spec: dataclasses.Field[Any], text: str) -> Any:
    """The text as a value of the field's type where it reads as one; `checked` judges it."""
    if spec.default is None and text == "none":
        return None
    if isinstance(spec.default, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(spec.default, int | float):
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def checked(spec: dataclasses.Field[Any], value: Any) -> Any:
    """The value as the field keeps it. ValueError, naming the field, the value and what is allowed."""
    if allowed := options(spec):
        choose(spec.name, value, allowed)
    return _checked_number(spec, value) if "low" in spec.metadata else value


def _checked_number(spec: dataclasses.Field[Any], value: Any) -> Any:
    """
    `value` as the type of the field's default, so that 1 and 1.0 are the same experiment, and so are 0.0, -0.0 and what
    is denormal: a thread that trains takes it for 0, and would neither print nor hash it as others do.
    """
    low, high, word = (spec.metadata[name] for name in ("low", "high", "word"))
    if word is not None and value == word:
        return value
    kind: Any = type(spec.default)
    fits = isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    if not fits or not low <= value <= high:
        noun = "a whole number" if kind is int else "a number"
        also = f", or {word}" if word else ""
        raise ValueError(f"{spec.name}: {reprlib.repr(value)} is not {noun} from {low:,} to {high:,}{also}")
    return 0.0 if kind is float and abs(value) < sys.float_info.min else kind(value)
