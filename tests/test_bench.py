"""Does the report of the benchmark tell everything it promises? Never whether anything is fast."""

import dataclasses
import json
import math
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from lstm_core import Experiment, data
from lstm_core.bench import bench, contestant, side_by_side
from lstm_core.commands.telling import rows
from lstm_core.kernels.pieces import KERNELS
from lstm_core.network import Network
from lstm_core.race import limits

TINY = contestant.Case("lstm", 6, 4, 4)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Of a quick report."""
    return list(bench.report(quick=True))


@pytest.fixture(scope="module")
def tables(lines: list[str]) -> dict[str, list[list[str]]]:
    """The cells of each table's rows, by its title."""
    rows_by_title: dict[str, list[list[str]]] = {}
    for line in lines:
        if line.startswith("## "):
            title = line.removeprefix("## ")
            rows_by_title[title] = []
        elif line.startswith("| "):
            rows_by_title[title].append([cell.strip() for cell in line.strip("|").split("|")])
    return {title: rows[1:] for title, rows in rows_by_title.items()}


def test_every_table_is_there(tables: dict[str, list[list[str]]]) -> None:
    first_words = [title.split(",")[0].split(":")[0] for title in tables]
    assert first_words == [
        *["Eight variants racing"] * 4,
        "One racer alone against torch.nn.LSTM",
        "Two racers",
        "Time spent in matrix products",
        "Growth of a whole training step from one racer",
        "Memory of a racer",
    ]
    assert [len(rows) for rows in tables.values()] == [4, 4, 4, 4, 6, 4, 2, 6, 2 * len(KERNELS)]


def test_other_programs_read_the_same_tables(lines: list[str], tables: dict[str, list[list[str]]]) -> None:
    read = [json.loads(row) for row in rows(lines)]
    assert [row["table"] for row in read] == [title for title, cells in tables.items() for _ in cells]
    assert [row["ratio"] for row in read if "pairs" in row] == [
        cells[3] or None for table in tables.values() for cells in table if len(cells) == 5
    ]


def test_contestants_answer_from_processes_of_their_own() -> None:
    """The project trains twice, once as if it were another state of it."""
    ours, before, pool = side_by_side.table([TINY], ["pool"], Path(__file__).parents[1], rounds=2)
    for line, label in ((ours, "ours"), (before, "before"), (pool, "pool")):
        cell, size, name, milliseconds, ratio = (part.strip() for part in line.strip("|").split("|"))
        assert (cell, size) == ("lstm", "6, 4, 4")
        assert name.startswith(contestant.CONTESTANTS[label].label)
        assert float(milliseconds) > 0
        assert float(ratio.split(" ")[0]) > 0


def test_a_cell_without_kernels_trains_on_the_reference_engine_and_its_row_says_so() -> None:
    case = TINY._replace(cell="indrnn")
    assert contestant._experiment(case).engine == "reference"
    assert contestant._experiment(TINY).engine == "fused"
    assert side_by_side._label("ours", case.cell).endswith("reference engine")


def test_our_contestant_draws_nothing_while_it_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Mock(wraps=data._draws)
    monkeypatch.setattr(data, "_draws", drawn)
    run = contestant._ours(TINY)
    before = drawn.call_count
    run(300)
    assert drawn.call_count == before == 1


def test_times_and_ratios_are_positive_and_finite(tables: dict[str, list[list[str]]]) -> None:
    timed = [row for rows in list(tables.values())[:-1] for row in rows]
    for label, rival, ours, ratio, pairs in timed:
        low, middle, high = sorted(
            float(number) for number in ratio.replace("[", "").strip("]").replace(",", "").split()
        )
        assert all(0 < number < math.inf for number in (float(rival), float(ours), low, middle, high)), label
        assert ratio.startswith(f"{middle:.3g} "), label
        assert int(pairs) == bench.QUICK.pairs


def test_what_is_not_installed_is_said_in_one_line_and_the_others_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    process = SimpleNamespace(process=nullcontext(), milliseconds=lambda case, steps: 1.0)
    monkeypatch.setattr(side_by_side, "_Process", lambda name, folder: process)
    absent = contestant.CONTESTANTS["jax"]._replace(needs=("jax_of_nobody",))
    monkeypatch.setitem(contestant.CONTESTANTS, "jax", absent)
    said, *timed = side_by_side.table([TINY], ["jax", "one"], rounds=1)
    assert said == f"| all | all | {absent.label} | not installed: jax_of_nobody | |"
    assert timed == [
        f"| lstm | 6, 4, 4 | {label} | 1 | 1 [1, 1] |"
        for label in (f"{contestant.CONTESTANTS['ours'].label}, fused engine", contestant.CONTESTANTS["one"].label)
    ]


@pytest.mark.parametrize("scans", ["SCANS", "TREES"])
@pytest.mark.parametrize("cell", sorted({case.cell for case in (*side_by_side.LSTMS, *side_by_side.LATER)}))
def test_the_same_cell_in_jax_has_the_hidden_states_of_ours(cell: str, scans: str) -> None:
    pytest.importorskip("jax")
    from lstm_core.bench import in_jax

    if cell not in getattr(in_jax, scans):
        pytest.skip("not linear in its state")
    case = contestant.Case(cell, 12, 3, 5)
    inputs, _ = contestant._batches(case.time_steps, case.batch)[0]
    weights = {name: tensor.numpy() for name, tensor in contestant.first_weights(case).items()}
    expected = Network(contestant._experiment(case)).stack(inputs)[0]
    found = getattr(in_jax, scans)[cell](weights, inputs.numpy())
    torch.testing.assert_close(torch.tensor(np.asarray(found)), expected.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rival", ["jax", "flax", "keras"])
def test_every_rival_that_is_installed_trains(rival: str) -> None:
    if missing := contestant.CONTESTANTS[rival].missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    contestant.CONTESTANTS[rival].ways[0](TINY)(2)


def test_the_variants_are_eight_and_the_first_is_the_full_one() -> None:
    cells = [Experiment(**variant).recurrent_cell for variant in bench.VARIANTS]
    assert len(set(cells)) == len(cells) == 8
    assert cells[0] == Experiment().recurrent_cell


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    "variant",
    [*bench.VARIANTS, {"cell": "gru"}, {"cell": "rnn"}, {"cell": "rnn", "window": 3}, {"task": "copy"}],
    ids=str,
)
def test_the_formula_for_the_memory_of_a_racer_is_what_its_tensors_take(
    variant: dict[str, Any], precision: str
) -> None:
    fused = Experiment(length=100, batch=64, hidden=32, precision=precision, engine="fused")
    experiment = dataclasses.replace(fused, **variant)
    assert bench.measured_tape_bytes(experiment) == pytest.approx(limits.tape_bytes(experiment), rel=0.02)


def test_the_threads_of_torch_are_restored_even_for_half_a_report() -> None:
    torch.set_num_threads(2)
    try:
        report = bench.report(quick=True)
        while "Eight" not in next(report):
            pass
        del report
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
