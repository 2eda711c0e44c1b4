"""How does a chart come onto a page? As a table for a picture that never changes, so that it grows in its place."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.charts.catalogue import CHARTS, Chart
from lstm_core.charts.marks import BY_STEP, spec, title_of_x
from lstm_core.charts.needs import missing
from lstm_core.charts.points import COLUMNS, Curve, looked_at
from lstm_core.charts.seeds import over_seeds
from lstm_core.charts.spoken import outcome
from lstm_core.language import _
from lstm_core.ui.room import type_scale

Item = TypeVar("Item")


def in_rows(items: Sequence[Item], length: int) -> Iterator[tuple[DeltaGenerator, Item]]:
    """Each of these with its place, so many in a row; what is alone in the last row has all of it."""
    for start in range(0, len(items), length):
        row = items[start : start + length]
        yield from zip(st.columns(len(row)), row, strict=True)


def draw(
    name: str,
    curves: Sequence[Curve],
    of: str = "",
    still: bool = False,
    seeds: Sequence[Sequence[Curve]] = (),
    over: bool = False,
    at: int | None = None,
) -> None:
    """
    A chart of these curves, with its title, beside which a help tells what to see in it; `of` tells it from others of
    the same row. It says that it is measuring where there is nothing to draw yet, and, of curves that stand `still`,
    where anything is missing. Curves of further `seeds` are drawn too, where nothing of them has to be measured. When
    `at` is the training step that is looked at, where that is not the last. When
    all is `over`, it tells those who cannot see it what came out, for which the browser draws it anew.
    """
    chart = CHARTS[name]
    table = chart.table(curves)
    waits = _(" · :gray[measuring …]") if _waits(chart, curves, still) else ""
    if seeds and (chart.needs or table.column_names != COLUMNS):
        of = _("the first seed")
    elif seeds:
        table = over_seeds([table, *map(chart.table, seeds)])
    if at is not None and table.column_names == COLUMNS and title_of_x(chart.picture) == BY_STEP:
        table = looked_at(table, at)
    st.markdown(f"**{chart.title}**" + f" · {of}" * bool(of) + waits, help=chart.help)
    spoken = f"{chart.description} {outcome(table)}" if over else chart.description
    width = "stretch" if chart.stretched else "content"
    st.vega_lite_chart(table, spec(chart.picture, type_scale()), key=f"chart {name} {of}", alt=spoken, width=width)  # type: ignore[call-overload]
    for error in _failures(chart, curves):
        said = _(":red[This could not be measured: {kind}: {error}]")
        st.caption(said.format(kind=type(error).__name__, error=error))


def _waits(chart: Chart, curves: Sequence[Curve], still: bool) -> bool:
    if not any(missing(curve, chart.needs) for curve in curves):
        return False
    return still or not any(next(need.found(curves), None) for need in chart.needs)


def _failures(chart: Chart, curves: Sequence[Curve]) -> list[Exception]:
    results = (
        curve.measured.get((need.what, step)) for need in chart.needs for curve in curves for step in need.wanted(curve)
    )
    return [result for result in results if isinstance(result, Exception)][:1]
