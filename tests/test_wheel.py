"""Is everything in the wheel that must be, and nothing else? Does it ask for what is tested?"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from lstm_core import installation

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"^([\w.-]+)(\[[\w,-]+\])?==(\S+)$", re.MULTILINE)
# Files of pins, and what of the wheel has their ranges.
RANGES = {
    "requirements.txt": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]],
    "requirements-cluster.txt": PROJECT["optional-dependencies"]["cluster"],
    "requirements-forecast.txt": PROJECT["optional-dependencies"]["forecast"],
    "requirements-bench.txt": PROJECT["optional-dependencies"]["bench"],
    "requirements-dev.txt": [
        one for one in PROJECT["optional-dependencies"]["dev"] if Requirement(one).name != PROJECT["name"]
    ],
}


def built(source: Path, into: Path) -> ZipFile:
    """The wheel of the project in a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    return ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    with built(ROOT, tmp_path_factory.mktemp("wheel")) as made:
        yield made


def ours(folder: str, pattern: str) -> set[str]:
    """Paths below the root, without caches and what was compiled."""
    files = {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob(pattern) if file.is_file()}
    return {name for name in files if "__pycache__" not in name and "/shipped/" not in name}


def without_metadata(wheel: ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_package_with_its_data_and_the_app_are_in_it_and_nothing_else(wheel: ZipFile) -> None:
    app = {"dashboard.py", ".streamlit/config.toml", "CITATION.cff", *ours("pages", "*.py"), *ours("sweeps", "*.*")}
    assert without_metadata(wheel) == ours("lstm_core", "*") | {f"lstm_core/app/{name}" for name in app}
    data = {"claims/verdicts.json", "measurements/rivals.json", "openings/record.json", "ui/icon.svg", "py.typed"}
    assert {f"lstm_core/{name}" for name in data} <= set(wheel.namelist())


def test_whoever_installs_it_gets_one_package_and_one_command(wheel: ZipFile) -> None:
    places = {name.partition("/")[0] for name in wheel.namelist()}
    (about,) = (name for name in places if name.endswith(".dist-info"))
    assert places == {"lstm_core", about}
    assert wheel.read(f"{about}/entry_points.txt").decode().split() == [
        *("[console_scripts]", "gradient-highway", "=", "lstm_core.commands.start:run")
    ]
    metadata = message_from_string(wheel.read(f"{about}/METADATA").decode())
    assert set(metadata.get_all("Provides-Extra") or ()) == {"postgres", "cluster", "forecast", "bench", "dev"}
    assert metadata["Version"] == installation.version()


def test_what_the_image_copies_is_enough_for_the_whole_wheel(wheel: ZipFile, tmp_path: Path) -> None:
    context = tmp_path / "context"
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in kept:
        place = context / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__", "shipped"))
        else:
            shutil.copy(ROOT / name, place)
    with built(context, tmp_path) as made:
        assert without_metadata(made) == without_metadata(wheel)
    copied = re.findall(r"^COPY (requirements.*) /", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    assert set(copied[0].split()) <= set(kept)


def test_every_file_of_pins_has_its_ranges() -> None:
    assert set(RANGES) == {file.name for file in ROOT.glob("requirements*.txt")}


@pytest.mark.parametrize("name", RANGES)
def test_every_pin_lies_in_its_range_and_nothing_is_missing_on_either_side(name: str) -> None:
    pins = {package: (extras, version) for package, extras, version in PIN.findall((ROOT / name).read_text())}
    ranges = {one.name: one for one in map(Requirement, RANGES[name])}
    assert set(pins) == set(ranges)
    for package, (extras, version) in pins.items():
        assert version in ranges[package].specifier, package
        assert {extra for extra in extras.strip("[]").split(",") if extra} == ranges[package].extras, package


def test_there_is_one_version() -> None:
    """The citation is read by others, and repeats it."""
    assert installation.version() == PROJECT["version"]
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text()
