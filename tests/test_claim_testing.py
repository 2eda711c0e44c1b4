"""Does a claim under test answer as soon as it can, and alike whoever trains its runs?"""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_core import Experiment
from lstm_core.claims import Claim, Question
from lstm_core.claims.evidence import Region
from lstm_core.claims.measures import held_out_loss
from lstm_core.claims.results import SeedResult, solved
from lstm_core.claims.testing import UnderTest, ask, judged
from lstm_core.history.database import store
from lstm_core.history.opening import History, open_history
from lstm_core.history.records import Record, failed
from lstm_core.sweep.sweep import train_one

SMALL = Experiment(task="recall", length=4, hidden=4, batch=2, steps=5, cell="rnn")
LOSSES = {0: 0.3, 1: 0.1, 2: 0.2}
HOLDS = Region(high=1)


def made_up(name: str, **changes: int) -> Claim:
    """About the sum of the losses of two networks."""
    small = dataclasses.replace(SMALL, **changes)  # type: ignore[arg-type]
    racers = {"one": small, "other": dataclasses.replace(small, cell="gru")}
    question = Question("", "loss", lambda of: of["one"].loss + of["other"].loss, HOLDS)
    return Claim(name, "", (question,), "", "", "dashboard", (), racers=racers)


CLAIM = made_up("C")
AT_ITS_END = Question("Its loss is small.", "loss", lambda of: held_out_loss(of["small"]), Region(high=100))


def of_the_end(experiment: Experiment) -> Claim:
    return Claim("D", "", (AT_ITS_END,), "", "", "dashboard", (), racers={"small": experiment})


def finished(experiment: Experiment, **changes: object) -> Record:
    loss = LOSSES[experiment.seed]
    plain = Record(experiment, "fused", "completed", 5, loss, 1.5, 1_700_000_000, "{}")
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def runs(claim: Claim, *seeds: int) -> list[Record]:
    return [finished(one) for seed in seeds for one in claim.trained(seed).values()]


def after(test: UnderTest, *records: Record) -> UnderTest:
    """The same test, when it has taken these runs and answered for all the seeds that it could."""
    for record in records:
        test.take(record)
    for seed in test.ready:
        test.answers[seed] = test.answer(seed)
    return test


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(f"sqlite:///{tmp_path}/history.sqlite")
    yield opened
    opened.dispose()


def test_a_seed_answers_as_soon_as_the_last_of_its_runs_is_there() -> None:
    test = UnderTest(CLAIM, range(2))
    one, other = runs(CLAIM, 1)
    assert after(test, one).numbers == {}
    assert after(test, other).numbers == {1: (0.2,)}


def test_a_seed_that_is_ready_is_asked_once_and_names_its_runs() -> None:
    test = UnderTest(CLAIM, range(2))
    for record in runs(CLAIM, 0, 1):
        test.take(record)
    assert test.ready == [0, 1]
    assert list(test.runs(0).values()) == runs(CLAIM, 0)
    assert after(test).ready == []


def test_a_seed_whose_answer_went_wrong_has_no_numbers_and_says_why() -> None:
    test = after(UnderTest(CLAIM, range(3)), *runs(CLAIM, 0, 1, 2))
    test.answers[1] = ArithmeticError("no number")
    assert test.finished
    assert list(test.numbers) == [0, 2]
    assert str(test.error) == "no number"


def test_it_is_finished_when_all_its_seeds_have_answered() -> None:
    test = UnderTest(CLAIM, range(2))
    assert not after(test, *runs(CLAIM, 0)).finished
    assert after(test, *runs(CLAIM, 1)).finished


def test_there_are_findings_from_the_first_seed_on() -> None:
    test = UnderTest(CLAIM, range(3))
    assert test.findings is None
    assert after(test, *runs(CLAIM, 0)).findings == CLAIM.findings([(0.6,)])
    assert after(test, *runs(CLAIM, 1)).findings == CLAIM.findings([(0.6,), (0.2,)])
    (found,) = after(test, *runs(CLAIM, 2)).findings or ()
    assert (found.values, found.region, found.planned) == ((0.6, 0.2, 0.4), HOLDS, CLAIM.seeds)


def test_a_verdict_of_no_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="seeds: none has answered"):
        _ = UnderTest(CLAIM, range(2)).judgement


def test_a_judgement_does_not_depend_on_the_order_in_which_runs_finish() -> None:
    forward = after(UnderTest(CLAIM, range(3)), *runs(CLAIM, 0, 1, 2))
    backward = UnderTest(CLAIM, range(3))
    for record in runs(CLAIM, 2, 1, 0):
        after(backward, record)
    assert backward.judgement == forward.judgement
    assert (forward.judgement.seeds, forward.judgement.seconds) == ((0, 1, 2), 9.0)


def test_runs_of_other_experiments_are_not_taken() -> None:
    test = UnderTest(CLAIM, range(2))
    foreign = finished(dataclasses.replace(SMALL, seed=2))
    assert not test.lacks(foreign.experiment)
    assert after(test, foreign).records == {}


def test_it_lacks_what_it_has_not_taken() -> None:
    test = UnderTest(CLAIM, range(2))
    one, other = runs(CLAIM, 0)
    after(test, one)
    assert (test.lacks(one.experiment), test.lacks(other.experiment)) == (False, True)


@pytest.mark.parametrize("better_first", [True, False])
@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (failed(SMALL, "out of memory"), finished(SMALL)),
        (finished(SMALL, computed_by="reference"), finished(SMALL, weights=b"1234")),
    ],
    ids=["failed", "no weights"],
)
def test_of_two_runs_of_one_experiment_the_better_one_counts(worse: Record, better: Record, better_first: bool) -> None:
    test = after(UnderTest(CLAIM, range(2)), *([better, worse] if better_first else [worse, better]))
    assert list(test.records.values()) == [better]


def test_of_two_runs_that_are_as_good_the_first_one_counts() -> None:
    one, other = (finished(SMALL, weights=b"1234", computed_by=engine) for engine in ("fused", "reference"))
    assert list(after(UnderTest(CLAIM, range(2)), one, other).records.values()) == [one]


def test_a_claim_that_has_nothing_to_train_answers_for_all_its_seeds() -> None:
    question = Question("", "seed", lambda of: float(of["drawn"].experiment.seed), HOLDS)
    claim = dataclasses.replace(CLAIM, questions=(question,), racers={}, drawn={"drawn": SMALL})
    assert after(UnderTest(claim, range(3))).numbers == {0: (0.0,), 1: (1.0,), 2: (2.0,)}


def test_kept_runs_and_those_that_are_told_make_one_judgement(history: History) -> None:
    told, kept = runs(CLAIM, 0, 1)[:2], runs(CLAIM, 0, 1)[2:]
    store(history, kept)
    (judgement,) = judged([UnderTest(CLAIM, range(2))], history, [one.experiment for one in told], iter(told))
    assert judgement == after(UnderTest(CLAIM, range(2)), *told, *kept).judgement


def test_a_kept_run_without_weights_waits_for_the_one_that_has_them(history: History) -> None:
    kept = runs(CLAIM, 0, 1)
    store(history, kept)
    told = [dataclasses.replace(record, seconds=8.0) for record in kept]
    (judgement,) = judged([UnderTest(CLAIM, range(2))], history, [one.experiment for one in told], iter(told))
    assert judgement.seconds == 32


def test_no_claim_waits_for_the_runs_of_the_next_one(history: History) -> None:
    claims = [made_up("first"), made_up("second", length=8)]
    told = [record for claim in claims for record in runs(claim, 0, 1)]
    records = iter(told)
    tests = [UnderTest(claim, range(2)) for claim in claims]
    judgements = judged(tests, history, [record.experiment for record in told], records)
    assert next(judgements).claim is claims[0]
    assert list(records) == told[4:]


def test_a_run_that_two_claims_share_is_told_once(history: History) -> None:
    claims = [made_up("first"), made_up("second")]
    told = runs(CLAIM, 0, 1)
    tests = [UnderTest(claim, range(2)) for claim in claims]
    one, other = judged(tests, history, [record.experiment for record in told], iter(told))
    assert one.findings == other.findings
    assert math.isfinite(one.findings[0].median)


def test_a_network_that_diverged_leaves_its_question_undecided() -> None:
    wild = Experiment(cell="rnn", activation="identity", lr=100.0, clip="none", length=50, steps=40, gain=3.0)
    claim = of_the_end(wild)
    ended = [train_one(claim.trained(seed)["small"], weights=True) for seed in range(2)]
    test = after(UnderTest(claim, range(2)), *ended)
    assert {record.ended for record in ended} == {"diverged"}
    assert test.judgement.verdict == "undecided" or all(math.isfinite(one) for (one,) in test.numbers.values())


def test_a_run_that_failed_leaves_its_question_undecided() -> None:
    claim = of_the_end(SMALL)
    records = [failed(claim.trained(seed)["small"], "out of memory") for seed in range(2)]
    assert after(UnderTest(claim, range(2)), *records).judgement.verdict == "undecided"


def test_a_network_that_was_not_trained_answers_no_question_about_its_end() -> None:
    of = {"small": SeedResult(SMALL)}
    assert math.isnan(ask(AT_ITS_END, of))
    assert solved(of["small"]) == 0
