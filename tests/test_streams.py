"""Does every random number come from a stream of its own, and does nobody train on what is held out?"""

import ast
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_core import LSTM, TASKS, Experiment, train
from lstm_core.data import held_out, samples
from lstm_core.network import Network
from lstm_core.streams import Purpose, stream, stream_of
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import known

CORE = Path(__file__).parent.parent / "lstm_core"
SEEDS = range(3_000)
# Tasks with fewer sequences than a large training set may have.
FEW = ("recall", "associative_recall")
# Makers of generators, and what draws from one that the whole process shares.
MAKERS = {"Generator", "default_rng", "RandomState", "SeedSequence", "PCG64", "PCG64DXSM", "manual_seed", "key"}
SHARED = {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "bernoulli", "multinomial"}
SHARED |= {"normal", "normal_", "uniform_", "bernoulli_", "orthogonal_", "xavier_uniform_", "kaiming_uniform_", "seed"}
OWNERS = ("torch", "random", "init", "generator", "Tensor")


def calls(file: Path) -> Iterator[str]:
    """Whatever a file calls by a name with a dot, without what stands before the last two names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield ".".join(name.split(".")[-2:])


def makes_a_generator(call: str) -> bool:
    owner, _, name = call.rpartition(".")
    return (name in MAKERS and owner in ("", "torch", "random", "np")) or (name in SHARED and owner in OWNERS)


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=lambda file: str(file.relative_to(CORE)))
def test_nobody_but_the_streams_makes_random_numbers(file: Path) -> None:
    generators = [call for call in calls(file) if makes_a_generator(call)]
    assert bool(generators) == (file == CORE / "streams.py"), generators
    names = {
        alias.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "random" not in names


def digest(*arrays: object) -> bytes:
    return hashlib.blake2b(b"".join(np.asarray(array).tobytes() for array in arrays), digest_size=16).digest()


def test_no_two_seeds_and_purposes_share_a_stream() -> None:
    begun = {digest(stream(seed, purpose).bit_generator.random_raw(2)) for seed in SEEDS for purpose in Purpose}
    assert len(begun) == len(SEEDS) * len(Purpose)


def test_weights_training_and_held_out_data_of_all_seeds_differ() -> None:
    """The first of each, by what is in them."""
    seen = set()
    for seed in SEEDS:
        experiment = Experiment(cell="rnn", length=2, hidden=1, batch=2, seed=seed)
        seen.add(digest(*(parameter.detach() for parameter in Network(experiment).parameters())))
        seen.add(digest(next(samples(experiment))[0]))
        seen.add(digest(held_out(experiment, 2)[0]))
    assert len(seen) == 3 * len(SEEDS)


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_a_stream_comes_again(seed: int) -> None:
    one, other = stream(seed, Purpose.DATA), stream(seed, Purpose.DATA)
    assert one.random(5).tolist() == other.random(5).tolist()


def test_a_layer_follows_torchs_generator_as_torchs_own_do() -> None:
    def drawn(generator: torch.Generator | None) -> list[float]:
        return next(LSTM(2, 3, generator=generator).parameters()).flatten().tolist()

    torch.manual_seed(5)
    first, second = drawn(None), drawn(None)
    torch.manual_seed(5)
    assert drawn(None) == first != second
    assert drawn(torch.Generator().manual_seed(7)) == drawn(torch.Generator().manual_seed(7)) != first
    assert stream_of(torch.Generator().manual_seed(7)).random() == stream_of(torch.Generator().manual_seed(7)).random()


def test_to_copy_torchs_module_takes_nothing_from_the_process() -> None:
    theirs = torch.nn.LSTM(2, 3)
    before = torch.get_rng_state()
    LSTM.from_torch(theirs)
    assert torch.equal(torch.get_rng_state(), before)


def contents(inputs: torch.Tensor) -> set[bytes]:
    return {one.contiguous().numpy().tobytes() for one in inputs.unbind(1)}


@pytest.mark.parametrize("task", [name for name in TASKS if name not in ("forecast", *FEW)])
def test_no_held_out_sequence_is_in_a_fixed_training_set(task: str) -> None:
    experiment = Experiment(task=task, length=10, batch=64, sequences=800)
    batches = samples(experiment)
    trained = set().union(*(contents(next(batches)[0]) for _ in range(60)))
    assert len(trained) > 300
    inputs, targets = held_out(experiment, 150)
    assert inputs.shape[1] == targets.shape[int(TASKS[task].every_step)] == 150
    assert not contents(inputs) & trained


# In the fifth, the usual temperatures of a place, some windows come twice.
DISTINCT = [name for name in SERIES if name != "san_francisco_hourly"]


def places(series: str, inputs: torch.Tensor) -> set[int]:
    """Where these windows of 12 values end in a series, of which no two are equal."""
    values = known(series).scaled.float()
    ends = {values[end - 12 : end].numpy().tobytes(): end for end in range(12, len(values) + 1)}
    assert len(ends) == len(values) - 11
    return {ends[one] for one in contents(inputs)}


@pytest.mark.parametrize("series", DISTINCT)
def test_held_out_windows_are_others_than_those_of_a_fixed_training_set(series: str) -> None:
    experiment = Experiment(task="forecast", series=series, length=12, horizon=2, sequences=40, batch=500)
    trained, unseen = places(series, next(samples(experiment))[0]), places(series, held_out(experiment, 200)[0])
    assert len(trained) > 20
    assert len(unseen) > 20
    assert not trained & unseen
    assert max(trained | unseen) + 2 <= known(series).train_end


@pytest.mark.parametrize("series", DISTINCT)
def test_held_out_windows_of_an_endless_training_are_of_the_validation_part(series: str) -> None:
    experiment = Experiment(task="forecast", series=series, length=12, horizon=2, batch=500)
    asked = [place + 1 for place in places(series, held_out(experiment, 200)[0])]
    assert known(series).train_end <= min(asked)
    assert max(asked) < known(series).validation_end
    assert max(places(series, next(samples(experiment))[0])) + 1 < known(series).train_end


def test_a_training_set_that_leaves_no_other_sequence_has_no_held_out_loss() -> None:
    experiment = Experiment(task="recall", length=4, hidden=2, steps=2, sequences=200)
    assert held_out(experiment, 50)[0].shape[1] == 0
    *_, end = train(experiment)
    assert end.held_out_loss is not None
    assert math.isnan(end.held_out_loss)


def test_a_training_set_of_parity_leaves_what_it_has_not() -> None:
    experiment = Experiment(task="parity", length=4, sequences=12)
    unseen = contents(held_out(experiment, 100)[0])
    assert 0 < len(unseen) < 16
    assert not unseen & contents(next(samples(experiment))[0])


def test_what_was_learned_by_heart_does_not_help_on_held_out_sequences() -> None:
    experiment = Experiment(length=20, hidden=64, sequences=50, steps=1000, lr=0.005)
    *_, end = train(experiment, 1000)
    assert end.held_out_loss is not None
    assert end.held_out_loss > 3 * end.mean_loss
