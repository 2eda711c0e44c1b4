"""Is a grid the experiments that it says, and is a bad one refused by name?"""

from pathlib import Path
from typing import Any

import pytest

from lstm_core import Experiment
from lstm_core.openings.presets import GATE_SETS
from lstm_core.race.limits import multiplications
from lstm_core.sweep import grid
from lstm_core.sweep.grid import read_grid

ROOT = Path(__file__).parents[1]


def test_lists_are_crossed_with_variants_and_seeds() -> None:
    groups = read_grid("""
        [base]
        length = 20
        [grid]
        task = ["adding", "latch"]
        lr = [0.01, 0.1]
        seeds = 2
        [[variants]]
        name = "LSTM"
        [[variants]]
        name = "RNN"
        cell = "rnn"
    """)
    cells = [
        (task, f"{label}, lr {lr}", [Experiment(task=task, length=20, lr=lr, cell=cell, seed=seed) for seed in (0, 1)])
        for task in ("adding", "latch")
        for lr in (0.01, 0.1)
        for label, cell in (("LSTM", "lstm"), ("RNN", "rnn"))
    ]
    assert [(group.task, group.variant, list(group.experiments)) for group in groups] == cells


def test_seeds_may_be_named_and_equal_experiments_are_one() -> None:
    (group,) = read_grid("grid = { seed = [3, 1, 3], lr = [1, 1.0] }\nvariants = [{ name = 'a' }]")[:1]
    assert [experiment.seed for experiment in group.experiments] == [3, 1]


def test_none_is_a_word() -> None:
    (group,) = read_grid('grid = { output_activation = ["none"] }')
    assert group.experiments == (Experiment(),)


def test_the_grid_of_greff_et_al_is_theirs() -> None:
    groups = read_grid((ROOT / "sweeps" / "greff.toml").read_text())
    assert sum(len(group.experiments) for group in groups) == 8 * 5 * 2
    assert {group.task for group in groups} == {"adding", "temporal_order"}
    for group in groups:
        for seed, experiment in enumerate(group.experiments):
            same: dict[str, Any] = {
                "length": 60,
                "hidden": 32,
                "steps": 2000,
                "lr": 0.02,
                "init": "xavier",
                "seed": seed,
            }
            assert experiment == Experiment(task=group.task, **same, **GATE_SETS[group.variant])
    assert {group.variant for group in groups} == {*GATE_SETS} - {"no gates"}
    assert sum(multiplications(experiment) for group in groups for experiment in group.experiments) < 6e12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "^grid: there is nothing to cross"),
        ("[base]\nlength = 5", "^grid: there is nothing to cross"),
        ("[grid", "at end of document"),
        ("[colours]", "^grid: 'colours' is not one of base, grid, variants"),
        ("base = 3", "^base: 3 is not a table"),
        ("[base]\ncolour = 'red'", "^field: 'colour' is not one of task, length"),
        ("[base]\nlength = [1, 2]", r"^length: \[1, 2\] is not one value"),
        ("[grid]\ncolour = ['red']", "^field: 'colour' is not one of task, length"),
        ("[grid]\nlength = 5", "^length: 5 is not a list of values"),
        ("[grid]\nlength = []", r"^length: \[\] is not a list of values"),
        ("[grid]\nlength = [5, -5]", "^length: -5 is not a whole number from 1 to"),
        ("[grid]\nlength = [5, 1979-05-27]", "^length: datetime.* is not a whole number"),
        ("[grid]\nlr = [nan]", "^lr: nan is not a number"),
        ("[grid]\nlength = [[5]]", r"^length: \[5\] is not one value"),
        ("[grid]\nseeds = 0", "^seeds: 0 is not a whole number from 1"),
        ("[grid]\nseeds = true", "^seeds: True is not a whole number from 1"),
        ("[grid]\nseeds = 2\nseed = [1]", "^seeds: there is a seed as well"),
        (
            "[grid]\nseeds = 1000\nlength = [1, 2]\nbatch = [1, 2]\nsteps = [" + "1," * 300 + "]",
            "^grid: 1,200,000 runs",
        ),
        ('{"grid": {"seeds": 5}}', "^grid: is not TOML; Invalid "),
        ("grid:\n  seeds: 5", "^grid: is not TOML; Expected '=' after a key"),
        ("a = " + "[" * 5000, "^grid: is not TOML; "),
        (
            '[[variants]]\nname = "a\\nb"',
            "^variants: the name 'a.*b' is not a printable text of its own",
        ),
        ("variants = 3", "^variants: 3 is not a table"),
        ("[[variants]]\ncell = 'rnn'", "^variants: the name None is not a printable text of its own"),
        (
            "[[variants]]\nname = 'a'\n[[variants]]\nname = 'a'",
            "^variants: the name 'a' is not a printable text of its own",
        ),
        ("[[variants]]\nname = 'a'\ncolour = 'red'", "^field: 'colour' is not one of"),
        ("[base]\ncell = 'rnn'\n[[variants]]\nname = 'V'\npeephole = true", r"^peephole: .* \(variant V\)$"),
        (
            "[base]\nseries = 'csv:0123456789abcdef'\n[grid]\nseeds = 2",
            "^series: 'csv:0123456789abcdef' is of a visitor",
        ),
    ],
)
def test_a_bad_grid_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        read_grid(text)
    assert "\n" not in str(refused.value)


def test_more_runs_than_asked_for_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "Experiment", None)
    with pytest.raises(ValueError, match=r"^grid: 1,000,000 runs are more than 30; take the command line for more$"):
        read_grid("[grid]\nseeds = 1000000", 30)
