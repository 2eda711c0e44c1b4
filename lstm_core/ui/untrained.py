"""How does a page show what needs no training? A slider, the chart that it moves along, and its numbers there."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st
import torch

from lstm_core.charts import untrained
from lstm_core.charts.axes import Picture
from lstm_core.charts.marks import spec
from lstm_core.charts.words import meanings
from lstm_core.language import _
from lstm_core.measurements.memory import eigenvalues
from lstm_core.measurements.overflow import Failure
from lstm_core.ui.address import place
from lstm_core.ui.control import Control, ordered, said
from lstm_core.ui.room import type_scale


def eigenvalue(steps: int) -> float:
    """A slider for |λ|, up to 1 - 1/T for so many time steps T."""
    grid = [round(value, 6) for value in eigenvalues(steps).tolist()]
    at: float = place(_along(_("|λ|, how much of the state a step keeps"), grid), "eigenvalue", grid[len(grid) // 2])
    return at


def memory(steps: int, at: float) -> None:
    """The curse of memory: state and derivatives after so many time steps, with their numbers where |λ| is `at`."""
    _draw(
        _("The curse of memory"),
        "memory",
        untrained.memory_by_eigenvalue(steps, at),
        untrained.MEMORY,
        _("Without γ the state grows, with γ it does not. The gradient by |λ| still does; that by ν stays small."),
        _("Line chart on log axes: sizes of state and derivatives after T steps, by how long the cell remembers."),
    )
    values = untrained.of_memory(torch.tensor([at], dtype=torch.float64), steps)
    _tell({name: f"{float(value):.3g}" for name, value in values.items()})


def bias() -> float:
    """A slider for the forget bias of an sLSTM."""
    at: float = place(_along(_("Forget bias b of the sLSTM"), untrained.BIASES), "overflow_bias", 1.0)
    return at


def overflow(at: float) -> None:
    """When an sLSTM without its stabiliser fails, with its numbers where its forget bias is `at`."""
    _draw(
        _("The stabiliser off"),
        "overflow",
        untrained.overflow_by_forget_bias(at),
        untrained.OVERFLOW,
        _("f = exp overflows: first n, and h is 0, finite and wrong; soon h is no number. ▲ not in 1,000 steps."),
        _("Line chart on a log axis: the first time step at which an sLSTM overflows, by forget bias."),
    )
    here = untrained.BIASES.index(at)
    _tell({name: _said(found, here) for name, found in untrained.failures().items()})


def _said(found: Failure, here: int) -> str:
    wrong, broken = float(found.wrong[here]), float(found.broken[here])
    if math.isinf(broken):
        return _("never")
    return _("n infinite at {wrong:g}, no number at {broken:g}").format(wrong=wrong, broken=broken)


def _along(label: str, values: Sequence[float]) -> Control:
    """A slider over some numbers; the address may name any, of which the nearest is taken."""

    def read(name: str, texts: Sequence[str]) -> float:
        try:
            number = float(texts[-1])
        except ValueError:
            number = math.nan
        if not values[0] <= number <= values[-1]:
            raise ValueError(f"{name}: {texts[-1]!r} is not a number from {said(values[0])} to {said(values[-1])}")
        return number

    return dataclasses.replace(ordered(label, {value: f"{value:.4g}" for value in values}), read=read)


def _draw(title: str, key: str, table: pa.Table, picture: Picture, reading: str, description: str) -> None:
    st.markdown(f"**{title}**", help=meanings(title, reading, description) or None)
    st.vega_lite_chart(table, spec(picture, type_scale()), key=key, alt=description)
    st.caption(reading)


def _tell(values: Mapping[str, str]) -> None:
    """The numbers at the slider."""
    st.caption(" · ".join(f"{name}: **{value}**" for name, value in values.items()))
