"""
Which runs does a sweep consist of? A grid of experiments, written down in a TOML file.

    [base]                       fields of all experiments
    length = 60

    [grid]                       fields that take several values, which are crossed
    task = ["adding", "latch"]
    seeds = 5                    the same as seed = [0, 1, 2, 3, 4]

    [[variants]]                 named changes, crossed with the grid
    name = "V"
    peephole = true

A field is anything that `Experiment` has; for None there is the word "none".
"""

import dataclasses
import itertools
import math
import reprlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lstm_core.cells import choose
from lstm_core.experiment import Experiment
from lstm_core.streams import Purpose
from lstm_core.tasks.series import is_own

MOST_RUNS = 1_000_000
SECTIONS = ("base", "grid", "variants")
FIELDS = {spec.name: spec for spec in dataclasses.fields(Experiment)}


class Group(NamedTuple):
    """Runs that differ in their seeds alone; `variant` tells them from the other groups of their task."""

    task: str
    variant: str
    experiments: tuple[Experiment, ...]


def read_grid(text: str, most: int = MOST_RUNS) -> list[Group]:
    """
    The runs of a TOML file, at most so many, by task and variant.

    Raises ValueError, naming the field, its value and what is allowed, before any of them is made where they are too
    many.
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"grid: is not TOML; {error}") from None
    for section in tables:
        choose("grid", section, SECTIONS)
    base = _changes(_table("base", tables.get("base", {})))
    axes = _axes(_table("grid", tables.get("grid", {})))
    variants = _variants(tables.get("variants", []))
    if not axes and not variants:
        raise ValueError("grid: there is nothing to cross, neither [grid] nor [[variants]]")
    size = math.prod(len(values) for values in axes.values()) * max(1, len(variants))
    if size > most:
        elsewhere = "; take the command line for more" if most < MOST_RUNS else ""
        raise ValueError(f"grid: {size:,} runs are more than {most:,}{elsewhere}")
    return _grouped(_crossed(base, axes, variants or {"": {}}))


def _table(name: str, table: Any) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise ValueError(f"{name}: {reprlib.repr(table)} is not a table")
    return table


def _changes(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in table.items()}


def _value(name: str, value: Any) -> Any:
    choose("field", name, FIELDS)
    if name == "series" and isinstance(value, str) and is_own(value):
        raise ValueError(f"series: {value!r} is of a visitor's file, of which nothing is kept")
    if isinstance(value, list | dict):
        raise ValueError(f"{name}: {reprlib.repr(value)} is not one value; several belong to [grid]")
    return None if value == "none" and FIELDS[name].default is None else value


def _axes(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    axes = {}
    for name, values in table.items():
        if name == "seeds":
            if "seed" in table:
                raise ValueError("seeds: there is a seed as well; take one of them")
            if type(values) is not int or not 1 <= values <= MOST_RUNS:
                raise ValueError(f"seeds: {reprlib.repr(values)} is not a whole number from 1 to {MOST_RUNS:,}")
            axes["seed"] = list(range(values))
            continue
        choose("field", name, [*FIELDS, "seeds"])
        if not isinstance(values, list) or not values:
            raise ValueError(f"{name}: {reprlib.repr(values)} is not a list of values; a single one belongs to [base]")
        axes[name] = [_value(name, value) for value in values]
    return axes


def _variants(table: Any) -> dict[str, dict[str, Any]]:
    variants: dict[str, dict[str, Any]] = {}
    for variant in table if isinstance(table, list) else [table]:
        changes = dict(_table("variants", variant))
        name = changes.pop("name", None)
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or name in variants:
            raise ValueError(f"variants: the name {reprlib.repr(name)} is not a printable text of its own")
        variants[name] = _changes(changes)
    return variants


def _crossed(
    base: Mapping[str, Any], axes: Mapping[str, list[Any]], variants: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Experiment]]:
    """Every experiment with what tells it from the others of its task: its variant, and what it has of the grid."""
    named = [name for name, values in axes.items() if name not in ("task", "seed") and len(values) > 1]
    # Seeds change last, so that a sweep that was stopped has something of everything.
    order = sorted(axes, key=lambda name: name != "seed")
    for values in itertools.product(*(axes[name] for name in order)):
        point = dict(zip(order, values, strict=True))
        for name, changes in variants.items():
            words = [name] * bool(name) + [f"{axis} {'none' if point[axis] is None else point[axis]}" for axis in named]
            try:
                experiment = Experiment(**{**base, **point, **changes})
                experiment.stream_for(Purpose.DATA)
                yield ", ".join(words), experiment
            except ValueError as error:
                raise ValueError(f"{error} (variant {name})" if name else str(error)) from None


def _grouped(crossed: Iterable[tuple[str, Experiment]]) -> list[Group]:
    groups: dict[tuple[str, str], list[Experiment]] = {}
    for variant, experiment in crossed:
        groups.setdefault((experiment.task, variant), []).append(experiment)
    return [Group(task, variant, tuple(dict.fromkeys(members))) for (task, variant), members in groups.items()]
