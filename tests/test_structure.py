"""Does the house stand as it was drawn? Who imports whom, and who knows Streamlit."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from lstm_core import Experiment
from lstm_core.history.database import store
from lstm_core.history.opening import PLACE, open_history
from lstm_core.sweep.sweep import train_one

ROOT = Path(__file__).parent.parent
CORE = ROOT / "lstm_core"
# Folders and the modules at the root, by layers. Each imports only from layers that stand before its own, and a folder
# from itself.
LAYERS = (
    {"borrowed", "streams", "wiring", "fair_lock", "language", "pointwise", "installation"},
    {"reading"},
    {"activations", "tasks"},
    {"cells"},
    {"kernels"},
    {"engine", "initialisation"},
    {"layers", "experiment"},
    {"model", "network", "data", "optimizers"},
    {"training"},
    {"race", "measurements"},
    {"history", "openings", "bench", "saved", "series"},
    {"charts", "sweep"},
    {"claims", "backtest", "export"},
    {"ui", "options"},
    {"commands"},
    {"__main__"},
)
PLACES = {name: layer for layer, names in enumerate(LAYERS) for name in names}
MOST_AT_THE_ROOT = 18
FILES = sorted(CORE.rglob("*.py"))


def place(module: str) -> str:
    """The folder, or the module at the root, of `lstm_core.folder.module`."""
    return module.split(".")[1]


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(file): file for file in FILES}


def imported(file: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_imported(file: Path) -> set[str]:
    """Those of this package: `lstm_core.a.b` of what may be a module, or a name in it."""
    names = (name for name in imported(file) if name.startswith("lstm_core."))
    return {name if name in MODULES else name.rpartition(".")[0] for name in names}


def test_every_folder_and_every_module_at_the_root_has_its_layer() -> None:
    assert {place(name) for name in MODULES if name != "lstm_core"} == set(PLACES)


def test_few_modules_lie_at_the_root() -> None:
    at_root = [file for file in CORE.glob("*.py") if file.stem != "__init__"]
    assert len(at_root) <= MOST_AT_THE_ROOT


@pytest.mark.parametrize("name", [name for name in MODULES if name != "lstm_core"])
def test_a_module_imports_only_from_layers_below_and_from_its_own_folder(name: str) -> None:
    here = place(name)
    for other in modules_imported(MODULES[name]):
        assert place(other) == here or PLACES[place(other)] < PLACES[here], other


def test_no_module_imports_itself_by_a_detour() -> None:
    """Nor does a folder: it would be in its own layer. CycleError names the circle."""
    graph = {name: modules_imported(file) - {name} for name, file in MODULES.items() if file.stem != "__init__"}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORE)))
def test_only_the_ui_and_what_is_borrowed_for_it_know_streamlit(file: Path) -> None:
    knows = any(name.split(".")[0] == "streamlit" for name in imported(file))
    assert not knows or file.is_relative_to(CORE / "ui") or file == CORE / "borrowed" / "pages.py"


@pytest.mark.parametrize("file", [*FILES, *ROOT.glob("pages/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "dashboard.py"])
def test_every_module_says_which_question_it_answers(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


# Run in a process of its own. A10 is shown with its findings.
VISITS = """
import sys
from streamlit.testing.v1 import AppTest
from lstm_core.ui.page import PAGES
addresses = {
    "dashboard": {"steps": "20"},
    "forecast": {"series": "US employment, thousands, by month, 2006 to 2015"},
    "claims": {"claim": "A10"},
}
for page in PAGES.values():
    visit = AppTest.from_file("dashboard.py", default_timeout=60)
    visit.query_params.update(addresses.get(page.name, {}))
    visit.switch_page(page.path).run().run()
    while "again" in visit.session_state and not visit.session_state["again"].test.finished:
        visit.run()
    assert visit.title and not visit.exception
    if "showing" in visit.session_state:
        race = visit.session_state["showing"].race
        while page.name == "dashboard" and not race.finished:
            visit.run()
        visit.run()
        race.pause()
    before = set(sys.modules) if page.name == "dashboard" else before
    large = [name for name in ("numba", "pandas", "sympy", "scipy.stats") if name in sys.modules]
    print(page.name, [*large, *sorted(set(sys.modules) - before)])
"""


def test_the_pages_do_without_large_libraries_and_import_nothing_that_the_first_has_not(tmp_path: Path) -> None:
    """
    Which torch, pyarrow and vega_datasets import when they are asked in the wrong way, or which has quantiles that
    scipy.special has too; about 40 MB each for every server. What is imported late is found half made by other
    visitors. Sweeps has a run to rank.
    """
    place = f"sqlite:///{tmp_path}/history.sqlite"
    history = open_history(place)
    store(history, [train_one(Experiment(length=4, hidden=4, steps=3))])
    history.dispose()
    command, environment = [sys.executable, "-c", VISITS], os.environ | {PLACE: place}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()] == ["[]"] * 10, done.stdout + done.stderr


def test_what_a_page_shows_first_needs_nothing_that_takes_long() -> None:
    large = ("torch", "numba", "altair")
    code = f"import sys, lstm_core.ui.page; print([name for name in {large} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "command",
    [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)],
    ids=" ".join,
)
def test_the_checkers_are_content(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
