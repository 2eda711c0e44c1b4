"""What stands where in a source file? Its syntax tree, each node with all that it stands in."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TRANSLATED = ("_", "ngettext")
# Names of what holds keys, code, or what an address says.
CODE = {"key", "css", "FOR_FINGERS", "ON_A_WALL", "FRAME", "_STAR", "_NEAREST", "_ON_THE_RACE", "snippet"}
# Of arguments that are no texts.
NO_TEXTS = {"key", "address", "shape"}


class Node(NamedTuple):
    """A node of a syntax tree, and what it stands in, from the inside out, each with the name of its field."""

    node: ast.AST
    inside: tuple[tuple[ast.AST, str], ...]


@cache
def nodes(file: Path) -> tuple[Node, ...]:
    """All of a file, but for what an error says, and docstrings."""

    def below(node: ast.AST, inside: tuple[tuple[ast.AST, str], ...]) -> Iterator[Node]:
        yield Node(node, inside)
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                if isinstance(child, ast.AST) and not isinstance(child, ast.Raise | ast.Assert) and not is_docstring:
                    yield from below(child, ((node, field), *inside))

    return tuple(below(ast.parse(file.read_text()), ()))


def called(node: ast.AST) -> str:
    """The last part of the name of what is called; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_no_text(place: Node) -> bool:
    """Whether it stands where keys and code do: an index, a name in a table, a comparison, `key=`."""
    for node, field in place.inside:
        if isinstance(node, ast.keyword) and node.arg in NO_TEXTS:
            return True
        if (isinstance(node, ast.Dict) and field == "keys") or (isinstance(node, ast.DictComp) and field == "key"):
            return True
        if (
            called(node) == "html"
            or isinstance(node, ast.Compare)
            or (isinstance(node, ast.Subscript) and field == "slice")
        ):
            return True
        if isinstance(node, ast.FunctionDef) and node.name in CODE:
            return True
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id in CODE for to in node.targets):
            return True
    return False


def is_translated(place: Node) -> bool:
    return any(called(node) in TRANSLATED and isinstance(node.func, ast.Name) for node, _field in place.inside)  # type: ignore[attr-defined]


@cache
def literals(file: Path) -> tuple[str, ...]:
    """All that is translated in a file."""
    if "lstm_core.language" not in file.read_text():
        return ()
    calls = [place.node for place in nodes(file) if called(place.node) in TRANSLATED]
    arguments = [text for call in calls if isinstance(call, ast.Call) for text in call.args]
    return tuple(str(text.value) for text in arguments if isinstance(text, ast.Constant))
