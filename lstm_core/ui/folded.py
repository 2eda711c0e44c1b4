"""What lies folded below a race? Tabs, of which only the open one is computed, and drawn again while the race moves."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.charts import tables
from lstm_core.charts.marks import heat, spec
from lstm_core.charts.points import last_step
from lstm_core.fair_lock import PAGE, held
from lstm_core.language import _
from lstm_core.race.race import Race
from lstm_core.ui import pace
from lstm_core.ui.chart import in_rows
from lstm_core.ui.session import TAB
from lstm_core.ui.showing import Showing

# The name of a tab, and what draws it.
Folded = Mapping[str, Callable[[], object]]
MORE, OVER_TRAINING = _("More charts"), _("Gradient over training")


def opened(names: Iterable[str]) -> dict[str, DeltaGenerator]:
    """The place of the tab that is open: the first one, unless the visitor has chosen."""
    names = list(names)
    tabs = st.tabs(names, on_change="rerun", key=TAB) if names else []
    return {name: tab for name, tab in zip(names, tabs, strict=True) if tab.open}


def ticking(race: Race, content: Callable[[], None]) -> None:
    """Draw it, and again about once a second as long as the race moves."""

    @st.fragment(run_every=pace.every(pace.RARELY) if race.moving else None)
    def tick() -> None:
        with held(PAGE):
            content()

    tick()


def over_training(shown: Showing) -> None:
    """A heat map for each racer, of its first seed."""
    ticking(shown.race, partial(_heat_maps, shown))


def _heat_maps(shown: Showing) -> None:
    curves = shown.by_seed[0]
    for column, curve in in_rows(curves, 3):
        with column:
            st.markdown(f"**{curve.label}**")
            st.vega_lite_chart(
                tables.heat(curve, last_step(curves)),
                spec(heat),
                key=f"heat {curve.label}",
                alt=_("Heat map of the gradient norm of {label}, training step by time step.").format(
                    label=curve.label
                ),
            )
    st.caption(
        _(
            "Each row is one moment of training, earliest at the bottom. Bright on the left: the gradient reaches the "
            "first inputs."
        )
    )
