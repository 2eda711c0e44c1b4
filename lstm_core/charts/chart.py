"""What is a chart? A row of `CHARTS`, which stands on the function of its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pyarrow as pa

from lstm_core.charts.marks import Picture
from lstm_core.charts.needs import Need, measured
from lstm_core.charts.points import Curve
from lstm_core.charts.words import meanings
from lstm_core.language import _

BY_TIME = _("time step t of the sequence")


@dataclass(frozen=True)
class Paper:
    """One row of `PAPERS`: who and when, and where to read it."""

    label: str
    address: str


PAPERS = {
    "bengio": Paper(_("Bengio, Simard, Frasconi 1994"), "https://doi.org/10.1109/72.279181"),
    "hochreiter": Paper(_("Hochreiter, Schmidhuber 1997"), "https://doi.org/10.1162/neco.1997.9.8.1735"),
    "gers": Paper(_("Gers, Schmidhuber, Cummins 2000"), "https://doi.org/10.1162/089976600300015015"),
    "pascanu": Paper(_("Pascanu, Mikolov, Bengio 2013"), "https://proceedings.mlr.press/v28/pascanu13.html"),
    "le": Paper(_("Le, Jaitly, Hinton 2015"), "https://arxiv.org/abs/1504.00941"),
    "greff": Paper(_("Greff and others 2017"), "https://arxiv.org/abs/1503.04069"),
    "tallec": Paper(_("Tallec, Ollivier 2018"), "https://arxiv.org/abs/1804.11188"),
    "he": Paper(_("He and others 2016"), "https://arxiv.org/abs/1512.03385"),
    "huang": Paper(_("Huang and others 2017"), "https://arxiv.org/abs/1608.06993"),
    "zhang": Paper(_("Zhang and others 2016"), "https://arxiv.org/abs/1602.08210"),
    "hyndman": Paper(_("Hyndman, Koehler 2006"), "https://doi.org/10.1016/j.ijforecast.2006.03.001"),
    "mackey": Paper(_("Mackey, Glass 1977"), "https://doi.org/10.1126/science.267326"),
    "makridakis": Paper(_("Makridakis and others 2018"), "https://doi.org/10.1371/journal.pone.0194889"),
    "deletang": Paper(_("Delétang and others 2023"), "https://arxiv.org/abs/2207.02098"),
    "schneider": Paper(_("Schneider, Dangel, Hennig 2021"), "https://arxiv.org/abs/2102.06604"),
    "feng": Paper(_("Feng and others 2024"), "https://arxiv.org/abs/2410.01201"),
    "lezcano": Paper(_("Lezcano-Casado, Martínez-Rubio 2019"), "https://arxiv.org/abs/1901.08428"),
    "grazzi": Paper(_("Grazzi and others 2024"), "https://arxiv.org/abs/2411.12537"),
    "vogt": Paper(_("Vogt and others 2022"), "https://arxiv.org/abs/2006.14123"),
}


@dataclass(frozen=True)
class Chart:
    """
    One row of `CHARTS`: a title, the table it draws, what to see in it and why, the row of `PAPERS` it comes from;
    `description` for those who cannot see. What its table `needs` is measured before. With `of_one_step`, it shows the
    training as it was at a step that the visitor goes back to. `stretched` to the width of its column, or as wide as
    its picture says.
    """

    title: str
    table: Callable[[Sequence[Curve]], pa.Table]
    picture: Picture
    reading: str
    why: str
    paper: str
    description: str
    needs: tuple[Need[Any], ...] = ()
    of_one_step: bool = False
    stretched: bool = True

    @property
    def caption(self) -> str:
        """What to look for, why, and the paper, in Markdown."""
        paper = PAPERS[self.paper]
        return f"{self.said} [{paper.label}]({paper.address})"

    @property
    def said(self) -> str:
        """What to look for, and why."""
        return _("{reading} *Why:* {why}").format(reading=self.reading, why=self.why)

    @property
    def help(self) -> str:
        """The caption, and what the strange words mean in it, in the title and in the description."""
        return "\n\n".join(filter(None, (self.caption, meanings(self.title, self.said, self.description))))

    def of(self, curves: Sequence[Curve]) -> alt.LayerChart | alt.Chart:
        """The chart of these curves, to show in a notebook or to save; what it needs is measured now."""
        return self.picture().properties(data=self.table(measured(curves, self.needs)), title=self.title)


CHARTS: dict[str, Chart] = {}
Table = Callable[[Sequence[Curve]], pa.Table]


def chart(
    name: str,
    title: str,
    picture: Picture,
    reading: str,
    why: str,
    paper: str,
    description: str,
    **options: Any,
) -> Callable[[Table], Table]:
    """Make a row of `CHARTS`, with this name and these fields, of the function of its table."""

    def of(table: Table) -> Table:
        CHARTS[name] = Chart(title, table, picture, reading, why, paper, description, **options)
        return table

    return of
