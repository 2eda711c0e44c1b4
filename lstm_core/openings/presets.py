"""With which race does each page open, and does it show what the page says?"""

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, LAYOUTS
from lstm_core.experiment import CHRONO, Experiment
from lstm_core.measurements import forecast
from lstm_core.network import parameter_count
from lstm_core.tasks import TASKS
from lstm_core.training.snapshot import SOLVED, Snapshot
from lstm_core.wiring import WIRINGS

Changes = Mapping[str, Any]
Results = Mapping[str, Sequence[Snapshot]]

FAMILY_RACERS: dict[str, Changes] = {row.title or row.label: {"cell": name} for name, row in FAMILIES.items()}

# Those that the article is about, and their nearest kin.
ARTICLE_RACERS = ("vanilla RNN", "LSTM", "GRU")

FROM_IDENTITY = "ReLU, W_h = I"
ACTIVATION_RACERS: dict[str, Changes] = {
    **{row.label: {"activation": name} for name, row in ACTIVATIONS.items()},
    FROM_IDENTITY: {"activation": "relu", "init": "identity"},
}

# The variants of Greff et al. 2017: each differs from their vanilla LSTM, V, which has peepholes, in one respect.
GATE_SETS: dict[str, Changes] = {
    "no gates": {"gates": ""},
    "with peepholes": {"peephole": True},
    "no input gate": {"peephole": True, "gates": "fo"},
    "no forget gate": {"peephole": True, "gates": "io"},
    "no output gate": {"peephole": True, "gates": "if"},
    "no input activation": {"peephole": True, "activation": "identity", "output_activation": "tanh"},
    "no output activation": {"peephole": True, "output_activation": "identity"},
    "coupled gates": {"peephole": True, "coupled": True},
    "no peepholes": {},
}

WIRING_RACERS: dict[str, Changes] = {name: {"wiring": name} for name in WIRINGS}

# What may differ between the two layouts, one thing at a time.
LAYOUT_RACERS: dict[str, Changes] = {name: {"weights": name} for name in LAYOUTS}
COMPARISONS: dict[str, dict[str, Changes]] = {
    "weights": LAYOUT_RACERS,
    "init": {name: {**changes, "init": "linear"} for name, changes in LAYOUT_RACERS.items()},
    "biases": {"one bias": {"biases": 1}, "two biases": {"biases": 2}},
    "speed": {name: {**changes, "precision": "float32"} for name, changes in LAYOUT_RACERS.items()},
}


@dataclass(frozen=True)
class Opening:
    """
    The first race of a page: a base experiment, what each racer changes in it, and the claim that the page makes.

    `holds(results)` decides the claim from all snapshots of all racers, by label.
    """

    claim: str
    base: Experiment
    racers: Mapping[str, Changes]
    holds: Callable[[Results], bool]

    def experiments(self, seed: int = 0) -> dict[str, Experiment]:
        """The racers' experiments by label."""
        return variants(dataclasses.replace(self.base, seed=seed), self.racers)


def variants(base: Experiment, racers: Mapping[str, Changes]) -> dict[str, Experiment]:
    """One experiment for each racer: the base with that racer's changes."""
    return {label: dataclasses.replace(base, **changes) for label, changes in racers.items()}


def within_budget(racers: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """The racers with the largest hidden sizes that need no more weights than the first of them, at least 1."""
    first, *_ = racers.values()
    budget = parameter_count(first)
    return {label: of_weights(racer, budget) for label, racer in racers.items()}


def of_weights(racer: Experiment, budget: int) -> Experiment:
    """A racer with the largest hidden size that needs no more weights than `budget`, at least 1."""
    sizes = range(1, 2 * racer.hidden)
    wide = bisect_right(sizes, budget, key=lambda size: parameter_count(dataclasses.replace(racer, hidden=size)))
    return dataclasses.replace(racer, hidden=sizes[max(wide, 1) - 1])


def solved(snapshots: Sequence[Snapshot]) -> bool:
    return snapshots[-1].ended == SOLVED


def stuck(snapshots: Sequence[Snapshot], step: int) -> bool:
    """Within 10 % of the constant predictor on adding, at `step`."""
    constant = TASKS["adding"].constant_loss(0)
    return abs(snapshots[step - 1].mean_loss / constant - 1) <= 0.1


def reach(snapshot: Snapshot) -> float:
    """How much of the gradient of the last hidden state is left at the first."""
    return snapshot.hidden_grad_norms[0] / snapshot.hidden_grad_norms[-1]


def _lstm_remembers(results: Results) -> bool:
    lstm, rnn = results["LSTM"], results["vanilla RNN"]
    step = lstm[-1].step
    return solved(lstm) and stuck(rnn, step) and reach(lstm[-1]) > 1000 * reach(rnn[step - 1])


def _only_identity_learns(results: Results) -> bool:
    tanh, sigmoid, random, identity = results.values()
    step = identity[-1].step
    late = not solved(random) or random[-1].step > step
    return solved(identity) and late and stuck(tanh, step) and stuck(sigmoid, step)


def _gates_balance(results: Results) -> bool:
    full, coupled, unforgetting, bare = results.values()
    largest = [max(snapshot.max_cell or 0.0 for snapshot in racer) for racer in (coupled, full, unforgetting, bare)]
    return solved(full) and solved(coupled) and not solved(bare) and largest == sorted(largest) and largest[0] <= 1


def _layouts_agree(results: Results) -> bool:
    one, other = results.values()
    early = zip(one[:100], other[:100], strict=True)
    return one[-1].step == other[-1].step and all(abs(a.loss - b.loss) <= 1e-12 for a, b in early)


def _cell_keeps_a_path(results: Results) -> bool:
    rnn, lstm = results.values()
    paths = [snapshot.cell_grad_norms or (0.0, 1.0) for snapshot in (lstm[0], lstm[-1])]
    learned = lstm[-1].mean_loss < TASKS["adding"].constant_loss(0) / 3
    return reach(rnn[0]) < 1e-12 and min(path[0] / path[-1] for path in paths) > 0.01 and learned


def _wiring_hands_gradients_down(results: Results) -> bool:
    plain, *wired = results.values()
    constant = TASKS["adding"].constant_loss(0)
    shares = [racer[0].layer_grad_norms[0] / racer[0].layer_grad_norms[-1] for racer in (plain, *wired)]
    learned = all(racer[-1].mean_loss < constant / 5 for racer in wired)
    return learned and stuck(plain, plain[-1].step) and shares[0] < 0.1 and min(shares[1:]) > 0.5


def _linear_copies(results: Results) -> bool:
    gated, linear = [results["LSTM"], results["GRU"]], [results["LRU"], results["W_h kept orthogonal"]]
    constant = TASKS["copy"].constant_loss(OPENINGS["highways"].base.length)
    return all(map(solved, linear)) and all(racer[-1].mean_loss > 0.9 * constant for racer in gated)


def picked(results: Results, experiments: Mapping[str, Experiment]) -> tuple[str, dict[str, forecast.Scores]]:
    """
    Of forecasts: the racer that the validation part picks, and the scores of each on the test part, at the step that it
    picks. The weights are those of any seed, and say with any of these experiments the same.
    """
    by_label = {
        label: min(
            (forecast.validation_errors(experiments[label], snapshot.weights).rmse, snapshot.step, snapshot.weights)
            for snapshot in snapshots
            if snapshot.weights is not None
        )
        for label, snapshots in results.items()
    }
    scores = {label: forecast.scores(experiments[label], weights) for label, (*_, weights) in by_label.items()}
    return min(by_label, key=lambda label: by_label[label][0]), scores


def _forecasts_tenfold(results: Results) -> bool:
    best, scores = picked(results, OPENINGS["forecast"].experiments())
    return 10 * scores[best].model <= scores[best].last_value and max(scores, key=scores.__getitem__) == "sigmoid"


OPENINGS = {
    "dashboard": Opening(
        "The LSTM solves adding; at that step the vanilla RNN is still within 10 % of the constant predictor, and less "
        "than a thousandth as much of its gradient reaches the first time step.",
        Experiment(length=100, steps=500, batch=128, forget_bias=CHRONO),
        {"vanilla RNN": FAMILY_RACERS["vanilla RNN"], "LSTM": FAMILY_RACERS["LSTM"]},
        _lstm_remembers,
    ),
    "activations": Opening(
        "ReLU from W_h = I solves adding; at that step ReLU from random weights has not, and tanh and sigmoid are "
        "still within 10 % of the constant predictor.",
        Experiment(cell="rnn", length=100, batch=64, steps=1200, lr=0.003),
        {label: ACTIVATION_RACERS[label] for label in ("tanh", "sigmoid", "ReLU", FROM_IDENTITY)},
        _only_identity_learns,
    ),
    "gradient_flow": Opening(
        "Before training less than 1e-12 of the RNN's gradient of the last hidden state reaches the first time step; "
        "of the LSTM's gradient of the last cell state more than 1 % does, then and at the end, when its loss is below "
        "a third of the constant predictor's.",
        Experiment(length=100, steps=500, forget_bias=CHRONO),
        {"vanilla RNN": FAMILY_RACERS["vanilla RNN"], "LSTM": FAMILY_RACERS["LSTM"]},
        _cell_keeps_a_path,
    ),
    "gates": Opening(
        "With all gates, or coupled ones, adding is solved, with none it is not. The largest |c| is at most 1 with "
        "coupled gates, larger with all three, larger still without a forget gate, and largest without any.",
        Experiment(length=60, steps=500, batch=64, lr=0.02, init="xavier"),
        {
            "your cell": {},
            **{name: GATE_SETS[name] for name in ("coupled gates", "no forget gate", "no gates")},
        },
        _gates_balance,
    ),
    "concatenation": Opening(
        "Both layouts, from the same weights, have the same loss to 1e-12 for 100 steps, and end at the same step.",
        Experiment(length=60, steps=500, init="xavier", forget_bias=CHRONO, precision="float64"),
        LAYOUT_RACERS,
        _layouts_agree,
    ),
    "depth": Opening(
        "Of four layers wired plain, the first gets less than a tenth of the last one's gradient at the start, wired "
        "residual or dense more than half; both of these end below a fifth of the constant predictor's loss, while "
        "plain is still within 10 % of it.",
        Experiment(layers=4, length=30, hidden=16, steps=400),
        {name: WIRING_RACERS[name] for name in ("plain", "residual", "dense")},
        _wiring_hands_gradients_down,
    ),
    "highways": Opening(
        "The LRU and the RNN whose W_h is kept orthogonal solve copy memory; LSTM and GRU end within 10 % of the "
        "constant predictor, or above it.",
        Experiment(task="copy", length=50, hidden=64, steps=300),
        {label: FAMILY_RACERS[label] for label in ("LSTM", "GRU", "LRU", "W_h kept orthogonal")},
        _linear_copies,
    ),
    "forecast": Opening(
        "One step ahead on the test part of Mackey-Glass, the RMSE of the racer and the step that the validation part "
        "picks is at most a tenth of the last value's, and sigmoid's is the highest of the four.",
        Experiment(task="forecast", length=30, batch=64, steps=1000),
        {label: ACTIVATION_RACERS[label] for label in ("sigmoid", "tanh", "ReLU", "GELU")},
        _forecasts_tenfold,
    ),
}
