"""From which races may a visitor start, with one click? Each shows one thing, and is calibrated as the openings are."""

from collections.abc import Callable
from dataclasses import dataclass

from lstm_core.experiment import CHRONO, Experiment
from lstm_core.language import _
from lstm_core.measurements.forecast import LAST_VALUE, LINEAR, SEASONAL
from lstm_core.openings import rules
from lstm_core.openings.presets import Results, solved
from lstm_core.openings.races import (
    COUNTING,
    EQUAL_WEIGHTS,
    IN_TIME,
    KEPT_ORTHOGONAL,
    ON_HIGHWAYS,
    Settings,
    race_on,
)

EXPLOSION: Settings = {
    "section": "clipping",
    "length": 50,
    "activation": "relu",
    "init": "identity",
    "lr": 0.003,
    "steps": 600,
}
SELECT: Settings = {
    "task": "adding",
    "length": 100,
    "hidden": 32,
    "steps": 600,
    "forget_bias": CHRONO,
    "racers": ["GRU", "minGRU", "minLSTM", "LRU"],
}
TEN_AHEAD: Settings = {"horizon": 10}
NOISY: Settings = {"series": "sines"}
TREND: Settings = {"series": "us_employment", "steps": 500}
SEASON: Settings = {"series": "san_francisco_hourly"}


@dataclass(frozen=True)
class Start:
    """
    A race to start from: its page, a name that stays, its label, the claim in one sentence, and the settings of the
    page's controls that differ from those with which it opens.

    `holds(results)` decides the claim from all snapshots of all racers, by label.
    """

    page: str
    name: str
    label: str
    claim: str
    settings: Settings
    holds: Callable[[Results], bool]

    @property
    def key(self) -> str:
        """Its name among those of all pages."""
        return f"{self.page}: {self.name}"

    def experiments(self, seed: int = 0) -> dict[str, Experiment]:
        """The racers' experiments by label."""
        return race_on(self.page, self.settings, seed)


STARTS = (
    Start(
        "dashboard",
        "ten steps",
        _("Memory of 10 steps"),
        _("Over 10 steps both solve adding: the vanilla RNN can remember that long. The LSTM is faster."),
        {"length": 10, "steps": 1000},
        rules.both_solve,
    ),
    Start(
        "dashboard",
        "hundred steps",
        _("Memory of 100 steps"),
        _("LSTM and GRU solve adding. By then the vanilla RNN still guesses the average."),
        {"racers": ["vanilla RNN", "LSTM", "GRU"]},
        rules.gated_cells_remember,
    ),
    Start(
        "dashboard",
        "without chrono",
        _("100 steps, forget gates half closed"),
        _("With a forget bias of 1 the LSTM has not solved it after 500 steps: it forgets too soon."),
        {"forget_bias": 1.0},
        lambda results: not solved(results["LSTM"]),
    ),
    Start(
        "activations",
        "vanish",
        _("Vanish"),
        _("Almost no gradient reaches step 1, least of all the sigmoid's. Neither network learns."),
        {"activation": "sigmoid", "others": ["tanh"], "steps": 500},
        rules.sigmoid_fades_most,
    ),
    Start(
        "activations",
        "no activation",
        _("Slope 1 everywhere"),
        _("Without any activation the gradient still vanishes: the random W_h shrinks it."),
        {"activation": "identity", "others": ["tanh"], "steps": 500},
        lambda results: rules.fades(results, "identity"),
    ),
    Start(
        "activations",
        "identity",
        _("Start from the identity"),
        _("Starting from W_h = I, ReLU solves adding. Until then sigmoid and tanh learn nothing."),
        {"activation": "relu", "init": "identity", "others": ["sigmoid", "tanh"]},
        rules.only_relu_learns,
    ),
    Start(
        "gradient_flow",
        "explode",
        _("Explode"),
        _("A ReLU network from W_h = I without clipping: its gradient norm passes 500, and it hardly learns."),
        {**EXPLOSION, "clip": "none"},
        rules.explodes,
    ),
    Start(
        "gradient_flow",
        "clip",
        _("Clip: the same explosion, tamed"),
        _("The same network, clipped to a norm of 1: the gradient still explodes, but the network learns."),
        EXPLOSION,
        rules.is_tamed,
    ),
    Start(
        "gradient_flow",
        "highway",
        _("Highway: no forget gate"),
        _("Without a forget gate the cell's gradient reaches step 1 undiminished, and the LSTM solves adding."),
        {"section": "highway", "gates": ["i", "o"]},
        rules.highway_is_open,
    ),
    Start(
        "gradient_flow",
        "forget at once",
        _("Forget within two steps"),
        _("With a forget bias of 0 hardly any of the cell's gradient reaches step 1. The LSTM learns nothing."),
        {"section": "ruler", "forget_bias": 0.0},
        rules.forgets_at_once,
    ),
    Start(
        "gates",
        "no forget gate",
        _("No forget gate"),
        _("Its largest state grows to 1.5 times the full cell's or more. Only the full cell solves adding."),
        {"gates": ["i", "o"], "variants": ["no peepholes"]},
        rules.state_climbs,
    ),
    Start(
        "gates",
        "no input gate",
        _("No input gate"),
        _("Everything it reads is written, even what it should ignore. Only the full cell solves adding."),
        {"gates": ["f", "o"], "variants": ["no peepholes"]},
        rules.only_full_cell_solves,
    ),
    Start(
        "gates",
        "no gates",
        _("No gates at all"),
        _("Up to 1 is added at every step, so the largest state comes near T. Adding is not solved."),
        {"gates": [], "variants": ["no peepholes"]},
        rules.state_nears_length,
    ),
    Start(
        "gates",
        "chrono",
        _("Chrono"),
        _("Forget gates that start open for every time scale up to T: both cells solve adding over 100 steps."),
        {"length": 100, "forget_bias": CHRONO, "variants": ["coupled gates"]},
        rules.all_solve,
    ),
    Start(
        "concatenation",
        "no difference",
        _("No difference, in a GRU either"),
        _("One matrix or two, from the same weights: losses equal to 1e-12 for 100 steps, solved together."),
        {"cell": "gru"},
        rules.no_difference,
    ),
    Start(
        "concatenation",
        "own first weights",
        _("First weights of their own"),
        _("The curves part because the first weights differ, not because of the layout; both solve adding."),
        {"compare": "init"},
        rules.part_and_solve,
    ),
    Start(
        "concatenation",
        "second bias",
        _("A second bias"),
        _("At first the same function; but two biases move twice as fast, so the curves part. Both solve adding."),
        {"compare": "biases"},
        rules.part_and_solve,
    ),
    Start(
        "depth",
        "six layers",
        _("Six layers"),
        _("Six plain layers guess the average. Residual and dense stacks end below a fifth of its loss."),
        {"layers": 6},
        rules.plain_is_stuck,
    ),
    Start(
        "depth",
        "equal weights",
        _("Equal numbers of weights"),
        _("With no more weights than the plain stack, residual and dense stacks learn. The plain one does not."),
        {"compared": EQUAL_WEIGHTS},
        rules.plain_is_stuck,
    ),
    Start(
        "depth",
        "little data",
        _("Only 128 sequences"),
        _("On new sequences, residual and dense stacks have less than half the loss of the plain one."),
        {"sequences": 128},
        rules.little_data_is_enough,
    ),
    Start(
        "depth",
        "dense in time",
        _("Dense in time"),
        _("A cell that sees its last 8 states mostly brings 1,000 times the gradient to step 1, before training."),
        {"look": IN_TIME, "windows": ["1", "8"], "length": 60},
        rules.shorter_way,
    ),
    Start(
        "highways",
        "select",
        _("Select two of a hundred"),
        _("What has gates that start open for every time scale solves adding; the LRU alone does not."),
        SELECT,
        rules.only_gates_select,
    ),
    Start(
        "highways",
        "count",
        _("Count ones"),
        _("Transitions from -1 to 1 learn running parity, as LSTM and GRU do. From 0 to 1: not."),
        {"way": COUNTING, **ON_HIGHWAYS[COUNTING]},
        rules.only_positive_cannot_count,
    ),
    Start(
        "highways",
        "orthogonal",
        _("Keep W_h orthogonal"),
        _("The RNN whose W_h is kept orthogonal copies. Free at the whole learning rate, it does not."),
        {"way": KEPT_ORTHOGONAL, **ON_HIGHWAYS[KEPT_ORTHOGONAL]},
        rules.kept_copies,
    ),
    Start(
        "forecast",
        "ten ahead",
        _("Ten steps ahead"),
        _(
            "10 steps ahead on Mackey-Glass, the picked network beats the last value and the linear autoregression "
            "fivefold."
        ),
        TEN_AHEAD,
        lambda results: min(rules.times_lower(results, TEN_AHEAD)[name] for name in (LAST_VALUE, LINEAR)) > 5,
    ),
    Start(
        "forecast",
        "noise",
        _("Sines with noise"),
        _("The picked network beats the last value and the last season, but not tenfold: noise cannot be forecast."),
        NOISY,
        lambda results: rules.beat_but_not_tenfold(results, NOISY),
    ),
    Start(
        "forecast",
        "season",
        _("A season: yesterday wins"),
        _("Each day is like the one before: repeating it beats the picked network."),
        SEASON,
        lambda results: rules.times_lower(results, SEASON)[SEASONAL] <= 1,
    ),
    Start(
        "forecast",
        "trend",
        _("A trend: the last value wins"),
        _("The level climbs beyond what any network has seen: repeating the last value beats the picked one."),
        TREND,
        lambda results: rules.times_lower(results, TREND)[LAST_VALUE] <= 1,
    ),
)
