"""How does a chart come onto a page? As a table for a picture that never changes, so that it grows in its place."""

from collections.abc import Sequence

import streamlit as st

from lstm_core.charts.catalogue import CHARTS, Chart
from lstm_core.charts.marks import spec
from lstm_core.charts.needs import missing
from lstm_core.charts.points import Curve


def draw(name: str, curves: Sequence[Curve], of: str = "", still: bool = False) -> None:
    """
    A chart of these curves, with its title and its caption; `of` tells it from others of the same row. It says that it
    is measuring where there is nothing to draw yet, and, of curves that stand `still`, where anything is missing.
    """
    chart = CHARTS[name]
    waits = " · :gray[measuring …]" if _waits(chart, curves, still) else ""
    st.markdown(f"**{chart.title}**" + f" · {of}" * bool(of) + waits)
    width = "stretch" if chart.stretched else "content"
    table = chart.table(curves)
    st.vega_lite_chart(table, spec(chart.picture), key=f"chart {name} {of}", alt=chart.description, width=width)  # type: ignore[call-overload]
    st.caption(chart.caption)
    for error in _failures(chart, curves):
        st.caption(f":red[This could not be measured: {type(error).__name__}: {error}]")


def _waits(chart: Chart, curves: Sequence[Curve], still: bool) -> bool:
    if not any(missing(curve, chart.needs) for curve in curves):
        return False
    return still or not any(next(need.found(curves), None) for need in chart.needs)


def _failures(chart: Chart, curves: Sequence[Curve]) -> list[Exception]:
    results = (
        curve.measured.get((need.what, step)) for need in chart.needs for curve in curves for step in need.wanted(curve)
    )
    return [result for result in results if isinstance(result, Exception)][:1]
