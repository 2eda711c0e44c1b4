"""How is a statement shown, and put to the test again, live? Its evidence, and a race of all its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from lstm_core.charts.marks import evidence, spec
from lstm_core.charts.points import Curve
from lstm_core.charts.words import meanings
from lstm_core.claims import SEEDS, Claim
from lstm_core.claims.evidence import CONFIRMED, REFUTED, UNDECIDED, VERDICTS, Finding, dots
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
    REFUTED: _(":red-badge[:material/close: refuted]"),
    UNDECIDED: _(":orange-badge[:material/question_mark: undecided]"),
}

SIGNS = {
    CONFIRMED: ":green[:material/check:]",
    REFUTED: ":red[:material/close:]",
    UNDECIDED: ":orange[:material/question_mark:]",
}


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
        UnderTest(claim, range(SEEDS)), anew, [Curve(label, one, []) for label, one in claim.looked_at(0).items()]
    )


def end() -> None:
    """Put nothing to the test any more."""
    stop()
    st.session_state.pop(AGAIN, None)


def is_quick(claim: Claim) -> bool:
    """Whether all seeds are done in `QUICK_SECONDS`, by what is recorded."""
    seconds: float = recorded()[claim.name]["seconds"]
    return seconds < QUICK_SECONDS


def statement(claim: Claim) -> None:
    """All about one statement: what to take away, the evidence, the test, the equations, and where to go on."""
    st.markdown(f"**{claim.name}. “{claim.said}”** {BADGES[recorded()[claim.name]['verdict']]}")
    st.markdown(f"**{claim.takeaway}** {claim.why}", help=meanings(claim.said, claim.takeaway, claim.why) or None)
    again = st.session_state.get(AGAIN)
    refusal = too_much(UnderTest(claim, range(SEEDS)).experiments.values()) if claim.racers else None
    if (again is None or again.test.claim is not claim) and not refusal and is_quick(claim):
        _begin(claim, anew=False)
        again = st.session_state[AGAIN]
    under_test = again if again and again.test.claim is claim and not again.stopped else None
    _buttons(claim, under_test, refusal)
    if under_test:
        _test(under_test)
    else:
        _evidence(claim, None)
    equations({**claim.trained(0), **claim.looked_at(0)})
    page = PAGES[claim.page]
    label = _("Try it yourself on the page {page}").format(page=page.label)
    st.page_link(page.path, label=label, icon=page.icon, query_params=exact(claim.address))


def _buttons(claim: Claim, again: Again | None, refusal: str | None) -> None:
    row = recorded()[claim.name]
    seeds = len(row["seeds"])
    if claim.racers:
        record = _("Recorded on {date} with {seeds} seeds: {seconds:.0f} s of training on the {engine} engine.")
    else:
        record = _("Recorded on {date} with {seeds} seeds; nothing had to be trained.")
    st.caption(record.format(date=row["date"], seeds=seeds, seconds=row["seconds"], engine=row["engine"]))
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
            _evidence(test.claim, test.findings, test.finished)
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


def _evidence(claim: Claim, answers: Sequence[Finding] | None, settled: bool = True) -> None:
    """Of each question its sentence, its verdict, the rule, what was measured, and a picture of it; the recorded one
    as long as there are no answers."""
    before = findings(claim)
    st.caption(
        _("Grey: where the sentence holds. Dots: one for each seed; bar: their mean and its 95 % interval."),
        help=meanings(*VERDICTS, _("95 % interval")),
    )
    for number, (question, then) in enumerate(zip(claim.questions, before, strict=True)):
        shown = answers[number] if answers else then
        badge = BADGES[shown.verdict] if settled else _(":gray-badge[under test]")
        beside = "" if question.decides else _(" *(context only, not counted)*")
        st.markdown(f"{badge} {question.sentence}{beside}", help=meanings(question.rule, question.sentence) or None)
        st.vega_lite_chart(
            dots(shown, question.holds),
            spec(evidence),
            key=f"evidence {claim.name} {number}",
            alt=_("{quantity}: a dot for each seed, the mean with its interval, and where the sentence holds.").format(
                quantity=question.quantity
            ),
        )
        lines = [_("Rule: {rule}.").format(rule=question.rule)]
        lines += [_("Measured now: {numbers}.").format(numbers=_numbers(shown, question.share))] if answers else []
        lines += [_("Recorded: {numbers}.").format(numbers=_numbers(then, question.share))]
        lines += [_needed(shown)] if shown.verdict == UNDECIDED and settled else []
        st.caption(" ".join(lines))


def _numbers(finding: Finding, share: bool) -> str:
    if finding.mean is None or finding.low is None:
        return _("no number")
    if share:
        said = _("{some:.0f} of {seeds} seeds, 95 % interval {low:.0f} to {high:.0f} %")
        low, high = 100 * finding.low, 100 * finding.high
        return said.format(some=sum(finding.values), seeds=len(finding.values), low=low, high=high)
    said = _("{mean:.3g}, 95 % interval {low:.3g} to {high:.3g}")
    return said.format(mean=finding.mean, low=finding.low, high=finding.high)


def _needed(finding: Finding) -> str:
    if finding.seeds_needed is None:
        return _("It would take more than a thousand seeds to settle it.")
    return _("About {seeds} seeds would settle it (extrapolated).").format(seeds=finding.seeds_needed)


def _shown(again: Again, race: Race) -> list[tuple[str, str, list[Curve]]]:
    """The charts of a statement, each with its label and curves: of the racers of the first seed, if there are any."""
    claim, by_key = again.test.claim, {curve.label: curve for curve in curves_of(race)}
    trained = [replace(by_key[one.key], label=label) for label, one in claim.trained(0).items()]
    curves = trained or again.drawn
    return [(name, label, [curve for curve in curves if label in ("", curve.label)]) for name, label in claim.charts]
