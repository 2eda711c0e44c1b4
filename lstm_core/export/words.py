"""How is a race told to a shell, to Python, and to whoever cites it?"""

import dataclasses
import re
import shlex
from collections.abc import Mapping
from functools import cache
from typing import Any

from lstm_core.experiment import Experiment
from lstm_core.installation import APP
from lstm_core.tasks.series import Series, is_own, known

CITATION = APP / "CITATION.cff"
SERIES_FILE, COLUMN = "series.csv", "value"


def changed(experiment: Experiment) -> dict[str, Any]:
    """The fields that are not as by default; the name of a visitor's own series is not among them."""
    fields = {spec.name: (getattr(experiment, spec.name), spec.default) for spec in dataclasses.fields(experiment)}
    return {
        name: value
        for name, (value, default) in fields.items()
        if value != default and not (name == "series" and is_own(str(value)))
    }


def command(experiment: Experiment) -> str:
    """The line in a shell that trains it; a visitor's own series is read from `SERIES_FILE`."""
    words = ["python", "-m", "lstm_core", "train"]
    for name, value in changed(experiment).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{option}")
        else:
            words += [f"--{option}", str(value)]
    if is_own(experiment.series):
        series = known(experiment.series)
        words += ["--csv", SERIES_FILE, "--column", COLUMN, "--gaps", series.gaps, "--season", str(series.period)]
        words += [word for name in columns_beside(series) for word in ("--with", name)]
    return shlex.join(words)


def snippet(racers: Mapping[str, Experiment]) -> str:
    """Python that trains these experiments, by label, with `lstm_core`."""
    own = next((known(one.series) for one in racers.values() if is_own(one.series)), None)
    rows = "".join(f"    {label!r}: {_call(experiment)},\n" for label, experiment in racers.items())
    return f"""from lstm_core import Experiment, train
{_reading(own) if own else ""}
racers = {{
{rows}}}
for label, experiment in racers.items():
    for snapshot in train(experiment):
        print(label, snapshot.step, snapshot.loss, snapshot.grad_norm, snapshot.hidden_grad_norms[0])
"""


def _call(experiment: Experiment) -> str:
    fields = [f"{name}={value!r}" for name, value in changed(experiment).items()]
    return f"Experiment({', '.join([*fields, *['series=own.name'] * is_own(experiment.series)])})"


def _reading(series: Series) -> str:
    names, how = columns_beside(series), f'known=read.known, gaps="{series.gaps}"'
    beside = ""
    if names:
        how += ", beside=beside"
        beside = f'beside = tuple(Beside(name, from_csv("{SERIES_FILE}", name).values) for name in {names!r})\n'
    return f"""from lstm_core.series import {"Beside, " if names else ""}Series, from_csv, register

read = from_csv("{SERIES_FILE}", "{COLUMN}")
{beside}own = register(Series("{COLUMN}", read.values, {series.period}, {how}))
"""


def columns_beside(series: Series) -> tuple[str, ...]:
    """How they are called in `SERIES_FILE`."""
    return tuple(f"beside {number}" for number in range(1, len(series.beside) + 1))


def series_csv(name: str) -> str:
    """The values of a series, one a row, and what stands beside them; a value that is missing is an empty cell."""
    series = known(name)
    there = series.known or (True,) * len(series.values)
    cells = (repr(value) if is_there else "" for value, is_there in zip(series.values, there, strict=True))
    further = [map(repr, one.values) for one in series.beside]
    rows = (",".join([str(step), *row]) for step, row in enumerate(zip(cells, *further, strict=True), start=1))
    return "\n".join([",".join(["step", COLUMN, *columns_beside(series)]), *rows, ""])


@cache
def citation() -> str:
    """The software, in one line, as CITATION.cff has it."""
    text = CITATION.read_text()
    title, version, author = (
        re.findall(rf'^[ -]*{field}: "?([^"\n]+)"?$', text, re.MULTILINE)[0] for field in ("title", "version", "name")
    )
    return f"{author}. {title}. Version {version}."
