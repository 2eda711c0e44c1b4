"""What may a visitor guess before it comes out? A question for each page, answered by its race and by nothing else."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.openings.presets import Results
from lstm_core.training.snapshot import SOLVED, Snapshot
from lstm_core.training.standing import MEAN_OVER

Experiments = Mapping[str, Experiment]


@dataclass(frozen=True)
class Guess:
    """
    A question about a race on a page, its answers, and what is said when each of them has come out.

    `asked(experiments)` says of which races it can be asked. `decided(results, experiments)` is the number of the right
    answer, by the snapshots of all racers so far, by label; None while it is open. Once decided, it stays.
    """

    page: str
    question: str
    answers: tuple[str, ...]
    came_out: tuple[str, ...]
    asked: Callable[[Experiments], bool]
    decided: Callable[[Results, Experiments], int | None]


def question(page: str, experiments: Experiments) -> Guess | None:
    """The one to ask about this race; None where there is none."""
    return next((guess for guess in GUESSES if guess.page == page and guess.asked(experiments)), None)


def _ended(snapshots: Sequence[Snapshot]) -> bool:
    return bool(snapshots and snapshots[-1].ended)


def _solved(snapshots: Sequence[Snapshot]) -> int | None:
    """The step at which the task was solved; None if it was not, or not yet."""
    return snapshots[-1].step if snapshots and snapshots[-1].ended == SOLVED else None


def _later(snapshots: Sequence[Snapshot], step: int) -> bool:
    """Whether it is known by now that the task was not solved before this step."""
    return _ended(snapshots) or bool(snapshots and snapshots[-1].step >= step)


def _can_be_solved(experiments: Experiments) -> bool:
    return all(one.problem.solvable and not one.sequences for one in experiments.values()) and len(experiments) > 1


def _rnn_solves_too(results: Results, experiments: Experiments) -> int | None:
    rnn = results["vanilla RNN"]
    return (0 if _solved(rnn) else 1) if _ended(rnn) else None


def _how_many_solve(results: Results, experiments: Experiments) -> int | None:
    solved = [_solved(racer) is not None for racer in results.values()]
    failed = [_ended(racer) and not one for racer, one in zip(results.values(), solved, strict=True)]
    if any(solved) and any(failed):
        return 1
    return 2 if all(solved) else 0 if all(failed) else None


def _who_is_reached(results: Results, experiments: Experiments) -> int | None:
    if not all(map(_ended, results.values())):
        return None
    rnn, lstm = (_decades(racer[-1].hidden_grad_norms) for racer in results.values())
    if rnn == lstm or abs(rnn - lstm) < 1:
        return 2
    return 0 if rnn > lstm else 1


def _decades(norms: Sequence[float]) -> float:
    """log10 of the share of the last step's gradient that reaches the first one; an explosion is more than any."""
    first, last = norms[0], norms[-1]
    if not math.isfinite(first) or not math.isfinite(last) or not last:
        return math.inf
    return math.log10(first / last) if first / last else -math.inf


def _others_are_faster(results: Results, experiments: Experiments) -> int | None:
    yours, *others = results.values()
    first = min((step for step in map(_solved, others) if step is not None), default=math.inf)
    mine = _solved(yours)
    if first < (math.inf if mine is None else mine):
        return 0 if _later(yours, int(first)) else None
    if mine is not None:
        return 1 if all(_later(racer, mine) for racer in others) else None
    return 1 if all(map(_ended, results.values())) else None


def _solved_together(results: Results, experiments: Experiments) -> int | None:
    steps = [_solved(racer) for racer in results.values()]
    if any(_ended(racer) and step is None for racer, step in zip(results.values(), steps, strict=True)):
        return 2
    return None if None in steps else 0 if len(set(steps)) == 1 else 1


def _plain_gets_down(results: Results, experiments: Experiments) -> int | None:
    plain, one = results["plain"], experiments["plain"]
    half = one.problem.constant_loss(one.length) / 2
    if any(snapshot.step >= MEAN_OVER and snapshot.mean_loss < half for snapshot in plain):
        return 0
    return 1 if _ended(plain) else None


def _gated(experiments: Experiments) -> list[str]:
    """The racers with a gate that decides what they keep."""
    return [
        label for label, one in experiments.items() if one.recurrent_cell.row.gates and one.recurrent_cell.row.chrono
    ]


def _gates_solve_it(results: Results, experiments: Experiments) -> int | None:
    gated = [results[label] for label in _gated(experiments)]
    if any(_solved(racer) is not None for racer in gated):
        return 0
    return 1 if all(map(_ended, gated)) else None


def _sigmoid_is_last(results: Results, experiments: Experiments) -> int | None:
    if not all(map(_ended, results.values())):
        return None
    losses = {label: racer[-1].mean_loss for label, racer in results.items()}
    ranked = {label: loss if math.isfinite(loss) else math.inf for label, loss in losses.items()}
    return 0 if max(ranked, key=ranked.__getitem__) == "sigmoid" else 1


GUESSES = (
    Guess(
        "dashboard",
        _("Will the vanilla RNN solve it before the race ends?"),
        (_("Yes"), _("No")),
        (_("the vanilla RNN has solved it."), _("the vanilla RNN has not solved it.")),
        lambda experiments: "vanilla RNN" in experiments and _can_be_solved(experiments),
        _rnn_solves_too,
    ),
    Guess(
        "activations",
        _("How many of these will solve it?"),
        (_("None"), _("Some"), _("All")),
        (_("none has solved it."), _("some have solved it, some have not."), _("all have solved it.")),
        _can_be_solved,
        _how_many_solve,
    ),
    Guess(
        "gradient_flow",
        _("Of whose gradient does more reach step 1?"),
        (_("RNN"), _("LSTM"), _("About equal")),
        (
            _("more than tenfold the share arrives in the RNN."),
            _("more than tenfold the share arrives in the LSTM."),
            _("the two shares differ less than tenfold."),
        ),
        lambda experiments: len(experiments) == 2,
        _who_is_reached,
    ),
    Guess(
        "gates",
        _("Will another cell solve it before yours?"),
        (_("Yes"), _("No")),
        (_("another cell was faster than yours."), _("no other cell was faster than yours.")),
        _can_be_solved,
        _others_are_faster,
    ),
    Guess(
        "concatenation",
        _("When will the two solve it?"),
        (_("At the same step"), _("Apart"), _("Not both")),
        (
            _("both have solved it at the same step."),
            _("both have solved it, at different steps."),
            _("not both have solved it."),
        ),
        _can_be_solved,
        _solved_together,
    ),
    Guess(
        "depth",
        _("Will the plain stack get below half of the dashed line?"),
        (_("Yes"), _("No")),
        (_("the plain stack has got below half of it."), _("the plain stack has not got below half of it.")),
        lambda experiments: "plain" in experiments,
        _plain_gets_down,
    ),
    Guess(
        "highways",
        _("Will a cell with gates solve it?"),
        (_("Yes"), _("No")),
        (_("a cell with gates has solved it."), _("no cell with gates has solved it.")),
        lambda experiments: 0 < len(_gated(experiments)) < len(experiments) and _can_be_solved(experiments),
        _gates_solve_it,
    ),
    Guess(
        "forecast",
        _("Will sigmoid end with the highest loss?"),
        (_("Yes"), _("No")),
        (_("sigmoid has the highest loss."), _("another one has the highest loss.")),
        lambda experiments: "sigmoid" in experiments and len(experiments) > 1,
        _sigmoid_is_last,
    ),
)
