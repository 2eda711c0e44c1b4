"""Who compiles, in which order, and what becomes of it when something goes wrong?"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstm_core.kernels import compilation, store
from lstm_core.kernels.compilation import Build, _Workshop
from lstm_core.kernels.piece import Object, Piece
from lstm_core.kernels.processors import LEVELS, Processor, level

ROOT = Path(__file__).parent.parent
PIECES = tuple(Piece("rnn", str(k)) for k in range(6))
PRECISION = "float32"


class Compiler:
    """Compiles nothing, as soon as it may."""

    working: set["Compiler"] = set()
    asked: list[Piece] = []
    gave_way: dict[Piece, bool] = {}
    may = threading.Event()
    fails: Callable[[Piece], Exception | None]

    def __init__(self, processor: Processor) -> None:
        self.gives_way = False
        self.working.add(self)

    def give_way(self) -> None:
        self.gives_way = True

    def compiled(self, wanted: tuple[str, Piece]) -> Object:
        self.asked.append(wanted[1])
        self.gave_way[wanted[1]] = self.gives_way
        assert self.may.wait(20)
        if error := type(self).fails(wanted[1]):
            raise error
        return Object(wanted[1].function, b"")

    def stop(self) -> None:
        self.working.discard(self)


def failing(fails: Callable[[Piece], Exception | None]) -> Any:
    return staticmethod(fails)


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> _Workshop:
    Compiler.asked, Compiler.gave_way, Compiler.may, Compiler.working = [], {}, threading.Event(), set()
    Compiler.fails = failing(lambda piece: None)
    fresh = _Workshop()
    monkeypatch.setattr(compilation, "_workshop", fresh)
    monkeypatch.setattr(compilation, "_Compiler", Compiler)
    monkeypatch.setattr(compilation, "load", lambda made: int(made.symbol))
    monkeypatch.setattr(store, "find", lambda piece, precision: None)
    monkeypatch.setattr(store, "keep", lambda piece, precision, made: None)
    return fresh


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.usefixtures("workshop")
def test_what_somebody_waits_for_is_compiled_before_the_rest() -> None:
    rest = Build(PRECISION, PIECES[:4], first=False)
    begun = compilation.WORKERS
    wait(lambda: len(Compiler.asked) == begun)
    wanted = Build(PRECISION, (PIECES[4], PIECES[3]), first=True)
    Compiler.may.set()
    assert wanted.done.result(20) == {PIECES[4]: 4, PIECES[3]: 3}
    assert rest.done.result(20) == {piece: int(piece.function) for piece in PIECES[:4]}
    assert set(Compiler.asked[begun : begun + 2]) == {PIECES[4], PIECES[3]}
    assert {piece for piece, gave in Compiler.gave_way.items() if not gave} == {PIECES[4], PIECES[3]}
    assert len(Compiler.asked) == 5


def test_what_goes_wrong_with_a_kept_piece_is_an_error_and_nobody_waits_for_ever(
    workshop: _Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(piece: Piece, precision: str) -> None:
        raise SyntaxError("half of a file")

    monkeypatch.setattr(store, "find", torn)
    for _ in range(2):
        with pytest.raises(SyntaxError, match="half of a file"):
            Build(PRECISION, PIECES, first=False).done.result(20)
    assert not workshop._working


@pytest.mark.usefixtures("workshop")
def test_a_piece_that_two_want_is_compiled_once() -> None:
    Compiler.may.set()
    builds = [Build(PRECISION, PIECES[:2], first=True), Build(PRECISION, PIECES[1:3], first=True)]
    assert [set(build.done.result(20)) for build in builds] == [set(PIECES[:2]), set(PIECES[1:3])]
    assert sorted(Compiler.asked) == sorted(PIECES[:3])


def test_what_was_compiled_before_is_there_at_once(workshop: _Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "find", lambda piece, precision: Object(piece.function, b""))
    build = Build(PRECISION, PIECES, first=False)
    assert build.done.done()
    assert build.done.result(0) == {piece: int(piece.function) for piece in PIECES}
    assert not Compiler.asked
    assert not workshop._working


def test_what_another_process_has_kept_meanwhile_is_taken(workshop: _Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    build = Build(PRECISION, PIECES, first=False)
    wait(lambda: len(Compiler.asked) == compilation.WORKERS)
    monkeypatch.setattr(store, "find", lambda piece, precision: Object(piece.function, b""))
    Compiler.may.set()
    build.done.result(20)
    assert len(Compiler.asked) == compilation.WORKERS
    wait(lambda: not workshop._working)


@pytest.mark.usefixtures("workshop")
def test_a_piece_that_does_not_compile_is_an_error_for_those_who_want_it() -> None:
    Compiler.may.set()
    Compiler.fails = failing(lambda piece: RuntimeError("no such type") if piece == PIECES[0] else None)
    with pytest.raises(RuntimeError, match="no such type"):
        Build(PRECISION, PIECES[:2], first=True).done.result(20)
    assert Build(PRECISION, PIECES[1:3], first=True).done.result(20)


@pytest.mark.usefixtures("workshop")
def test_a_compiler_that_ends_is_started_once_more() -> None:
    """The system may have ended it for want of memory."""
    Compiler.may.set()
    Compiler.fails = failing(lambda piece: EOFError() if Compiler.asked.count(piece) == 1 else None)
    assert Build(PRECISION, PIECES, first=False).done.result(20)
    Compiler.fails = failing(lambda piece: EOFError())
    with pytest.raises(RuntimeError, match="ended"):
        Build("float64", PIECES, first=False).done.result(20)
    wait(lambda: not Compiler.working)


def test_when_the_process_ends_nobody_starts_a_compiler_any_more(workshop: _Workshop) -> None:
    build = Build(PRECISION, PIECES, first=False)
    wait(lambda: len(Compiler.asked) == compilation.WORKERS)
    Compiler.fails = failing(lambda piece: EOFError())
    workshop.close()
    Compiler.may.set()
    with pytest.raises(RuntimeError, match="the process ends"):
        build.done.result(20)
    wait(lambda: not Compiler.working)
    assert len(Compiler.asked) == compilation.WORKERS


@pytest.mark.usefixtures("workshop")
def test_a_process_that_was_forked_meanwhile_compiles_for_itself() -> None:
    """The threads at work stayed behind."""
    Build(PRECISION, PIECES, first=False)
    wait(lambda: len(Compiler.asked) == compilation.WORKERS)
    compilation._forget()
    ahead = len(Compiler.asked)
    Compiler.may.set()
    assert Build(PRECISION, PIECES[:2], first=True).done.result(20)
    assert set(PIECES[:2]) <= set(Compiler.asked[ahead:])


def test_that_nothing_can_be_kept_is_said_once(
    workshop: _Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "keep", full)
    Compiler.may.set()
    assert Build(PRECISION, PIECES, first=False).done.result(20)
    wait(lambda: not workshop._working)
    said = capsys.readouterr().err.splitlines()
    assert said == ["kernels are compiled at every start: they cannot be kept (No space left on device)"]


@pytest.mark.usefixtures("workshop")
def test_pieces_are_compiled_for_a_level_of_processors_into_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = []
    monkeypatch.setattr(store, "keep", lambda *given: kept.append(given))
    Compiler.may.set()
    for name in LEVELS:
        compilation.compile_all(level(name), PIECES, tmp_path)
    expected = {(name, precision, piece) for name in LEVELS for precision in compilation.PRECISIONS for piece in PIECES}
    assert {(processor.name, precision, piece) for piece, precision, _, processor, _ in kept} == expected
    assert len(kept) == len(expected)
    assert {into for *_, into in kept} == {tmp_path}


ONE = (
    "from lstm_core.kernels.compilation import build_pieces\n"
    "from lstm_core.kernels.piece import Piece\n"
    "import sys\n"
    "piece = Piece('relu', 'values')\n"
    "address = build_pieces('float32', (piece,), True).done.result()[piece]\n"
    "print(address > 0, 'numba' in sys.modules, 'torch' in sys.modules)"
)


def started(folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), **variables}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", ONE], cwd=ROOT, env=environment, text=True, **pipes)


def test_two_processes_that_compile_at_once_in_an_empty_folder_both_have_it(tmp_path: Path) -> None:
    """And neither of them has loaded a compiler, or torch."""
    processes = [started(tmp_path) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["True False False\n"] * 2
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("relu.values-float32-")


def test_without_a_folder_that_can_be_written_it_is_compiled_all_the_same() -> None:
    output, errors = started(Path("/proc/nowhere")).communicate(timeout=60)
    assert output == "True False False\n"
    assert errors.count("\n") == 1
    assert "cannot be kept" in errors
