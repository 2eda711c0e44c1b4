"""Which lines of Python does a piece of code need? Those of every function that it calls, and their imports."""

import ast
import inspect
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from lstm_core.export.plain import activations, streams, tasks

PLAIN = (streams, tasks, activations)
# What every script imports, and the modules of that.
PROVIDED = ("torch", "torch.nn")
TORCH = ("import torch", "from torch import Tensor, nn", "from torch.nn import functional as F")


@cache
def _defined(module: ModuleType) -> dict[str, str]:
    """What a module defines, by name, in its order: the lines of each definition."""
    text = inspect.getsource(module)
    lines, found = text.splitlines(), dict[str, str]()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
        elif isinstance(node, ast.Assign):
            found |= dict.fromkeys(
                sorted(_names(ast.unparse(node.targets[0]))), "\n".join(lines[node.lineno - 1 : node.end_lineno])
            )
    return found


def _names(code: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def needed(code: str) -> list[str]:
    """The definitions of `plain` that this code calls, and that these call, a text for each of its modules."""
    defined = {module: _defined(module) for module in PLAIN}
    everything = {name: text for found in defined.values() for name, text in found.items()}
    wanted, new = set[str](), _names(code) & everything.keys()
    while new:
        wanted |= new
        new = {name for one in new for name in _names(everything[one])} & everything.keys() - wanted
    return [_in_order(found, wanted) for found in defined.values()]


def _in_order(found: dict[str, str], wanted: set[str]) -> str:
    """Constants that one line defines are written once."""
    texts = dict.fromkeys(text for name, text in found.items() if name in wanted)
    constants = [text for text in texts if not text.startswith(("def ", "class ", "@"))]
    return "\n\n\n".join(["\n".join(constants)] * bool(constants) + [text for text in texts if text not in constants])


def imports(code: Iterable[str]) -> str:
    """Torch, and of what `plain` imports what is named in this code."""
    names, found = {name for part in code for name in _names(part)}, set(TORCH)
    for module in PLAIN:
        for node in ast.parse(inspect.getsource(module)).body:
            known = isinstance(node, ast.ImportFrom) and node.module in (*PROVIDED, *(one.__name__ for one in PLAIN))
            if isinstance(node, ast.Import | ast.ImportFrom) and not known:
                found |= {ast.unparse(node)} if names & {one.name for one in node.names} else set()
    by_kind = sorted(found, key=lambda one: (one.startswith("from"), one))
    groups = [one for one in by_kind if "torch" not in one], [one for one in by_kind if "torch" in one]
    return "\n\n".join("\n".join(group) for group in groups if group)
