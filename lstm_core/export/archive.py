"""What of a race fits in one file? Scripts, a notebook, networks, numbers and how to get them again, as a ZIP."""

import dataclasses
import io
import json
import textwrap
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import pyarrow.csv

from lstm_core.charts.export import everything
from lstm_core.charts.points import Curve
from lstm_core.experiment import Experiment
from lstm_core.export.graph import to_onnx
from lstm_core.export.notebook import notebook
from lstm_core.export.script import script, sections
from lstm_core.export.words import SERIES_FILE, citation, command, series_csv, snippet
from lstm_core.language import _
from lstm_core.measurements.checkpoints import Checkpoint, beginning

Of = TypeVar("Of")
Written = TypeVar("Written")
README = "README.txt"
# Before it no ZIP has a date; with one of their own, equal races would be different files.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def curves_csv(curves: Sequence[Curve]) -> bytes:
    """Every number of every recorded training step, see `everything`."""
    written = io.BytesIO()
    pyarrow.csv.write_csv(everything(curves), written)
    return written.getvalue()


def experiments_json(curves: Sequence[Curve]) -> str:
    """All fields of each experiment, by label."""
    return json.dumps({curve.label: dataclasses.asdict(curve.experiment) for curve in curves}, indent=1)


def file_name(label: str) -> str:
    """A label as the name of a file, without its end."""
    return "".join(letter if letter.isalnum() else "_" for letter in label)


def archive(curves: Sequence[Curve], link: str = "") -> bytes:
    """
    A ZIP with all that can be taken away of these curves, at least one, which forecast the same series if any; where
    some differ by their seeds alone, with script and network of the first. What cannot be written of a racer is left
    out, and the README says why. ValueError for an experiment of an earlier stream.
    """
    racers = _without_repetition(curves)
    names, left_out = _file_names(racers), list[str]()
    experiments = {label: curve.experiment for label, curve in racers.items()}
    checkpoints = {label: _last(curve) for label, curve in racers.items()}
    parts = _those_written(experiments, sections, left_out)
    networks = _those_written(checkpoints, to_onnx, left_out)
    files: dict[str, str | bytes] = {
        README: "\n".join([*_readme(racers, checkpoints, link), *left_out, ""]),
        "curves.csv": curves_csv(curves),
        "experiments.json": experiments_json(curves),
        "commands.sh": "".join(f"{command(experiment)}\n" for experiment in experiments.values()),
        "with_lstm_core.py": snippet(experiments),
    }
    files |= {
        f"{names[label]}.py": script(some, _said(f"{label}: {citation()} {link}")) for label, some in parts.items()
    }
    files |= {f"{names[label]}.onnx": content for label, content in networks.items()}
    if parts:
        files["race.ipynb"] = notebook(f"# {', '.join(parts)}\n\n{citation()} {link}".strip(), parts)
    one = next(iter(experiments.values()))
    if one.problem.of:
        files[SERIES_FILE] = series_csv(one.series)
    return _packed(files)


def _without_repetition(curves: Sequence[Curve]) -> dict[str, Curve]:
    """By label; of those that differ by their seeds alone the first."""
    first: dict[Experiment, Curve] = {}
    for curve in curves:
        first.setdefault(dataclasses.replace(curve.experiment, seed=0), curve)
    return {curve.label: curve for curve in first.values()}


def _file_names(labels: Iterable[str]) -> dict[str, str]:
    """By label; numbered where two would have the same."""
    names: dict[str, str] = {}
    for label in labels:
        name = file_name(label)
        names[label] = f"{name}_{len(names) + 1}" if name in names.values() else name
    return names


def _last(curve: Curve) -> Checkpoint:
    """The latest weights there are, or the first ones."""
    return curve.checkpoint(max(curve.steps)) if curve.steps else beginning(curve.experiment)


def _those_written(racers: Mapping[str, Of], write: Callable[[Of], Written], left_out: list[str]) -> dict[str, Written]:
    """What becomes of each racer; where nothing can, `left_out` says why."""
    written: dict[str, Written] = {}
    for label, racer in racers.items():
        try:
            written[label] = write(racer)
        except ValueError as error:
            left_out.append(_("Left out: {label}: {reason}").format(label=label, reason=error))
    return written


def _readme(racers: Mapping[str, Curve], checkpoints: Mapping[str, Checkpoint], link: str) -> Iterator[str]:
    task = next(iter(racers.values())).experiment.problem
    yield _("{racers} on the task {task}, from Gradient Highway.").format(racers=", ".join(racers), task=task.label)
    names = ", ".join(_file_names(racers).values())
    yield _("Scripts ({names}, each .py) need torch alone: pip install torch, then python and the file.").format(
        names=names
    )
    yield _(
        "They draw the same sequences and first weights; in double precision all losses are the same up to rounding."
    )
    yield _("Training makes rounding errors grow: from some step on script and page differ, as two machines do.")
    yield _("race.ipynb is a notebook of the same scripts; series.csv, if it is here, belongs beside them.")
    yield _("with_lstm_core.py and commands.sh train the same with the project itself, in its folder.")
    steps = ", ".join(f"{label} {checkpoint.step}" for label, checkpoint in checkpoints.items())
    yield _(
        "Files .onnx: inputs (T, B, D) to the answer, with the weights at the start of these steps: {steps}."
    ).format(steps=steps)
    yield _(
        "curves.csv has all numbers of each recorded step, losses and gradient norms too; experiments.json all fields."
    )
    yield _("Link of the race: {link}").format(link=link or _("none, it was made in a shell"))
    yield _("To cite: {citation}").format(citation=citation())


def _said(text: str) -> str:
    """For a docstring: in lines of 110 letters, without what would end it."""
    return "\n".join(textwrap.wrap(text.replace("\\", "/").replace('"', "'"), 110))


def _packed(files: Mapping[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            file = zipfile.ZipInfo(name, LONG_AGO)
            file.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(file, content)
    return written.getvalue()
