"""Does the program work where nothing but its wheel was installed? `python -m tests.wheel`, in some minutes."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import expect

from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from tests.browsing import LAPTOP, chromium, place, until_it_trains, window
from tests.serving import ROOT, serve

EXTRAS = "postgres,cluster"
# Of this process, which an installed program must not need.
OWN = ("PYTHONPATH", "VIRTUAL_ENV", "NUMBA_CACHE_DIR", "GRADIENT_HIGHWAY_HISTORY")
PLACES = "import importlib.util as u, lstm_core; print(lstm_core.__file__, u.find_spec('pages'), u.find_spec('tests'))"
GRID = """base = { length = 5, hidden = 4, steps = 5 }\ngrid = { seeds = 2 }\n"""


@contextmanager
def step(name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{time.perf_counter() - started:7.1f} s  {name}", flush=True)


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What it prints, with a clean environment; it has to end with 0."""
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=clean | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def checked(folder: Path) -> Path:
    """The wheel, made from the source distribution, as both are published."""
    with step("built from a source distribution, in an environment of its own"):
        run(sys.executable, "-m", "build", "--outdir", folder, ROOT, folder=folder)
    (wheel,), files = folder.glob("*.whl"), sorted(folder.iterdir())
    with step("twine check --strict"):
        run(sys.executable, "-m", "twine", "check", "--strict", *files, folder=folder)
    with step("check-wheel-contents"):
        run(Path(sys.executable).with_name("check-wheel-contents"), wheel, folder=folder)
    print(f"           {', '.join(f'{file.name} {file.stat().st_size / 1e6:.2f} MB' for file in files)}")
    return wheel


def pages_open(program: Path, folder: Path, environment: dict[str, str]) -> None:
    """Each in Chromium, with its race in training if it opens on one, and in the colours of the configuration."""
    with (
        serve(environment, command=(str(program), "dash"), folder=folder) as server,
        chromium() as browser,
        window(browser, LAPTOP) as page,
    ):
        for name, row in PAGES.items():
            page.goto(place(server.address, name))
            expect(page).to_have_title(re.compile(f"^{re.escape(row.label)}"))
            if name in OPENINGS:
                until_it_trains(page)
        colour = page.evaluate("getComputedStyle(document.querySelector('.stApp')).color")
        assert colour == "rgb(18, 17, 15)", colour


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wheel") as temporary:
        folder = Path(temporary)
        (folder / "dist").mkdir()
        wheel, environment = checked(folder / "dist"), folder / "environment"
        # Whatever lies where the user stands is not taken for a part of the program.
        (folder / "lstm_core").mkdir()
        (folder / "lstm_core" / "__init__.py").write_text("raise ImportError('somebody else')")
        with step(f"installed with its dependencies and [{EXTRAS}] in an empty environment"):
            run(sys.executable, "-m", "venv", environment, folder=folder)
            run(environment / "bin" / "pip", "install", "--quiet", f"{wheel}[{EXTRAS}]", folder=folder)
        program, history = environment / "bin" / "gradient-highway", f"sqlite:///{folder}/history.sqlite"
        with step("imported from there, with no package beside it"):
            found = run(environment / "bin" / "python", "-P", "-c", PLACES, folder=folder)
            assert found.split()[0].startswith(str(environment)), found
            assert found.split()[1:] == ["None", "None"], found
        with step("--version"):
            assert run(program, "--version", folder=folder) == f"gradient-highway {wheel.name.split('-')[1]}\n"
        with step("compile"):
            run(program, "compile", folder=folder)
        with step("doctor finds nothing wrong"):
            found = run(program, "doctor", "--json", "--history", history, folder=folder)
            assert json.loads(found)["engine"]["auto"] == "fused", found
        with step("train"):
            *_, last = run(program, "train", "--steps", "20", folder=folder).splitlines()
            assert json.loads(last)["engine"] == "fused", last
        with step("export, whose script trains"):
            run(program, "export", "--steps", "3", "--out", "race.zip", folder=folder)
            with ZipFile(folder / "race.zip") as packed:
                packed.extractall(folder / "race")
            run(environment / "bin" / "python", "-I", "LSTM.py", folder=folder / "race")
        with step("sweep and report"):
            (folder / "grid.toml").write_text(GRID)
            counts = json.loads(run(program, "sweep", "grid.toml", "--history", history, folder=folder))
            assert (counts["ran"], counts["failed"]) == (2, 0), counts
            row = json.loads(run(program, "report", "grid.toml", "--history", history, "--json", folder=folder))
            assert (row["runs"], row["missing"]) == (2, 0), row
            run(program, "report", "sweeps/greff.toml", "--history", history, folder=folder)
        with step(f"dash: all {len(PAGES)} pages in Chromium"):
            pages_open(program, folder, {"GRADIENT_HIGHWAY_HISTORY": history})


if __name__ == "__main__":
    main()
