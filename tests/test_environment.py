"""Do the documents list every environment variable that the program reads, and no other?"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
VARIABLE = re.compile(r'"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"')
# Set for the processes that compile or are timed, whatever was set before.
SET_HERE = {"NUMBA_DISABLE_INTEL_SVML", "KERAS_BACKEND"}


def named() -> set[str]:
    """Every text of the program that looks like the name of a variable, but for lists of names of the code."""
    found = set[str]()
    for file in [ROOT / "dashboard.py", *ROOT.glob("pages/*.py"), *ROOT.glob("lstm_core/**/*.py")]:
        text = file.read_text()
        if VARIABLE.search(text):
            nodes = list(ast.walk(ast.parse(text)))
            names = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
            names |= {node.id for node in nodes if isinstance(node, ast.Name)}
            texts = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
            found |= {one for one in texts if VARIABLE.fullmatch(f'"{one}"')} - names
    return found


def test_the_table_of_variables_is_that_of_the_source() -> None:
    section = (ROOT / "docs/command-line.md").read_text().partition("## Environment variables\n")[2]
    listed = re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == named() - SET_HERE


def test_the_table_is_the_only_one() -> None:
    tables = [
        file.name for file in ROOT.glob("docs/*.md") if re.search(r"^\| `[A-Z]+_[A-Z_]+` \|", file.read_text(), re.M)
    ]
    assert tables == ["command-line.md"]
