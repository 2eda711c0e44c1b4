"""How is a statement shown, and put to the test again, live? Its evidence, and a race of all its seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from lstm_core.charts.marks import evidence, spec
from lstm_core.charts.points import Curve
from lstm_core.charts.words import meanings
from lstm_core.claims import LOOK, Claim, Question
from lstm_core.claims.evidence import (
    ALWAYS,
    BESIDE,
    CONDITIONAL,
    CONFIRMED,
    LIMITS,
    MOSTLY,
    PROVEN,
    REFUTED,
    THEOREM,
    UNDECIDED,
    Finding,
    dots,
)
from lstm_core.claims.testing import UnderTest
from lstm_core.claims.verdicts import findings, recorded
from lstm_core.fair_lock import PAGE, held
from lstm_core.history.records import record_of
from lstm_core.language import _, ngettext
from lstm_core.race.jobs import Job
from lstm_core.race.limits import too_much
from lstm_core.race.race import Race
from lstm_core.race.runs import FAILED
from lstm_core.ui import pace
from lstm_core.ui.address import exact
from lstm_core.ui.chart import draw
from lstm_core.ui.history import tell_problem, writer
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import AGAIN
from lstm_core.ui.showing import curves_of, needed, raced, stop
from lstm_core.ui.texts import equations

# What a visitor waits for gladly: such rows run as soon as they are opened. On two cores that also draw a page, a race
# of all seeds takes about as long as its training does on one core that does nothing else.
QUICK_SECONDS = 20
BADGES = {
    CONFIRMED: _(":green-badge[:material/check: confirmed]"),
    CONDITIONAL: _(":blue-badge[:material/rule: under a condition]"),
    THEOREM: _(":violet-badge[:material/functions: theorem]"),
    REFUTED: _(":red-badge[:material/close: refuted]"),
    UNDECIDED: _(":orange-badge[:material/question_mark: undecided]"),
}

SIGNS = {
    CONFIRMED: ":green[:material/check:]",
    CONDITIONAL: ":blue[:material/rule:]",
    THEOREM: ":violet[:material/functions:]",
    REFUTED: ":red[:material/close:]",
    UNDECIDED: ":orange[:material/question_mark:]",
}
# For which seeds a sentence of a kind has to hold.
REACH = {
    MOSTLY: _("for more than half of all seeds"),
    ALWAYS: _("for every seed"),
    PROVEN: _("proven; measured to show it"),
}
# Of a sentence that does not decide alone.
ASIDE = {LIMITS: _(" *(where it ends)*"), BESIDE: _(" *(context only, not counted)*")}


@dataclass
class Again:
    """
    What a visitor has put to the test, or has `stopped`: its runs are trained `anew`, or shared with whoever has
    opened the same row; those of the seeds that are `kept` are given to the history. `drawn` are the curves of
    networks that nobody trains, and `untrained` is the race of a statement about no others.
    """

    test: UnderTest
    anew: bool
    drawn: list[Curve]
    stopped: bool = False
    kept: set[int] = field(default_factory=set)
    untrained: Race = field(default_factory=lambda: Race({}))


def _begin(claim: Claim, anew: bool) -> None:
    stop()
    st.session_state[AGAIN] = Again(
        UnderTest(claim, range(LOOK)), anew, [Curve(label, one, []) for label, one in claim.looked_at(0).items()]
    )


def end() -> None:
    """Put nothing to the test any more."""
    stop()
    st.session_state.pop(AGAIN, None)


def counted(verdict: str, number: int) -> str:
    """A verdict's badge with a number in it."""
    return BADGES[verdict].removesuffix("]") + f" {number}]"


def is_quick(claim: Claim) -> bool:
    """Whether a look is done in `QUICK_SECONDS`, by what is recorded."""
    row = recorded()[claim.name]
    seconds: float = row["seconds"] / len(row["seeds"]) * LOOK
    return seconds < QUICK_SECONDS


def statement(claim: Claim) -> None:
    """All about one statement: what to take away, the evidence, the test, the equations, and where to go on."""
    st.markdown(f"**{claim.name}. “{claim.said}”** {BADGES[recorded()[claim.name]['verdict']]}")
    st.markdown(f"**{claim.takeaway}** {claim.why}", help=meanings(claim.said, claim.takeaway, claim.why) or None)
    again = st.session_state.get(AGAIN)
    refusal = too_much(UnderTest(claim, range(LOOK)).experiments.values()) if claim.racers else None
    if (again is None or again.test.claim is not claim) and not refusal and is_quick(claim):
        _begin(claim, anew=False)
        again = st.session_state[AGAIN]
    under_test = again if again and again.test.claim is claim and not again.stopped else None
    _buttons(claim, under_test, refusal)
    if under_test:
        _test(under_test)
    else:
        _evidence(claim, None)
    page = PAGES[claim.page]
    label = _("Try it yourself on the page {page}").format(page=page.label)
    st.page_link(page.path, label=label, icon=page.icon, query_params=exact(claim.address))
    equations({**claim.trained(0), **claim.looked_at(0)})


def _origin(claim: Claim) -> str:
    """Where the recorded verdict comes from, in words."""
    row = recorded()[claim.name]
    if claim.racers:
        said = _("Recorded on {date}, {seeds} seeds: {seconds:.0f} s of training, {processor}.")
    else:
        said = _("Recorded on {date}, {seeds} seeds, nothing to train, {processor}.")
    again = row.get("beside", [])
    told = [
        said.format(date=row["date"][:10], seeds=len(row["seeds"]), seconds=row["seconds"], processor=row["processor"])
    ]
    told += [] if again else [_("Not repeated on a second processor yet.")]
    for one in again:
        repeated = _("Repeated with other seeds, {blas} kernels of BLAS: {verdict}.")
        told.append(repeated.format(blas=one["blas"], verdict=one["verdict"]))
    return " ".join(told)


def _buttons(claim: Claim, again: Again | None, refusal: str | None) -> None:
    st.caption(_origin(claim), help=meanings(_("BLAS"), *BADGES.values()))
    if refusal:
        too_long = _("Too long to run here; in a terminal: `python -m lstm_core claims {name}`")
        st.caption(too_long.format(name=claim.name))
        return
    with st.container(horizontal=True):
        once_more = _("Run it again") if again is None or again.test.finished else _("Start over")
        st.button(once_more, icon=":material/replay:", on_click=_begin, args=(claim, True), key="run claim")
        if again and not again.test.finished:
            st.button(_("Stop"), icon=":material/stop:", on_click=_halt, args=(again,), key="stop claim")


def _halt(again: Again) -> None:
    """Stop the test, and show what is recorded."""
    stop()
    again.untrained.ask(())
    again.stopped = True


def _test(again: Again) -> None:
    test = again.test
    moving = _moves(test, _race(again))

    @st.fragment(run_every=pace.every(pace.RARELY) if moving else None)
    def frame() -> None:
        race = _race(again)
        with held(PAGE):
            _take(again, race)
            st.progress(race.progress if race.racers else len(test.numbers) / len(test.seeds), _progress(test, race))
            _evidence(test.claim, test.findings)
            if test.error:
                st.error(f"{type(test.error).__name__}: {test.error}")
            shown = _shown(again, race)
            answers = [Job(test.answers, seed, partial(test.answer, seed)) for seed in test.ready]
            race.ask([*answers, *(job for name, _, curves in shown for job in needed(curves, name))])
            asked = bool(race.jobs)
            for column, (name, label, curves) in zip(st.columns(max(2, len(shown))), shown, strict=False):
                with column:
                    draw(name, curves, of=label, still=race.finished)
        # What was asked for may be there by now, but is not drawn yet.
        if moving != (asked or _moves(test, race)):
            st.rerun()

    frame()


def _race(again: Again) -> Race:
    experiments = again.test.experiments
    return raced("claims", experiments, again.anew and not again.test.finished) if experiments else again.untrained


def _moves(test: UnderTest, race: Race) -> bool:
    """Whether there is anything to come."""
    return not test.finished or race.moving


def _take(again: Again, race: Race) -> None:
    """Take what has ended, and keep the runs of the seeds that have answered since."""
    test = again.test
    for racer in race.racers:
        if racer.ended and test.lacks(racer.experiment):
            test.take(record_of(racer.run))
    for seed in test.answers.keys() - again.kept:
        if writer().keep(list(test.runs(seed).values())):
            again.kept.add(seed)
    tell_problem()


def _progress(test: UnderTest, race: Race) -> str:
    done, seeds = len(test.numbers), len(test.seeds)
    if test.finished:
        failed = sum(record.ended == FAILED for record in test.records.values())
        if failed:
            said = ngettext(
                "{seeds} seeds are done, {failed} run failed", "{seeds} seeds are done, {failed} runs failed", failed
            )
        else:
            said = ngettext("{seeds} seed is done", "{seeds} seeds are done", seeds)
        return said.format(seeds=seeds, failed=failed)
    left = race.seconds_left if race.preparing is None else 0
    if left:
        said = _("under test: {done} of {seeds} seeds are done, about {left:.0f} s of training left")
    else:
        said = _("under test: {done} of {seeds} seeds are done")
    return said.format(done=done, seeds=seeds, left=left)


def _evidence(claim: Claim, look: Sequence[Finding] | None) -> None:
    """
    Of each question its sentence, its recorded verdict, a picture, the rule and what was measured; of a visitor's own
    few seeds, as soon as there are any, these instead.
    """
    row = recorded()[claim.name]
    st.caption(
        _("Grey: where the sentence holds. Dots: seeds. Bar: the median, or the share of seeds, with its interval."),
        help=meanings(*BADGES.values(), _("95 % interval")),
    )
    rows = zip(claim.questions, findings(claim), row["answers"], strict=True)
    for number, (question, then, answer) in enumerate(rows):
        shown = look[number] if look else then
        badge = _look(shown) if look else BADGES[answer["verdict"]]
        aside = ASIDE.get(question.role, "")
        st.markdown(f"{badge} {question.sentence}{aside}", help=meanings(question.rule, question.sentence) or None)
        st.vega_lite_chart(
            dots(shown, question.yes_or_no),
            spec(evidence),
            key=f"evidence {claim.name} {number}",
            alt=_(
                "{quantity}: a dot for each seed, the median with its interval, and where the sentence holds."
            ).format(quantity=question.quantity),
        )
        rule = _("Rule: {reach}.") if question.yes_or_no else _("Rule: {rule}, {reach}.")
        lines = [rule.format(rule=question.rule, reach=REACH[question.kind])]
        lines += [_("Now: {numbers}.").format(numbers=_numbers(question, shown))] if look else []
        lines += [
            _("Recorded, {verdict}: {numbers}.").format(verdict=answer["verdict"], numbers=_numbers(question, then))
        ]
        st.caption(" ".join(lines))


def _look(finding: Finding) -> str:
    """Of a few seeds no verdict: for how many of them the sentence holds."""
    said = _(":gray-badge[a look: {some} of {seeds} seeds]")
    return said.format(some=finding.holding, seeds=len(finding.values))


def _numbers(question: Question, finding: Finding) -> str:
    seeds = len(finding.values)
    if question.kind != MOSTLY:
        return _("{some} of {seeds} seeds, median {median:.3g}").format(
            some=finding.holding, seeds=seeds, median=finding.median
        )
    low, high = (100 * end for end in finding.share)
    said = _("{some} of {seeds} seeds, {level:.0f} % interval of the share {low:.0f} to {high:.0f} %")
    told = said.format(some=finding.holding, seeds=seeds, level=100 * finding.level, low=low, high=high)
    low, high = finding.interval
    if question.yes_or_no or not (math.isfinite(low) and math.isfinite(high)):
        return told
    of_values = _("{share}; median {median:.3g}, from {low:.3g} to {high:.3g}")
    return of_values.format(share=told, median=finding.median, low=low, high=high)


def _shown(again: Again, race: Race) -> list[tuple[str, str, list[Curve]]]:
    """The charts of a statement, each with its label and curves: of the racers of the first seed, if there are any."""
    claim, by_key = again.test.claim, {curve.label: curve for curve in curves_of(race)}
    trained = [replace(by_key[one.key], label=label) for label, one in claim.trained(0).items()]
    curves = trained or again.drawn
    return [(name, label, [curve for curve in curves if label in ("", curve.label)]) for name, label in claim.charts]
