"""Does the program find itself, in a checkout and installed, and is it started from there?"""

import importlib.util
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lstm_core import installation
from lstm_core.__main__ import main
from tests.test_wheel import PROJECT, ROOT


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The package as a wheel lays it down, known as version 7 of the project."""
    package = tmp_path / "lstm_core"
    (package / "app").mkdir(parents=True)
    (package / "installation.py").write_text(Path(installation.__file__).read_text())
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "somebody else\'s"')
    monkeypatch.setattr(metadata, "version", {"gradient-highway": "7"}.__getitem__)
    return package


def test_a_checkout_is_its_own_app_and_has_its_own_version() -> None:
    assert installation.APP == ROOT
    assert (installation.APP / "dashboard.py").is_file()
    assert installation.version() == PROJECT["version"]


def test_a_checkout_keeps_its_version_where_another_one_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {"gradient-highway": "7"}.__getitem__)
    assert installation.version() == PROJECT["version"]


def test_an_installed_package_has_the_app_within_it_and_the_version_it_was_installed_as(installed: Path) -> None:
    spec = importlib.util.spec_from_file_location("installed", installed / "installation.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (module.APP, module.version()) == (installed / "app", "7")


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"gradient-highway {PROJECT['version']}\n"


class _Replaced(BaseException):
    """This process would be another one by now."""


@pytest.fixture
def replaced_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    commands = list[str]()

    def replace(program: str, arguments: list[str]) -> None:
        commands.extend([program, *arguments[1:]])
        raise _Replaced

    monkeypatch.setattr(os, "execv", replace)
    return commands


def test_dash_starts_streamlit_on_the_app_and_hands_on_what_it_does_not_know(replaced_by: list[str]) -> None:
    options = ["--server.port", "8502", "--server.headless=true"]
    with pytest.raises(_Replaced):
        main(["dash", *options])
    script = str(ROOT / "dashboard.py")
    assert replaced_by == [sys.executable, "-P", "-m", "streamlit", "run", script, *options]


BEGINNING = """
import os, sys
from lstm_core.commands.start import run
os.execv = lambda program, arguments: sys.exit(f"{arguments[-1]} {'torch' in sys.modules}")
sys.argv = ["gradient-highway", *sys.argv[1:]]
sys.exit(run())
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dash", "--server.port=8502"], "--server.port=8502 False"),
        (["dash", "--help"], "usage: gradient-highway dash"),
    ],
    ids=["start", "help"],
)
def test_the_installed_command_loads_nothing_for_the_dashboard(arguments: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, "-c", BEGINNING, *arguments], capture_output=True, text=True, check=False)
    assert said in done.stdout + done.stderr


def test_every_other_command_refuses_what_it_does_not_know(
    replaced_by: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["doctor", "--server.port", "8502"])
    assert "unrecognized arguments: --server.port 8502" in capsys.readouterr().err
    assert replaced_by == []
