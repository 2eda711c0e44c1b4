"""What can a visitor keep of a race? Its curves beside the next ones, as files, and a link."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import chain
from urllib.parse import urlencode

import streamlit as st

from lstm_core.charts.points import Curve
from lstm_core.engine import FUSED, expected, preparing
from lstm_core.export.archive import archive, curves_csv, experiments_json
from lstm_core.language import _
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED, engines_of
from lstm_core.ui.address import exact, words
from lstm_core.ui.session import PINS

MOST_PINS = 4
ENDS = {
    None: _("**{label}** paused at step {step:,}, loss {loss:.4g}"),
    SOLVED: _("**{label}** solved at step {step:,}, loss {loss:.4g}"),
    DIVERGED: _("**{label}** exploded at step {step:,}, loss {loss:.4g}"),
    COMPLETED: _("**{label}** ended at step {step:,}, loss {loss:.4g}"),
}
EVERYTHING = _(
    "To run elsewhere: each racer as a script in plain torch, all of them as a notebook, networks as ONNX for other "
    "programs, all numbers."
)
FRAME = '<iframe src="{}" width="100%" height="560" title="Gradient Highway"></iframe>'


@dataclass(frozen=True)
class Pin:
    """A race that stays: its number, and its curves as they were."""

    number: int
    curves: tuple[Curve, ...]

    @property
    def ghosts(self) -> tuple[Curve, ...]:
        """To draw behind other curves."""
        return tuple(
            replace(curve, label=_("{label} (pin {number})").format(label=curve.label, number=self.number), ghost=True)
            for curve in self.curves
        )


def pins() -> list[Pin]:
    """This visitor's pins, the oldest first."""
    pinned: list[Pin] = st.session_state.setdefault(PINS, [])
    return pinned


def pin(curves: Sequence[Curve]) -> None:
    """Keep these curves, under the lowest free number; the button is off when there is none."""
    taken = {pin.number for pin in pins()}
    number = min(set(range(1, MOST_PINS + 1)) - taken)
    pins().append(Pin(number, tuple(curve.drawn for curve in curves)))


def _unpin(number: int) -> None:
    st.session_state[PINS] = [pin for pin in pins() if pin.number != number]


def pinned_races() -> None:
    """A line for every pin, and a button to take it away."""
    for number, curves in ((pin.number, pin.curves) for pin in pins()):
        ends = []
        for curve in curves:
            if not curve.snapshots:
                ends.append(_("**{label}** not begun").format(label=curve.label))
                continue
            last = curve.snapshots[-1]
            said = ENDS[last.ended]
            ends.append(said.format(label=curve.label, step=last.step, loss=last.mean_loss))
        first = curves[0].experiment
        name = _("Unpin {number}").format(number=number)
        st.button(name, icon=":material/keep_off:", on_click=_unpin, args=(number,), key=f"unpin {number}")
        kept = _("{task}, T = {length}, grey in the charts: {racers}.")
        st.caption(kept.format(task=first.problem.label, length=first.length, racers="; ".join(ends)))


def _engines(curve: Curve) -> Iterator[str]:
    """Those that have computed it, and those that will compute what is to come, as far as is known."""
    yield from engines_of(curve.snapshots)
    asked = curve.experiment.engine, curve.experiment.dtype, curve.experiment.recurrent_cell
    if not curve.snapshots or not curve.snapshots[-1].ended:
        yield expected(*asked)
        if preparing(*asked) is not None:
            yield FUSED


def share(curves: Callable[[], Sequence[Curve]]) -> None:
    """A link to this race that names its engine, its curves as they are at the click, and its experiments."""
    st.markdown(_("**Link**: anyone who opens it sees the same race."))
    settings = urlencode(exact(words(), chain.from_iterable(map(_engines, curves()))))
    address = f"{st.context.url}?{settings}"
    st.code(address, language=None, wrap_lines=True)
    st.markdown(_("**To embed in your own page**: one control and two charts."))
    st.code(FRAME.format(escape(f"{address}&embed=true")), language=None, wrap_lines=True)
    files: tuple[tuple[str, Callable[[], str | bytes], str, str, str | None], ...] = (
        (_("Everything, ZIP"), lambda: archive(curves(), address), "race.zip", "application/zip", EVERYTHING),
        (_("All curves, CSV"), lambda: curves_csv(curves()), "curves.csv", "text/csv", None),
        (_("The experiments, JSON"), lambda: experiments_json(curves()), "experiments.json", "application/json", None),
    )
    for label, content, name, kind, about in files:
        st.download_button(label, content, name, kind, icon=":material/download:", on_click="ignore", help=about)
