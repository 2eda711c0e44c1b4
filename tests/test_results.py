"""Are the numbers about how runs ended what they are called?"""

import dataclasses
import math

import pytest
import torch

from lstm_core import Experiment
from lstm_core.claims import results
from lstm_core.claims.results import SeedResult
from lstm_core.history.records import record_of
from lstm_core.measurements.checkpoints import beginning
from lstm_core.network import parameter_count
from lstm_core.race.runs import Run
from lstm_core.training.train import train

RNN = Experiment(cell="rnn", length=8, hidden=4, batch=5, steps=3, precision="float64")


def test_a_seed_result_has_the_weights_that_its_run_ended_with() -> None:
    run = Run(RNN, weights=True)
    while not run.ended:
        run.advance()
    result = SeedResult.of(record_of(run))
    last = list(train(RNN, weights_every=1))[-1]
    assert last.weights is not None
    assert (result.ended, result.loss) == (last.ended, last.mean_loss)
    assert torch.equal(result.after.weights, last.weights)
    assert torch.equal(result.start.weights, beginning(RNN).weights)


def test_a_seed_result_without_weights_says_so() -> None:
    with pytest.raises(results.NoWeightsError, match=RNN.key):
        _ = SeedResult(RNN).after


def result(ended: str, steps: int, experiment: Experiment = RNN) -> SeedResult:
    return SeedResult(experiment, ended, steps)


FAST, SLOW, NEVER = result("solved", 100), result("solved", 1000), result("completed", 3000)


def test_steps_to_solve_are_those_of_whoever_solved_it() -> None:
    assert [results.steps_to_solve(one) for one in (FAST, SLOW, NEVER)] == [100, 1000, math.inf]
    assert [results.solved_within(one, 100) for one in (FAST, SLOW, NEVER)] == [1, 0, 0]


def test_whoever_never_solved_it_is_later_than_anybody_who_did() -> None:
    assert results.sooner(FAST, SLOW) == pytest.approx(-1)
    assert results.sooner(FAST, NEVER) == -math.inf
    assert results.sooner(NEVER, FAST) == math.inf
    assert math.isnan(results.sooner(NEVER, NEVER))


@pytest.mark.parametrize(
    ("ended", "later"),
    [((FAST, SLOW), 1), ((FAST, SLOW, NEVER, NEVER), 1), ((SLOW, FAST), 0), ((NEVER, FAST), 0), ((FAST, FAST), 0)],
)
def test_ever_later_means_each_later_than_the_one_before(ended: tuple[SeedResult, ...], later: float) -> None:
    assert results.ever_later(ended) == later


def test_the_fewest_weights_are_those_of_the_smallest_that_solved_it() -> None:
    sizes = {hidden: dataclasses.replace(RNN, hidden=hidden) for hidden in (2, 4, 8)}
    some = [result("completed", 3, sizes[2]), result("solved", 3, sizes[4]), result("solved", 3, sizes[8])]
    none = [result("completed", 3, one) for one in sizes.values()]
    assert results.fewest_weights(some) == parameter_count(sizes[4])
    assert results.fewest_weights(none) == math.inf
    bigger = [result("solved", 3, sizes[8])]
    ratio = parameter_count(sizes[4]) / parameter_count(sizes[8])
    assert results.fewer_weights(some, bigger) == pytest.approx(math.log2(ratio))
    assert results.fewer_weights(some, none) == -math.inf
    assert math.isnan(results.fewer_weights(none, none))
