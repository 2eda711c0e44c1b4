"""What does a page say besides its charts? The task at hand, and three short texts."""

from collections.abc import Mapping

import streamlit as st

from lstm_core.activations import ACTIVATIONS
from lstm_core.charts import tables
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.marks import sample, spec
from lstm_core.experiment import Experiment


def the_task(experiment: Experiment) -> None:
    """The task in words, one sample of it as a picture, and the loss that needs no memory."""
    task = experiment.problem
    st.subheader(f"The task: {task.label.lower()}")
    st.markdown(f"{task.description} *{task.example}.*")
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
    if not experiments:
        return
    st.subheader("The equations, as set")
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
