"""Does anybody ask a cell for the name of its family? Whoever wants to know something of it reads its row."""

import ast
from pathlib import Path

import pytest

from lstm_core.cells import FAMILIES

ROOT = Path(__file__).parent.parent
CORE = ROOT / "lstm_core"
# Here is the only table of families that have a kernel.
DISPATCH = CORE / "kernels" / "pieces.py"
# And here families are written once more, as a rival of those that have one.
IN_JAX = CORE / "bench" / "in_jax.py"
FILES = [
    file
    for file in sorted([*CORE.rglob("*.py"), *ROOT.glob("pages/*.py"), ROOT / "dashboard.py"])
    if file.parent != CORE / "cells" and file not in (DISPATCH, IN_JAX)
]


def named(*nodes: ast.AST | None) -> bool:
    """Whether a family's name is in one of these."""
    parts = (part for node in nodes if node for part in ast.walk(node))
    return any(isinstance(part, ast.Constant) and part.value in FAMILIES for part in parts)


def asks(node: ast.AST) -> bool:
    """Whether a name is a question here, or kept for one; or the file of a family is imported."""
    match node:
        case ast.ImportFrom(module=module):
            return module in {f"lstm_core.cells.{name}" for name in FAMILIES}
        case ast.Compare() | ast.MatchValue():
            return named(node)
        case ast.Dict(keys=parts):
            return named(*parts)
        case ast.Set(elts=members):
            return named(*members)
        case ast.Subscript(slice=key):
            return named(key)
        case ast.keyword(arg=key_of_dict):
            return key_of_dict in FAMILIES
        case ast.Assign(value=ast.Constant(value=kept)):
            return kept in FAMILIES
        case (
            ast.Call(func=ast.Attribute(), args=parts) | ast.Assign(value=ast.Tuple(elts=parts) | ast.List(elts=parts))
        ):
            return named(*(part for part in parts if isinstance(part, ast.Constant)))
        case _:
            return False


def questions(source: str) -> list[str]:
    """Every place of a module that asks for a family by its name."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if asks(node)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_module_outside_the_cells_asks_for_a_family_by_name(file: Path) -> None:
    assert questions(file.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "cell.family == 'rnn'",
        "'lstm' != cell.family",
        "cell.family in ('lstm', 'gru')",
        "cell.family in {'lstm', 'gru'}",
        "cell == Cell('gru')",
        "match cell.family:\n    case 'lstm' | 'gru': pass",
        "{'rnn': 1}[cell.family]",
        "dict(rnn=1)[cell.family]",
        "FAMILIES['rnn'] is cell.row",
        "cell.family.startswith('lstm')",
        "GATED = 'lstm', 'gru'",
        "from lstm_core.cells.lstm import LSTM",
    ],
)
def test_a_question_is_found(source: str) -> None:
    assert questions(source)


@pytest.mark.parametrize(
    "source",
    [
        "Experiment(cell='lstm')",
        "Cell('rnn', activation)",
        "{'RNN': {'cell': 'rnn'}}",
        "[replace(base, cell=name) for name in ('rnn', 'lstm')]",
    ],
)
def test_a_choice_is_none(source: str) -> None:
    assert not questions(source)
