"""What of a race is drawn in one frame? Its curves so far, and those of the step that the visitor has gone back to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.points import Curve
from lstm_core.race.jobs import Job
from lstm_core.ui.chart import draw, in_rows
from lstm_core.ui.session import STEP_SHOWN
from lstm_core.ui.showing import Showing, last_step, needed

BySeed = Sequence[Sequence[Curve]]


@dataclass(frozen=True)
class View:
    """One moment of what a visitor looks at; curves are seed by seed."""

    shown: Showing

    @cached_property
    def by_seed(self) -> BySeed:
        return self.shown.by_seed

    @cached_property
    def then(self) -> BySeed:
        """As they were at the training step that the visitor has gone back to; all there is, if to none."""
        if self.step is None:
            return self.by_seed
        return [[curve.at(self.step) for curve in curves] for curves in self.by_seed]

    @cached_property
    def step(self) -> int | None:
        """The training step that the visitor has gone back to, if to any."""
        last = last_step(self.shown.race)
        step: int = st.session_state.get(STEP_SHOWN, last)
        return step if step < last else None

    def of(self, chart: str) -> BySeed:
        """What a row of `CHARTS` shows."""
        return self.then if CHARTS[chart].of_one_step else self.by_seed

    def needed(self, charts: Iterable[str]) -> Iterator[Job]:
        """What these charts still need to have measured; of several seeds, of the first."""
        return (job for name in charts for job in needed(self.of(name)[0], name))

    def draw(self, charts: Sequence[str]) -> None:
        """These charts, two in a row, with what the visitor has seen before."""
        race = self.shown.race
        latest = self.then is self.by_seed
        still, over = not latest or race.finished or not race.running, latest and race.finished
        for column, name in in_rows(charts, 2):
            with column:
                first, *others = ([*curves, *self.shown.behind] for curves in self.of(name))
                draw(name, first, still=still, seeds=others, over=over, at=self.step)
