"""How does a chart come onto a page? As a table for a picture that never changes, so that it grows in its place."""

from collections.abc import Sequence

import streamlit as st

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.marks import spec
from lstm_core.charts.points import Curve


def draw(name: str, curves: Sequence[Curve], of: str = "") -> None:
    """A chart of these curves, with its title and its caption; `of` tells it from others of the same row."""
    chart = CHARTS[name]
    st.markdown(f"**{chart.title}**" + f" · {of}" * bool(of))
    width = "stretch" if chart.stretched else "content"
    table = chart.table(curves)
    st.vega_lite_chart(table, spec(chart.picture), key=f"chart {name} {of}", alt=chart.description, width=width)  # type: ignore[call-overload]
    st.caption(chart.caption)
