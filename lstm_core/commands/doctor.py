"""Does everything work here that the program needs, and if not, what would help?"""

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_info

from lstm_core.borrowed.pages import secret
from lstm_core.borrowed.system import can_be_written, processor
from lstm_core.engine import AUTO, FUSED, REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.history.opening import PLACE, NewerError, UnavailableError, look
from lstm_core.installation import APP, NAME, version
from lstm_core.kernels import store
from lstm_core.kernels.compilation import PRECISIONS, build_pieces
from lstm_core.kernels.pieces import all_pieces
from lstm_core.kernels.processors import fitting
from lstm_core.training.train import train
from lstm_core.ui.history import SECRET

SOUND, WRONG = 0, 1
LIBRARIES = ("torch", "numba", "llvmlite", "scipy", "streamlit", "SQLAlchemy")
TINY = Experiment(length=5, hidden=4, batch=4, steps=1)
# In single precision, of the loss of one training step.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is there, by name, and in plain words, if something is wrong, what, and what helps."""

    subject: str
    facts: dict[str, Any]
    told: str
    wrong: str = ""
    remedy: str = ""


def _processor() -> Finding:
    name, cores, levels = processor(), os.cpu_count(), [one.name for one in fitting()]
    facts = {"name": name, "cores": cores, "kernels_for": levels}
    return Finding("processor", facts, f"{name}, {cores} cores; kernels for {', '.join(levels)} run on it")


def _missing() -> list[tuple[str, Any]]:
    return [
        (precision, piece) for precision in PRECISIONS for piece in all_pieces() if not store.find(piece, precision)
    ]


def _difference() -> str:
    """Between what both engines compute, in words; nothing where it is none."""
    fused, reference = (next(train(replace(TINY, engine=one))).loss for one in (FUSED, REFERENCE_ENGINE))
    same = abs(fused - reference) <= TOLERANCE * abs(reference)
    return "" if same else f"the kernels compute a loss of {fused}, and the equations one of {reference}"


def _one_kernel(precision: str, piece: Any) -> str:
    """Why it cannot be compiled; nothing where it can."""
    return str(build_pieces(precision, (piece,), first=True).done.exception() or "")


def _engine() -> Finding:
    """With a training step on each engine where all kernels are compiled, or else with one kernel that is."""
    missing, every = _missing(), len(PRECISIONS) * len(all_pieces())
    try:
        wrong = _one_kernel(*missing[0]) if missing else _difference()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is wrong
        wrong = f"{type(error).__name__}: {error}"
    engine = REFERENCE_ENGINE if missing or wrong else FUSED
    if wrong:
        why = "the kernels do not work"
    elif missing:
        why = f"{len(missing)} of {every} kernels are compiled when they are first needed, or by the command compile"
    else:
        why = f"all {every} kernels are compiled, and a training step is the same on both engines"
    facts = {AUTO: engine, "why": why, "kernels": every, "not_compiled": len(missing)}
    remedy = "choose --engine reference meanwhile; check that numba and llvmlite belong together, and unset NUMBA_*"
    return Finding("engine", facts, f"{engine}: {why}", wrong and f"kernels: {wrong}", wrong and remedy)


def _folder(folder: Path) -> dict[str, Any]:
    try:
        sizes = [file.stat().st_size for file in folder.glob("*.kernel")]
    except PermissionError:
        # For whoever may not look into it there are none.
        sizes = []
    writable = can_be_written(folder)
    return {"path": str(folder), "kernels": len(sizes), "megabytes": round(sum(sizes) / 1e6, 1), "writable": writable}


def _cache() -> Finding:
    folders = [_folder(folder) for folder in store.folders()]
    shipped = _folder(store.SHIPPED)
    told = [
        f"{one['path']}: {one['kernels']} kernels, {one['megabytes']} MB, {'can' if one['writable'] else 'cannot'} be "
        "written"
        for one in folders
    ]
    if shipped["kernels"]:
        told.append(f"shipped in {shipped['path']}: {shipped['kernels']} kernels, {shipped['megabytes']} MB")
    facts = {"folders": folders, "shipped": shipped}
    if any(one["writable"] for one in folders) or not _missing():
        return Finding("kernel cache", facts, "\n".join(told))
    remedy = "let NUMBA_CACHE_DIR name a folder that can be written, or run the command compile as somebody who may"
    return Finding(
        "kernel cache", facts, "\n".join(told), "kernels cannot be kept, and are compiled at each start", remedy
    )


def _history(url: str | None) -> Finding:
    """The one that is named, or that the dashboard would open, whose secrets go before the environment."""
    ways = {"--history": url, "Streamlit's secrets": secret(SECRET), PLACE: os.environ.get(PLACE)}
    named, place = next(((by, one) for by, one in ways.items() if one), ("nothing, so it is the user's own", None))
    try:
        address, runs = look(place)
    except UnavailableError as error:
        return Finding("history", {"named_by": named}, "cannot be read", str(error), _help_for(error))
    there = "none yet, it is made with the first run" if runs is None else f"{runs:,} runs"
    return Finding(
        "history", {"address": address, "named_by": named, "runs": runs}, f"{address}: {there}; named by {named}"
    )


def _help_for(error: UnavailableError) -> str:
    if isinstance(error, NewerError):
        return f"install the version of {NAME} that has written it, or a later one"
    if "psycopg" in str(error):
        return f'pip install "{NAME}[postgres]"'
    return f"see whether the server runs and the place may be read, or name another one in {PLACE} or with --history"


def _versions() -> Finding:
    facts = {NAME: version(), "python": platform.python_version()}
    facts |= {library: metadata.version(library) for library in LIBRARIES}
    told = ", ".join(f"{name} {number}" for name, number in facts.items())
    return Finding("versions", facts, told + f"\nthe app lies in {APP}")


def _threads() -> Finding:
    pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}
    variable = os.environ.get("OPENBLAS_NUM_THREADS")
    facts = {"torch": torch.get_num_threads(), "pools": pools, "OPENBLAS_NUM_THREADS": variable}
    listed = ", ".join(f"{name} {threads}" for name, threads in {"torch": facts["torch"], **pools}.items())
    return Finding("threads", facts, f"{listed}; a training takes one of each")


def examine(history: str | None) -> Iterator[Finding]:
    """All there is to look at; `history` is an address, see `open_history`. Nothing is made but what is compiled."""
    parts: tuple[Callable[[], Finding], ...] = (_processor, _engine, _cache)
    yield from (part() for part in parts)
    yield _history(history)
    yield _versions()
    yield _threads()


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    for found in findings:
        first, *rest = found.told.splitlines()
        yield f"{found.subject:14}{first}"
        yield from (f"{'':14}{line}" for line in rest)
        if found.wrong:
            yield f"{'wrong:':>13} {found.wrong}"
            yield f"{'what helps:':>13} {found.remedy}"


def doctor(history: str | None, as_json: bool) -> int:
    """Print what is found; the exit status says whether something is wrong."""
    findings = list(examine(history))
    wrong = [{"subject": one.subject, "what": one.wrong, "help": one.remedy} for one in findings if one.wrong]
    if as_json:
        facts = {one.subject.replace(" ", "_"): one.facts for one in findings}
        print(json.dumps({"sound": not wrong, **facts, "wrong": wrong}))
    else:
        print("\n".join([*_lines(findings), "Something is wrong." if wrong else "Nothing is wrong."]))
    return WRONG if wrong else SOUND
