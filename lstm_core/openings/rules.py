"""When does the claim of a race to start from hold? Each rule decides from all snapshots of all racers, by label."""

import math

from lstm_core.measurements import forecast
from lstm_core.measurements.forecast import LAST_VALUE, SEASONAL
from lstm_core.openings.presets import Results, picked, reach, solved, stuck
from lstm_core.openings.races import Settings, race_on
from lstm_core.tasks import TASKS
from lstm_core.training.snapshot import Snapshot


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


def both_solve(results: Results) -> bool:
    rnn, lstm = results["vanilla RNN"], results["LSTM"]
    return solved(rnn) and solved(lstm) and lstm[-1].step < rnn[-1].step


def gated_cells_remember(results: Results) -> bool:
    rnn, gated = results["vanilla RNN"], [results["LSTM"], results["GRU"]]
    return all(map(solved, gated)) and stuck(rnn, max(racer[-1].step for racer in gated))


def fades(results: Results, label: str) -> bool:
    """Next to nothing of a racer's gradient comes back before training, and it does not learn."""
    racer = results[label]
    return reach(racer[0]) < 1e-12 and stuck(racer, racer[-1].step)


def sigmoid_fades_most(results: Results) -> bool:
    sigmoid, tanh = results["sigmoid"], results["tanh"]
    return fades(results, "sigmoid") and fades(results, "tanh") and reach(sigmoid[0]) < reach(tanh[0])


def only_relu_learns(results: Results) -> bool:
    relu = results["ReLU"]
    return solved(relu) and all(stuck(results[label], relu[-1].step) for label in ("sigmoid", "tanh"))


def explodes(results: Results) -> bool:
    rnn = results["vanilla RNN"]
    return _largest_gradient(results, "vanilla RNN") > 500 and rnn[-1].mean_loss > _constant() / 2


def is_tamed(results: Results) -> bool:
    rnn = results["vanilla RNN"]
    return _largest_gradient(results, "vanilla RNN") > 300 and rnn[-1].mean_loss < _constant() / 5


def highway_is_open(results: Results) -> bool:
    rnn, lstm = results["vanilla RNN"], results["LSTM"]
    return solved(lstm) and min(map(_cell_path, (lstm[0], lstm[-1]))) > 1 and reach(rnn[0]) < 1e-12


def forgets_at_once(results: Results) -> bool:
    lstm = results["LSTM"]
    return _cell_path(lstm[0]) < 1e-12 and stuck(lstm, lstm[-1].step)


def only_full_cell_solves(results: Results) -> bool:
    cell, full = results.values()
    return solved(full) and not solved(cell)


def state_climbs(results: Results) -> bool:
    cell, full = _largest_cell(results)
    return only_full_cell_solves(results) and cell > 1.5 * full


def state_nears_length(results: Results) -> bool:
    cell, full = _largest_cell(results)
    return only_full_cell_solves(results) and cell > 0.8 * 60 > full


def all_solve(results: Results) -> bool:
    return all(map(solved, results.values()))


def _largest_difference(results: Results, steps: int) -> float:
    one, other = results.values()
    return max(abs(a.loss - b.loss) for a, b in zip(one[:steps], other[:steps], strict=True))


def no_difference(results: Results) -> bool:
    one, other = results.values()
    return all_solve(results) and one[-1].step == other[-1].step and _largest_difference(results, 100) <= 1e-12


def part_and_solve(results: Results) -> bool:
    return all_solve(results) and _largest_difference(results, 100) > 1e-6


def plain_is_stuck(results: Results) -> bool:
    plain, *wired = results.values()
    return stuck(plain, plain[-1].step) and all(racer[-1].mean_loss < _constant() / 5 for racer in wired)


def little_data_is_enough(results: Results) -> bool:
    plain, residual, dense = (racer[-1].held_out_loss or 0.0 for racer in results.values())
    return max(residual, dense) < plain / 2


def shorter_way(results: Results) -> bool:
    return reach(results["k = 8"][0]) > 1000 * reach(results["k = 1"][0])


def only_gates_select(results: Results) -> bool:
    return [label for label, racer in results.items() if not solved(racer)] == ["LRU"]


def only_positive_cannot_count(results: Results) -> bool:
    return [label for label, racer in results.items() if not solved(racer)] == ["a in [0, 1]"]


def kept_copies(results: Results) -> bool:
    return solved(results["W_h kept orthogonal"]) and not solved(results["W_h orthogonal at first"])


def times_lower(results: Results, settings: Settings) -> dict[str, float]:
    """By baseline, how many times lower than its RMSE on the test part that of the picked racer is; 0 without one."""
    experiments = race_on("forecast", settings)
    best, scores = picked(results, experiments)
    series, horizon = experiments[best].view.series, experiments[best].horizon
    places = forecast.tested_by(experiments[best])
    forecasts = {name: baseline(series, horizon, places) for name, baseline in forecast.BASELINES.items()}
    errors = {name: forecast.errors(series, those, places).rmse for name, those in forecasts.items()}
    return {name: error / scores[best].model if math.isfinite(error) else 0.0 for name, error in errors.items()}


def beat_but_not_tenfold(results: Results, settings: Settings) -> bool:
    times = times_lower(results, settings)
    return times[SEASONAL] > 1 and 1 < times[LAST_VALUE] < 10
