"""Where does this program lie, and which version is it? In a checkout, or installed from a wheel."""

import tomllib
from importlib import metadata
from pathlib import Path

NAME = "gradient-highway"
PACKAGE = Path(__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"
_IN_A_WHEEL = PACKAGE / "app"
# With `dashboard.py`, `pages`, `.streamlit`, `sweeps` and `CITATION.cff` in it.
APP = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else PACKAGE.parent


def version() -> str:
    """
    Of the code that runs: a checkout's is in its pyproject.toml, whatever else is installed. PackageNotFoundError where
    the package was copied out of both.
    """
    if APP != _IN_A_WHEEL and PROJECT.is_file():
        return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
    return metadata.version(NAME)
