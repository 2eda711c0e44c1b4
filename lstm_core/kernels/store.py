"""
Where does compiled code stay, and when is it still right? One file a piece, named by all that its machine code depends
on, and checked when it is read: what is torn or foreign is as if it were not there.
"""

import ast
import hashlib
import inspect
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from types import CodeType
from typing import Any

from lstm_core.installation import NAME
from lstm_core.kernels.piece import Object, Piece
from lstm_core.kernels.processors import Processor, fitting, own
from lstm_core.pointwise import functions

HERE = Path(__file__).parent
PACKAGE = HERE.parent.name


def _imported(file: Path) -> Iterator[Path]:
    """The files of this package that one of them imports."""
    for node in ast.walk(ast.parse(_content(file))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            place = HERE.parent.joinpath(*(node.module or "").split(".")[1:])
            names = [alias.name for alias in node.names]
            yield from filter(Path.is_file, [place.with_suffix(".py"), *(place / f"{name}.py" for name in names)])


@cache
def _content(file: Path) -> bytes:
    """As it was when somebody asked first: what runs here was imported then."""
    return file.read_bytes()


@cache
def _sources(file: Path) -> frozenset[Path]:
    """A file and all that it depends on in this package."""
    found, left = {file}, [file]
    while left:
        new = set(_imported(left.pop())) - found
        found |= new
        left += new
    return frozenset(found)


def _names(code: CodeType) -> Iterator[str]:
    """That a function and those within it use."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)


def _text(value: Any, known: frozenset[Any] = frozenset()) -> str:
    """
    What tells whether something has changed that a kernel is, or knows by name. OSError for a function without a file,
    and for what has no other name than its place in memory.
    """
    if inspect.ismodule(value):
        return value.__name__
    if not inspect.isfunction(value):
        if " at 0x" in repr(value):
            raise OSError(f"{value!r} has no name that lasts")
        return repr(value)
    if value in known:
        return value.__qualname__
    outside = {name: value.__globals__[name] for name in _names(value.__code__) if name in value.__globals__}
    used = sorted({**outside, **inspect.getclosurevars(value).nonlocals}.items(), key=itemgetter(0))
    return inspect.getsource(value) + "".join(name + _text(part, known | {value}) for name, part in used)


@cache
def _versions() -> list[str]:
    python = ".".join(platform.python_version_tuple()[:2])
    return [*(version(package) for package in ("numba", "llvmlite", "numpy")), python, platform.machine()]


def sources(piece: Piece) -> str:
    """A number for the files of this package from which it is compiled."""
    module = "activations" if piece.is_activation else piece.subject
    files = sorted(_sources(HERE / f"{module}.py") | {HERE / "compiling.py"})
    return hashlib.sha256(b"".join(map(_content, files))).hexdigest()


def fingerprint(piece: Piece, precision: str, processor: Processor) -> str | None:
    """None for an activation that was typed in: nothing would tell when it changes."""
    try:
        code = _text(piece.kernel or getattr(functions, piece.subject)) if piece.is_activation else ""
    except OSError:
        return None
    words = "\n".join([*_versions(), *processor, precision, str(piece), code, sources(piece)])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


OLD_SECONDS = 30 * 24 * 3600
# What was compiled for others to use.
SHIPPED = HERE / "shipped"


@cache
def folders() -> tuple[Path, ...]:
    """
    Where objects are looked for, and written, in this order: where the user wants them, or beside the sources, or in
    his own cache.
    """
    if wanted := os.environ.get("NUMBA_CACHE_DIR"):
        return (Path(wanted),)
    own = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return HERE / "__pycache__", Path(own) / NAME


def _name(piece: Piece, precision: str, processor: Processor) -> str | None:
    key = fingerprint(piece, precision, processor)
    return key and f"{piece}-{precision}-{key}.kernel"


def _read(file: Path) -> Object | None:
    try:
        checksum, symbol, code = file.read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    if hashlib.sha256(symbol + code).hexdigest().encode() != checksum:
        return None
    return Object(symbol.decode(), code)


def _remove_old(folder: Path, beginning: str) -> None:
    """What nobody has needed for long, and what writers have left that were killed."""
    for file in folder.glob(f"{beginning}*"):
        # Others write and remove here, too.
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > OLD_SECONDS:
                file.unlink()


def find(piece: Piece, precision: str) -> Object | None:
    """What was compiled before, here or by another process, or was shipped for processors like this one."""
    for processor in fitting():
        name = _name(piece, precision, processor)
        for folder in (*folders(), SHIPPED) if name else ():
            if found := _read(folder / str(name)):
                return found
    return None


def keep(
    piece: Piece, precision: str, compiled: Object, processor: Processor | None = None, into: Path | None = None
) -> None:
    """
    Write it beside and rename it, so that nobody ever reads a part; into a folder, or into the first that can be
    written. OSError where none can: it is there all the same, for as long as this process runs.
    """
    name = _name(piece, precision, processor or own())
    if not name:
        return
    symbol = compiled.symbol.encode()
    checksum = hashlib.sha256(symbol + compiled.code).hexdigest().encode()
    refused: OSError | None = None
    for folder in (into,) if into else folders():
        beside = folder / f"{name}.{os.getpid()}.{threading.get_ident()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(b"\n".join([checksum, symbol, compiled.code]))
            beside.replace(folder / name)
            _remove_old(folder, f"{piece}-{precision}-")
        except OSError as error:
            refused = error
            with suppress(OSError):
                beside.unlink()
        else:
            return
    assert refused
    raise refused
