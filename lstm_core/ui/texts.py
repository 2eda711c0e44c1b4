"""What does a page say besides its charts? Three short texts, its equations, and the task at hand."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from lstm_core.charts import tables
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.marks import sample, spec
from lstm_core.charts.words import meanings
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.network import Network


def texts(
    racers: Mapping[str, Experiment], as_opened: bool, look: str, why: str, article: str
) -> dict[str, Callable[[], object]]:
    """What lies folded below a race: what to look for and why, the equations of its racers, and their task."""
    said = {_("What to look for, and why"): partial(three_texts, as_opened, look, why, article)}
    task = {_("The task"): partial(the_task, next(iter(racers.values())))} if racers else {}
    return {**said, **equations_of(racers), **task}


def equations_of(racers: Mapping[str, Experiment]) -> dict[str, Callable[[], object]]:
    """The equations of these racers, to fold; nothing of none."""
    return {_("Equations"): partial(equations, racers)} if racers else {}


def the_task(experiment: Experiment) -> None:
    """The task in words, one sample of it as a picture, and the loss that needs no memory."""
    task = experiment.problem
    st.markdown(f"**{task.label}.** {task.description} *{task.example}.*")
    st.vega_lite_chart(
        tables.sample(experiment),
        spec(sample),
        key="sample",
        alt=_("One sequence of the task {task}: every input channel, and the answer, by time step.").format(
            task=task.label
        ),
    )
    length = experiment.length
    if task.solvable:
        said = _(
            "One training example: darker = larger; → marks the target. Guessing without the input scores "
            "{constant:.4f}; below {solved:.4f} counts as solved."
        )
    else:
        said = _(
            "One training example: darker = larger; → marks the target. Always guessing the mean scores {constant:.4f}."
        )
    st.caption(said.format(constant=task.constant_loss(length), solved=task.solved_below(length)))


def three_texts(as_opened: bool, look: str, why: str, article: str) -> None:
    """What to look for in a page's opening race, why it happens, and what the article says about it."""
    if not as_opened:
        st.caption(_("You changed the settings; the texts below describe the original race."))
    headings = _("What to look for"), _("Why"), _("What the article says")
    for column, heading, text in zip(st.columns(3), headings, (look, why, article), strict=True):
        with column:
            st.header(heading, anchor=False)
            st.markdown(text, help=meanings(text) or None)
    st.caption(_("This project tests a Korean article that leads from the RNN to the LSTM and DenseNet."))


def equations(experiments: Mapping[str, Experiment]) -> None:
    """The equations of every racer's cell, as set, with the shapes and sizes of its weights."""
    for tab, experiment in zip(st.tabs(list(experiments)), experiments.values(), strict=True):
        weights = terms(experiment)
        rows = [
            f"| ${term.name}$ | {' × '.join(map(str, term.shape))} | {term.size:,} | {term.about} |" for term in weights
        ]
        head = f"| {_('weights')} | {_('shape')} | {_('numbers')} | {_('meaning')} |"
        table = "\n".join([head, "|---|---|---|---|", *rows])
        row = experiment.recurrent_cell.phi(Network(experiment).layer.tensors())
        with tab:
            said = _(
                "Together **{size:,}** numbers. The activation is {label}: ${function}$, with slope ${slope}$."
            ).format(
                size=sum(term.size for term in weights),
                label=row.label,
                function=rf"\varphi(x) = {row.formula}",
                slope=rf"\varphi'(x) = {row.slope_formula}",
            )
            st.markdown(f"$$\n{latex(experiment)}\n$$\n\n{table}\n\n{said}")
