"""What does a page say besides its charts? Three short texts, its equations, and the task at hand."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from lstm_core.activations import ACTIVATIONS
from lstm_core.charts import tables
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.marks import sample, spec
from lstm_core.experiment import Experiment


def texts(
    racers: Mapping[str, Experiment], as_opened: bool, look: str, why: str, article: str
) -> dict[str, Callable[[], object]]:
    """What lies folded below a race: what to look for and why, the equations of its racers, and their task."""
    said = {"What to look for, and why": partial(three_texts, as_opened, look, why, article)}
    task = {"The task": partial(the_task, next(iter(racers.values())))} if racers else {}
    return {**said, **equations_of(racers), **task}


def equations_of(racers: Mapping[str, Experiment]) -> dict[str, Callable[[], object]]:
    """The equations of these racers, to fold; nothing of none."""
    return {"Equations": partial(equations, racers)} if racers else {}


def the_task(experiment: Experiment) -> None:
    """The task in words, one sample of it as a picture, and the loss that needs no memory."""
    task = experiment.problem
    st.markdown(f"**{task.label}.** {task.description} *{task.example}.*")
    st.vega_lite_chart(
        tables.sample(experiment),
        spec(sample),
        key="sample",
        alt=f"One sequence of the task {task.label}: every input channel, and the answer, by time step.",
    )
    length = experiment.length
    solved = (
        f"the task counts as solved below {task.solved_below(length):.4f}, averaged over 20 steps"
        if task.solvable
        else "it never counts as solved, for nobody knows how much of a series is noise"
    )
    st.caption(
        f"The first sequence of this race, strong where the value is high; rows with an arrow are the answer. Whoever "
        f"ignores the inputs gets a loss of {task.constant_loss(length):.4f} at best; {solved}."
    )


def three_texts(as_opened: bool, look: str, why: str, article: str) -> None:
    """What to look for in a page's opening race, why it happens, and what the article says about it."""
    if not as_opened:
        st.caption("The texts below are about the race that this page opens with; yours differs.")
    for column, heading, text in zip(
        st.columns(3), ("What to look for", "Why", "What the article says"), (look, why, article), strict=True
    ):
        with column:
            st.subheader(heading)
            st.markdown(text)


def equations(experiments: Mapping[str, Experiment]) -> None:
    """The equations of every racer's cell, as set, with the shapes and sizes of its weights."""
    for tab, experiment in zip(st.tabs(list(experiments)), experiments.values(), strict=True):
        weights = terms(experiment)
        rows = [
            f"| ${term.name}$ | {' × '.join(map(str, term.shape))} | {term.size:,} | {term.about} |" for term in weights
        ]
        table = "\n".join(["| weights | shape | numbers | |", "|---|---|---|---|", *rows])
        row = ACTIVATIONS[experiment.activation]
        with tab:
            st.markdown(
                f"$$\n{latex(experiment)}\n$$\n\n{table}\n\n"
                f"Together **{sum(term.size for term in weights):,}** numbers. "
                f"The activation is {row.label}: $\\varphi(x) = {row.formula}$, with the slope "
                f"$\\varphi'(x) = {row.slope_formula}$."
            )
