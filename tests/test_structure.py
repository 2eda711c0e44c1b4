"""Does the house stand as it was drawn? Who imports whom, and who knows Streamlit."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "lstm_core"
PACKAGES = {"kernels", "claims", "ui"}
# A module imports only what stands before it.
ORDER = (
    "streams",
    "beyond",
    "activations",
    "series_file",
    "series",
    "windows",
    "tasks",
    "cells",
    "wiring",
    "baton",
    "kernels",
    "fused",
    "engine",
    "initialisation",
    "layers",
    "model",
    "experiment",
    "cost",
    "network",
    "updates",
    "data",
    "training",
    "gradients",
    "moments",
    "forecast",
    "presets",
    "rivals",
    "bench",
    "runs",
    "calibration",
    "race",
    "tables",
    "flow",
    "depth",
    "outlook",
    "saved",
    "export",
    "pictures",
    "charts",
    "equations",
    "records",
    "schema",
    "history",
    "exchange",
    "grid",
    "scores",
    "report",
    "bands",
    "sweep",
    "trials",
    "evidence",
    "claims",
    "verdicts",
    "options",
    "ui",
    "__main__",
)


def module_name(file: Path) -> str:
    return file.relative_to(CORE).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(CORE.rglob("*.py"))


def test_every_module_has_its_place() -> None:
    assert {module_name(file) for file in FILES} == {*ORDER, "__init__"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORE)))
def test_a_module_imports_only_what_stands_before_it(file: Path) -> None:
    place = module_name(file)
    if place == "__init__":
        return
    allowed = {*ORDER[: ORDER.index(place)], *({place} & PACKAGES)}
    for name in imported(file):
        if name.startswith("lstm_core."):
            assert name.split(".")[1] in allowed, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORE)))
def test_only_the_ui_knows_streamlit(file: Path) -> None:
    assert module_name(file) == "ui" or not any(name.split(".")[0] == "streamlit" for name in imported(file))


@pytest.mark.parametrize("file", [*FILES, *ROOT.glob("pages/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "dashboard.py"])
def test_every_module_says_which_question_it_answers(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


@pytest.mark.parametrize("page", ["dashboard.py", "pages/forecast.py"])
def test_the_dashboard_does_without_pandas_and_sympy(page: str) -> None:
    """Which torch, pyarrow and vega_datasets import when they are asked in the wrong way; 85 MB for each server."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        "visit = AppTest.from_file('dashboard.py', default_timeout=60); "
        "visit.query_params['series'] = 'US employment, thousands, by month, 2006 to 2015'; "
        f"visit.switch_page('{page}').run(); "
        "assert visit.title; visit.session_state['showing'].race.pause(); "
        "print([name for name in ('pandas', 'sympy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)],
    ids=" ".join,
)
def test_the_checkers_are_content(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
