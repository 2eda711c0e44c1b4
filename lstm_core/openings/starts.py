"""From which races may a visitor start, with one click? Each shows one thing, and is calibrated as the openings are."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from lstm_core.experiment import CHRONO, Experiment
from lstm_core.language import _
from lstm_core.measurements import forecast
from lstm_core.measurements.forecast import LAST_VALUE, LINEAR, SEASONAL
from lstm_core.openings.presets import Results, picked, reach, solved, stuck
from lstm_core.openings.races import EQUAL_WEIGHTS, IN_TIME, Settings, race_on
from lstm_core.tasks import TASKS
from lstm_core.training.snapshot import Snapshot

EXPLOSION: Settings = {
    "section": "clipping",
    "length": 50,
    "activation": "relu",
    "init": "identity",
    "lr": 0.003,
    "steps": 600,
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


def _constant() -> float:
    """The loss of the constant predictor on adding."""
    return TASKS["adding"].constant_loss(0)


def _largest_cell(results: Results) -> list[float]:
    """The largest |c| of each racer, over the whole training."""
    return [max(snapshot.max_cell or 0.0 for snapshot in racer) for racer in results.values()]


def _largest_gradient(results: Results, label: str) -> float:
    return max(snapshot.grad_norm for snapshot in results[label])


def _cell_path(snapshot: Snapshot) -> float:
    """How much of an LSTM's gradient of the last cell state is left at the first."""
    norms = snapshot.cell_grad_norms or (0.0, 1.0)
    return norms[0] / norms[-1]


def _both_solve(results: Results) -> bool:
    rnn, lstm = results["vanilla RNN"], results["LSTM"]
    return solved(rnn) and solved(lstm) and lstm[-1].step < rnn[-1].step


def _gated_cells_remember(results: Results) -> bool:
    rnn, gated = results["vanilla RNN"], [results["LSTM"], results["GRU"]]
    return all(map(solved, gated)) and stuck(rnn, max(racer[-1].step for racer in gated))


def _fades(results: Results, label: str) -> bool:
    """Next to nothing of a racer's gradient comes back before training, and it does not learn."""
    racer = results[label]
    return reach(racer[0]) < 1e-12 and stuck(racer, racer[-1].step)


def _sigmoid_fades_most(results: Results) -> bool:
    sigmoid, tanh = results["sigmoid"], results["tanh"]
    return _fades(results, "sigmoid") and _fades(results, "tanh") and reach(sigmoid[0]) < reach(tanh[0])


def _only_relu_learns(results: Results) -> bool:
    relu = results["ReLU"]
    return solved(relu) and all(stuck(results[label], relu[-1].step) for label in ("sigmoid", "tanh"))


def _explodes(results: Results) -> bool:
    rnn = results["vanilla RNN"]
    return _largest_gradient(results, "vanilla RNN") > 500 and rnn[-1].mean_loss > _constant() / 2


def _is_tamed(results: Results) -> bool:
    rnn = results["vanilla RNN"]
    return _largest_gradient(results, "vanilla RNN") > 300 and rnn[-1].mean_loss < _constant() / 5


def _highway_is_open(results: Results) -> bool:
    rnn, lstm = results["vanilla RNN"], results["LSTM"]
    return solved(lstm) and min(map(_cell_path, (lstm[0], lstm[-1]))) > 1 and reach(rnn[0]) < 1e-12


def _forgets_at_once(results: Results) -> bool:
    lstm = results["LSTM"]
    return _cell_path(lstm[0]) < 1e-12 and stuck(lstm, lstm[-1].step)


def _only_full_cell_solves(results: Results) -> bool:
    cell, full = results.values()
    return solved(full) and not solved(cell)


def _state_climbs(results: Results) -> bool:
    cell, full = _largest_cell(results)
    return _only_full_cell_solves(results) and cell > 1.5 * full


def _state_nears_length(results: Results) -> bool:
    cell, full = _largest_cell(results)
    return _only_full_cell_solves(results) and cell > 0.8 * 60 > full


def _all_solve(results: Results) -> bool:
    return all(map(solved, results.values()))


def _largest_difference(results: Results, steps: int) -> float:
    one, other = results.values()
    return max(abs(a.loss - b.loss) for a, b in zip(one[:steps], other[:steps], strict=True))


def _no_difference(results: Results) -> bool:
    one, other = results.values()
    return _all_solve(results) and one[-1].step == other[-1].step and _largest_difference(results, 100) <= 1e-12


def _part_and_solve(results: Results) -> bool:
    return _all_solve(results) and _largest_difference(results, 100) > 1e-6


def _plain_is_stuck(results: Results) -> bool:
    plain, *wired = results.values()
    return stuck(plain, plain[-1].step) and all(racer[-1].mean_loss < _constant() / 5 for racer in wired)


def _little_data_is_enough(results: Results) -> bool:
    plain, residual, dense = (racer[-1].held_out_loss or 0.0 for racer in results.values())
    return max(residual, dense) < plain / 2


def _shorter_way(results: Results) -> bool:
    return reach(results["k = 8"][0]) > 1000 * reach(results["k = 1"][0])


def _times_lower(results: Results, settings: Settings) -> dict[str, float]:
    """By baseline, how many times lower than its RMSE on the test part that of the picked racer is; 0 without one."""
    experiments = race_on("forecast", settings)
    best, scores = picked(results, experiments)
    series, horizon = experiments[best].view.series, experiments[best].horizon
    places = forecast.tested_by(experiments[best])
    forecasts = {name: baseline(series, horizon, places) for name, baseline in forecast.BASELINES.items()}
    errors = {name: forecast.errors(series, those, places).rmse for name, those in forecasts.items()}
    return {name: error / scores[best].model if math.isfinite(error) else 0.0 for name, error in errors.items()}


def _beat_but_not_tenfold(results: Results) -> bool:
    times = _times_lower(results, NOISY)
    return times[SEASONAL] > 1 and 1 < times[LAST_VALUE] < 10


STARTS = (
    Start(
        "dashboard",
        "ten steps",
        _("Memory of 10 steps"),
        _("Over 10 steps both solve adding: the vanilla RNN can remember that long. The LSTM is faster."),
        {"length": 10, "steps": 1000},
        _both_solve,
    ),
    Start(
        "dashboard",
        "hundred steps",
        _("Memory of 100 steps"),
        _("LSTM and GRU solve adding. By then the vanilla RNN still guesses the average."),
        {"racers": ["vanilla RNN", "LSTM", "GRU"]},
        _gated_cells_remember,
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
        _sigmoid_fades_most,
    ),
    Start(
        "activations",
        "no activation",
        _("Slope 1 everywhere"),
        _("Without any activation the gradient still vanishes: the random W_h shrinks it."),
        {"activation": "identity", "others": ["tanh"], "steps": 500},
        lambda results: _fades(results, "identity"),
    ),
    Start(
        "activations",
        "identity",
        _("Start from the identity"),
        _("Starting from W_h = I, ReLU solves adding. Until then sigmoid and tanh learn nothing."),
        {"activation": "relu", "init": "identity", "others": ["sigmoid", "tanh"]},
        _only_relu_learns,
    ),
    Start(
        "gradient_flow",
        "explode",
        _("Explode"),
        _("A ReLU network from W_h = I without clipping: its gradient norm passes 500, and it hardly learns."),
        {**EXPLOSION, "clip": "none"},
        _explodes,
    ),
    Start(
        "gradient_flow",
        "clip",
        _("Clip: the same explosion, tamed"),
        _("The same network, clipped to a norm of 1: the gradient still explodes, but the network learns."),
        EXPLOSION,
        _is_tamed,
    ),
    Start(
        "gradient_flow",
        "highway",
        _("Highway: no forget gate"),
        _("Without a forget gate the cell's gradient reaches step 1 undiminished, and the LSTM solves adding."),
        {"section": "highway", "gates": ["i", "o"]},
        _highway_is_open,
    ),
    Start(
        "gradient_flow",
        "forget at once",
        _("Forget within two steps"),
        _("With a forget bias of 0 hardly any of the cell's gradient reaches step 1. The LSTM learns nothing."),
        {"section": "ruler", "forget_bias": 0.0},
        _forgets_at_once,
    ),
    Start(
        "gates",
        "no forget gate",
        _("No forget gate"),
        _("Its largest state grows to 1.5 times the full cell's (NP) or more. Only the full cell solves adding."),
        {"gates": ["i", "o"], "variants": ["NP"]},
        _state_climbs,
    ),
    Start(
        "gates",
        "no input gate",
        _("No input gate"),
        _("Everything it reads is written, even what it should ignore. Only the full cell (NP) solves adding."),
        {"gates": ["f", "o"], "variants": ["NP"]},
        _only_full_cell_solves,
    ),
    Start(
        "gates",
        "no gates",
        _("No gates at all"),
        _("Up to 1 is added at every step, so the largest state comes near T. Adding is not solved."),
        {"gates": [], "variants": ["NP"]},
        _state_nears_length,
    ),
    Start(
        "gates",
        "chrono",
        _("Chrono"),
        _("Forget gates that start open for every time scale up to T: both cells solve adding over 100 steps."),
        {"length": 100, "forget_bias": CHRONO, "variants": ["CIFG"]},
        _all_solve,
    ),
    Start(
        "concatenation",
        "no difference",
        _("No difference, in a GRU either"),
        _("One matrix or two, from the same weights: losses equal to 1e-12 for 100 steps, solved together."),
        {"cell": "gru"},
        _no_difference,
    ),
    Start(
        "concatenation",
        "own first weights",
        _("First weights of their own"),
        _("The curves part because the first weights differ, not because of the layout; both solve adding."),
        {"compare": "init"},
        _part_and_solve,
    ),
    Start(
        "concatenation",
        "second bias",
        _("A second bias"),
        _("At first the same function; but two biases move twice as fast, so the curves part. Both solve adding."),
        {"compare": "biases"},
        _part_and_solve,
    ),
    Start(
        "depth",
        "six layers",
        _("Six layers"),
        _("Six plain layers guess the average. Residual and dense stacks end below a fifth of its loss."),
        {"layers": 6},
        _plain_is_stuck,
    ),
    Start(
        "depth",
        "equal weights",
        _("Equal numbers of weights"),
        _("With no more weights than the plain stack, residual and dense stacks learn. The plain one does not."),
        {"compared": EQUAL_WEIGHTS},
        _plain_is_stuck,
    ),
    Start(
        "depth",
        "little data",
        _("Only 128 sequences"),
        _("On new sequences, residual and dense stacks have less than half the loss of the plain one."),
        {"sequences": 128},
        _little_data_is_enough,
    ),
    Start(
        "depth",
        "dense in time",
        _("Dense in time"),
        _("A cell that sees its last 8 states mostly brings 1,000 times the gradient to step 1, before training."),
        {"look": IN_TIME, "windows": ["1", "8"], "length": 60},
        _shorter_way,
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
        lambda results: min(_times_lower(results, TEN_AHEAD)[name] for name in (LAST_VALUE, LINEAR)) > 5,
    ),
    Start(
        "forecast",
        "noise",
        _("Sines with noise"),
        _("The picked network beats the last value and the last season, but not tenfold: noise cannot be forecast."),
        NOISY,
        _beat_but_not_tenfold,
    ),
    Start(
        "forecast",
        "season",
        _("A season: yesterday wins"),
        _("Each day is like the one before: repeating it beats the picked network."),
        SEASON,
        lambda results: _times_lower(results, SEASON)[SEASONAL] <= 1,
    ),
    Start(
        "forecast",
        "trend",
        _("A trend: the last value wins"),
        _("The level climbs beyond what any network has seen: repeating the last value beats the picked one."),
        TREND,
        lambda results: _times_lower(results, TREND)[LAST_VALUE] <= 1,
    ),
)
