"""Which small faults can be made in a program? Those of a file, found in its syntax tree, one node at a time."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

WIDEST = 60
SWAPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.Gt: (">", ">="),
    ast.LtE: ("<=", "<"),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
}
EXTREMES = {"min": "max", "max": "min"}
SEQUENCES = (ast.List, ast.ListComp, ast.Tuple, ast.JoinedStr)
# What no test should see: types, options of caches and compilers, checks of what is true, and how words are laid out.
UNSEEN = (ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
UNSEEN_FIELDS = {"annotation", "returns", "decorator_list"}
UNSEEN_KEYWORDS = {"strict", "width", "height", "help", "icon", "layout", "language", "wrap_lines", "daemon"}
WORDS = {"caption", "markdown", "title", "subheader", "latex", "three_texts"}
LITERAL = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.unaryop, ast.operator, ast.expr_context)


class Mutation(NamedTuple):
    """A piece of a file, by its bytes, and what takes its place; of the kind of the node that is changed."""

    kind: str
    file: str
    line: int
    start: int
    before: str
    after: str

    def __str__(self) -> str:
        """From a little before the first difference on."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        first = next((k for k, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
        start = max(0, first - WIDEST // 2)
        shown = ("…" * bool(start) + text[start : start + WIDEST] for text in (before, after))
        return f"{self.file}:{self.line}: {' → '.join(f'`{text}`' for text in shown)}"

    def apply(self, root: Path) -> None:
        path, end = root / self.file, self.start + len(self.before.encode())
        whole = path.read_bytes()
        path.write_bytes(whole[: self.start] + self.after.encode() + whole[end:])


def _is_setting(node: ast.AST) -> bool:
    """A number with a name in capitals: another one is another setting, not a fault."""
    if not isinstance(node, ast.Assign) or not re.fullmatch("[A-Z0-9_, ()]+", " ".join(map(ast.unparse, node.targets))):
        return False
    return all(isinstance(part, LITERAL) for part in ast.walk(node.value))


def _is_words(node: ast.AST) -> bool:
    """A call that does nothing but show a text."""
    match node:
        case ast.Expr(ast.Call(ast.Attribute(attr=name) | ast.Name(name))):
            return name in WORDS
        case ast.keyword(name):
            return name in UNSEEN_KEYWORDS
    return False


def _is_clamp(node: ast.AST) -> bool:
    """`a if a < b else b`, for which it does not matter who is chosen of equals."""
    match node:
        case ast.IfExp(ast.Compare(left, _, [right]), one, other):
            return {ast.dump(left), ast.dump(right)} == {ast.dump(one), ast.dump(other)}
    return False


def _seen(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes in which a fault would change what the program does."""
    if isinstance(node, UNSEEN) or _is_setting(node) or _is_words(node) or getattr(node, "name", "") == "__repr__":
        return
    yield node
    if isinstance(node, ast.Raise):
        return
    unseen = UNSEEN_FIELDS | ({"test"} if _is_clamp(node) else set())
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in unseen:
                yield from _seen(child)


class _File:
    """A file, its tree, and the text of each node: only that is replaced, so that everything else stays as it is."""

    def __init__(self, path: Path) -> None:
        self.source = path.read_bytes()
        self.tree = ast.parse(self.source)
        self._starts = [0]
        for line in self.source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def text(self, node: ast.expr | ast.stmt) -> str:
        return self.source[self.start(node) : self.end(node)].decode()

    def swapped(self, node: ast.expr | ast.stmt, operator: ast.AST, left: ast.expr, right: ast.expr) -> Iterator[str]:
        """The node with another operator between two of its parts."""
        if type(operator) in SWAPS and not isinstance(left, SEQUENCES) and not isinstance(right, SEQUENCES):
            ends = self.start(node), self.end(left), self.start(right), self.end(node)
            head, between, tail = (self.source[start:end].decode() for start, end in pairwise(ends))
            yield head + between.replace(*SWAPS[type(operator)], 1) + tail

    def changed(self, node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
        """What may stand in the place of this node, or of a part of it."""
        match node:
            case ast.Compare(left, [operator], [right]) | ast.BinOp(left, operator, right):
                yield from ((node, text) for text in self.swapped(node, operator, left, right))
            case ast.BoolOp(operator, parts):
                for left, right in pairwise(parts):
                    yield from ((node, text) for text in self.swapped(node, operator, left, right))
            case ast.UnaryOp(ast.Not() | ast.USub(), operand) if not isinstance(operand, ast.Constant):
                yield node, self.text(operand)
            case ast.Constant(bool(value)):
                yield node, str(not value)
            case ast.Constant(int(value) | float(value)):
                yield node, repr(value + 1)
            case ast.Call(ast.Name("min" | "max" as name) as function):
                yield function, EXTREMES[name]
            case ast.Slice(None, ast.expr() as upper, None):
                yield node, f"{self.text(upper)}:"
            case ast.Slice(ast.expr() as lower, None, None):
                yield node, ":" + self.text(lower).lstrip("-")
            case ast.If(test) | ast.While(test) | ast.IfExp(test):
                yield from ((test, text) for text in ("True", "False"))
            case ast.comprehension(ifs=conditions):
                yield from ((condition, "True") for condition in conditions)
            case ast.Return(ast.expr()):
                yield node, "return None"
            case ast.AugAssign(left, operator, right):
                yield from ((node, text) for text in [*self.swapped(node, operator, left, right), "pass"])
            case ast.Return() | ast.Expr(ast.Call() | ast.Yield() | ast.YieldFrom()):
                yield node, "pass"
            case ast.Assign([ast.Attribute() | ast.Subscript()]):
                yield node, "pass"
            case ast.Raise() if "NotImplementedError" not in self.text(node):
                yield node, "pass"


def faults(path: Path, name: str) -> Iterator[Mutation]:
    """All of a file that goes by this name."""
    file = _File(path)
    for node in _seen(file.tree):
        for place, after in file.changed(node):
            if after != file.text(place):
                yield Mutation(type(node).__name__, name, place.lineno, file.start(place), file.text(place), after)
