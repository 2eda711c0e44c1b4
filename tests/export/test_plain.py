"""Do the functions that scripts contain draw what the project draws, number by number?"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS
from lstm_core.export.plain import activations, streams, tasks
from lstm_core.export.plain.streams import Stream
from lstm_core.export.words import SERIES_FILE, series_csv
from lstm_core.streams import Purpose, stream
from lstm_core.tasks import TASKS, Question, bound
from lstm_core.tasks.series import FILLED, GAPS, Series, known, register

SEEDS = (0, 7, 2**32 - 1)


def same(plainly: Tensor, drawn: Any) -> bool:
    """Bit by bit, whatever holds whole numbers."""
    return torch.equal(plainly.double(), torch.as_tensor(drawn).double())


@pytest.mark.parametrize("seed", SEEDS)
def test_streams_are_numpys_in_any_order_of_calls(seed: int) -> None:
    for purpose in Purpose:
        rng, mine = stream(seed, purpose), Stream(seed, int(purpose))
        for _ in range(3):
            assert same(streams.integers(mine, 3, 1999, 7), rng.integers(3, 1999, 7))
            assert same(streams.fractions(mine, 3, 3), rng.random((3, 3), np.float32))
            assert same(streams.integers(mine, 5, 6, 4), rng.integers(5, 6, 4))
            assert same(streams.uniform(mine, 0.3, 3, 4), rng.uniform(-0.3, 0.3, (3, 4)))
            assert same(streams.small_integers(mine, 2, 6, 5, 3), rng.integers(2, 6, (5, 3), np.uint8))
            assert same(streams.halves(mine, 5), rng.bit_generator.random_raw(5).view(np.int32).astype(np.float32))


def test_whole_numbers_that_would_favour_some_are_drawn_again_as_numpy_does() -> None:
    """Of so many, every fourth draw is refused."""
    count = 3 * 2**30
    rng, mine = stream(1, Purpose.DATA), Stream(1, int(Purpose.DATA))
    assert same(streams.integers(mine, 0, count, 200), rng.integers(0, count, 200))


def test_normal_numbers_are_numpys_up_to_their_last_digits() -> None:
    """Those beyond the widest layer too, of which there is one in 4,000."""
    rng, mine = stream(3, Purpose.NOISE), Stream(3, int(Purpose.NOISE))
    plainly, drawn = streams.normal(mine, 200, 100), torch.from_numpy(rng.standard_normal((200, 100)))
    assert drawn.abs().max() > streams.ziggurat()[1]
    torch.testing.assert_close(plainly, drawn, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", [name for name in TASKS if name != "forecast"])
@pytest.mark.parametrize(("length", "batch"), [(10, 3), (37, 8)])
def test_tasks_draw_the_same_sequences(name: str, length: int, batch: int) -> None:
    rng, mine = stream(5, Purpose.DATA), Stream(5, int(Purpose.DATA))
    for _ in range(2):
        drawn = TASKS[name].draw(length, batch, rng)
        assert all(map(same, getattr(tasks, name)(mine, length, batch), drawn))


@pytest.mark.parametrize("gaps", GAPS)
def test_windows_of_a_series_with_gaps_are_the_same(gaps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [float(np.sin(place / 5)) for place in range(80)]
    there = [place % 23 not in (4, 5) for place in range(80)]
    for place in range(80):
        values[place] = values[place] if there[place] else values[place - 1]
    own = register(Series("own", tuple(values), known=tuple(there), gaps=gaps))
    (tmp_path / SERIES_FILE).write_text(series_csv(own.name))
    monkeypatch.chdir(tmp_path)
    tasks.read_series.cache_clear()
    rng, mine = stream(5, Purpose.DATA), Stream(5, int(Purpose.DATA))
    drawn = bound("forecast", Question(own.name, 3)).draw(6, 50, rng)
    assert all(map(same, tasks.forecast(mine, 6, 50, 3, known(own.name).gaps == FILLED), drawn))


@pytest.mark.parametrize("name", [row.name for row in ACTIVATIONS.values() if hasattr(activations, row.name)])
def test_slopes_of_what_is_saturated_keep_their_digits(name: str) -> None:
    x = torch.linspace(-30, 30, 601, dtype=torch.float64, requires_grad=True)
    y = getattr(activations, name)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(y, ACTIVATIONS[name].function(x), rtol=1e-14, atol=1e-300)
    torch.testing.assert_close(slope, ACTIVATIONS[name].derivative(x.detach()), rtol=1e-12, atol=1e-300)
