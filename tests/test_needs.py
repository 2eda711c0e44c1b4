"""Do charts say what they need measured, and draw what was measured and nothing else?"""

from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings, strategies

from lstm_core import ACTIVATIONS, Experiment, train
from lstm_core.cells import FAMILIES
from lstm_core.charts import flow
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import Need, last, measured, missing, single
from lstm_core.charts.points import Curve
from lstm_core.experiment import CHRONO
from lstm_core.measurements.checkpoints import Checkpoint

RNN = Experiment(cell="rnn", length=12, hidden=4, batch=4, steps=20)
SERIES = replace(RNN, task="forecast", series="sines")
BARE = {
    "series": [Curve("it", SERIES, list(train(SERIES, 5, 10)))],
    "sequences": [
        Curve(label, experiment, list(train(experiment, 5, 10)))
        for label, experiment in (("RNN", RNN), ("LSTM", replace(RNN, cell="lstm")))
    ],
}
MEASURING = [name for name, chart in CHARTS.items() if chart.needs]


def kind(name: str) -> str:
    return "series" if name in ("forecasts", "residuals", "beyond", "free_running", "validation") else "sequences"


def curves_for(name: str) -> list[Curve]:
    return BARE[kind(name)]


@cache
def complete(kind: str) -> list[Curve]:
    """With everything that any chart needs."""
    return measured(
        BARE[kind], [need for name in MEASURING if curves_for(name) is BARE[kind] for need in CHARTS[name].needs]
    )


def drawn(name: str, curves: list[Curve]) -> pd.DataFrame:
    return CHARTS[name].table(curves).to_pandas()


def drawn_of(name: str, measurements: set[Any]) -> pd.DataFrame:
    """A chart of curves of which nothing but these was measured."""
    known = [
        {key: result for key, result in curve.measured.items() if key[0] in measurements}
        for curve in complete(kind(name))
    ]
    return drawn(name, [replace(curve, measured=of) for curve, of in zip(curves_for(name), known, strict=True)])


@pytest.mark.parametrize("name", MEASURING)
def test_a_chart_needs_all_that_it_says_and_no_more(name: str) -> None:
    needs = {need.what for need in CHARTS[name].needs}
    whole = drawn_of(name, needs)
    pd.testing.assert_frame_equal(whole, drawn(name, complete(kind(name))))
    for need in needs:
        assert not whole.equals(drawn_of(name, needs - {need}))


@pytest.mark.parametrize("name", MEASURING)
def test_a_chart_measures_nothing_itself(name: str) -> None:
    curves = curves_for(name)
    drawn(name, curves)
    assert [curve.measured for curve in curves] == [{}] * len(curves)
    assert any(missing(curve, CHARTS[name].needs) for curve in curves)
    assert not any(missing(curve, CHARTS[name].needs) for curve in complete(kind(name)))


def step_of(checkpoint: Checkpoint) -> int:
    return checkpoint.step


STEP = Need(step_of, single, last)


def test_until_a_step_is_measured_what_was_measured_before_it_is_shown() -> None:
    (curve,) = measured([BARE["sequences"][0].at(10)], [STEP])
    later = replace(BARE["sequences"][0], measured=curve.measured)
    assert missing(later, [STEP]) == [(step_of, 20)]
    assert list(STEP.found([later])) == [(later, 10, 10)]
    assert list(STEP.found([later.at(9)])) == []


def test_what_could_not_be_measured_is_not_drawn_and_not_asked_for_again() -> None:
    curve = replace(BARE["sequences"][0], measured={(step_of, 20): ArithmeticError()})
    assert missing(curve, [STEP]) == []
    assert list(STEP.found([curve])) == []


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(
    strategies.sampled_from(sorted(FAMILIES)),
    strategies.sampled_from(sorted(ACTIVATIONS)),
    strategies.sampled_from([0.0, 0.5, 3.0]),
    strategies.sampled_from([-20.0, 0.0, 20.0, CHRONO]),
    strategies.integers(1, 3),
)
def test_whatever_a_network_is_drawn_like_its_measurements_do_not_raise(
    cell: str, activation: str, gain: float, forget_bias: float | str, layers: int
) -> None:
    setting = Experiment(
        cell=cell,
        activation=activation if FAMILIES[cell].activated else "tanh",
        gain=gain,
        forget_bias=forget_bias,
        layers=layers,
        length=12,
        hidden=4,
        batch=4,
    )
    needs = [need for name in MEASURING if kind(name) == "sequences" for need in CHARTS[name].needs]
    (curve,) = measured([Curve("it", setting, [])], needs)
    assert missing(curve, needs) == []


def test_ghosts_and_curves_without_weights_need_nothing() -> None:
    ghost = replace(BARE["sequences"][0], ghost=True)
    light = Curve("RNN", RNN, list(train(RNN, 5)))
    assert missing(ghost, [flow.REACH, flow.GROWTH]) == missing(light, [flow.REACH, flow.GROWTH]) == []
