"""Does compiled code stay right on disk, whatever happens to the files, and does a change compile its own part only?"""

import math
import multiprocessing
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstm_core import ACTIVATIONS
from lstm_core.cells import Cell
from lstm_core.kernels import processors, store
from lstm_core.kernels.piece import FRAME, Object, Piece
from lstm_core.kernels.pieces import KERNELS, all_pieces, pieces
from lstm_core.kernels.processors import LEVELS, level, own
from lstm_core.pointwise.arithmetic import Arithmetic, Pair

PIECE = Piece("rnn", "forward")
MADE = Object("name", bytes(range(256)) * 100)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    forget = store.folders.cache_clear
    forget()
    yield tmp_path / "kernels"
    forget()


def kept(folder: Path) -> Path:
    store.keep(PIECE, "float32", MADE)
    (file,) = folder.iterdir()
    return file


def test_what_is_kept_is_found_for_its_piece_and_precision_alone(folder: Path) -> None:
    assert store.find(PIECE, "float32") is None
    kept(folder)
    assert store.find(PIECE, "float32") == MADE
    assert store.find(PIECE, "float64") is None
    assert store.find(Piece("rnn", "backward"), "float32") is None


@pytest.mark.parametrize("left", [0, 1, 64, 70, 1000])
def test_a_torn_file_is_as_if_it_were_not_there_and_is_written_anew(left: int, folder: Path) -> None:
    file = kept(folder)
    file.write_bytes(file.read_bytes()[:left])
    assert store.find(PIECE, "float32") is None
    assert kept(folder) == file
    assert store.find(PIECE, "float32") == MADE


@pytest.mark.parametrize("content", [b"no kernel", b"\n\n\n", b"0" * 64 + b"\nname\n" + MADE.code[:9]], ids=repr)
def test_a_foreign_file_is_as_if_it_were_not_there(content: bytes, folder: Path) -> None:
    kept(folder).write_bytes(content)
    assert store.find(PIECE, "float32") is None


def test_one_bit_that_has_changed_is_noticed(folder: Path) -> None:
    file = kept(folder)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    assert store.find(PIECE, "float32") is None


def test_where_the_first_folder_cannot_be_written_the_second_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(store, "folders", lambda: (Path("/proc/nowhere"), tmp_path / "own"))
    store.keep(PIECE, "float32", MADE)
    assert store.find(PIECE, "float32") == MADE


def test_where_no_folder_can_be_written_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "folders", lambda: (Path("/proc/nowhere"), Path("/dev/null/here")))
    assert store.find(PIECE, "float32") is None
    with pytest.raises(OSError, match="/dev/null"):
        store.keep(PIECE, "float32", MADE)


def _with_a_full_disk(report: Any) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        store.keep(PIECE, "float32", MADE)
    except OSError as error:
        report.put((str(error), store.find(PIECE, "float32")))


def _writes_often(report: Any) -> None:
    for _ in range(50):
        try:
            store.keep(PIECE, "float32", MADE)
        except OSError:
            report.put(False)
        else:
            report.put(store.find(PIECE, "float32") == MADE)


def in_processes(work: Callable[[Any], None], count: int, answers: int) -> list[Any]:
    context = multiprocessing.get_context("fork")
    report = context.SimpleQueue()
    started = [context.Process(target=work, args=(report,)) for _ in range(count)]
    for process in started:
        process.start()
    told = [report.get() for _ in range(answers)]
    for process in started:
        process.join()
    return told


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    ((error, found),) = in_processes(_with_a_full_disk, 1, 1)
    assert "large" in error
    assert found is None
    assert list(folder.iterdir()) == []


def test_four_that_write_at_once_disturb_neither_each_other_nor_who_reads(folder: Path) -> None:
    assert all(in_processes(_writes_often, 4, 200))
    assert len(list(folder.iterdir())) == 1


def test_of_a_writer_that_was_killed_nothing_is_read(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As a kill between the two steps leaves it."""
    monkeypatch.setattr(Path, "replace", lambda *_: None)
    kept(folder)
    assert store.find(PIECE, "float32") is None


def test_a_changed_source_changes_the_pieces_that_depend_on_it_and_no_others() -> None:
    def depend_on(name: str) -> set[str]:
        file = store.HERE.parent / name
        modules = {piece.subject for piece in all_pieces() if not piece.is_activation} | {"activations"}
        return {module for module in modules if file in store._sources(store.HERE / f"{module}.py")}

    assert depend_on("kernels/rnn.py") == {"rnn"}
    assert depend_on("kernels/lstm.py") == {"lstm"}
    assert depend_on("kernels/readout.py") == {"turn"}
    assert depend_on("kernels/blas.py") == {"turn", "sequence", "lru", "lru_relu"}
    assert depend_on("kernels/vectors.py") == {"turn", "sequence", "activations", *KERNELS}
    assert depend_on("pointwise/functions.py") == set()


def test_how_pieces_are_compiled_is_part_of_all_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {piece: store.fingerprint(piece, "float32", own()) for piece in all_pieces()}
    content = store._content
    monkeypatch.setattr(store, "_content", lambda file: content(file) + b"#" * (file.name == "compiling.py"))
    assert all(store.fingerprint(piece, "float32", own()) != name for piece, name in before.items())


def test_a_changed_file_changes_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = store.fingerprint(PIECE, "float32", own())
    changed = tmp_path / "rnn.py"
    changed.write_text("x = 1")
    monkeypatch.setattr(store, "_sources", lambda file: frozenset({changed}))
    assert store.fingerprint(PIECE, "float32", own()) != before


def test_each_processor_has_code_of_its_own() -> None:
    processors = {own(), *map(level, LEVELS)}
    assert len({store.fingerprint(PIECE, "float32", one) for one in processors}) == len(processors)


@pytest.mark.parametrize("variable", ["NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"])
def test_a_processor_that_the_user_names_is_compiled_for(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "named")
    own.cache_clear()
    try:
        assert own().environment[variable] == "named"
    finally:
        own.cache_clear()


def test_what_was_shipped_for_processors_like_this_one_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And for no others; what is compiled here comes first."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    one, other = map(level, LEVELS)
    monkeypatch.setattr(store, "fitting", lambda: (own(), one))
    store.keep(PIECE, "float32", MADE, other, tmp_path / "shipped")
    assert store.find(PIECE, "float32") is None
    store.keep(PIECE, "float32", MADE, one, tmp_path / "shipped")
    assert store.find(PIECE, "float32") == MADE
    store.keep(PIECE, "float32", Object("here", b""))
    assert store.find(PIECE, "float32") == Object("here", b"")


def test_a_level_fits_where_a_processor_has_all_that_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    able = {*LEVELS["x86-64-v4"][1], "sse2"}
    for missing, expected in ((None, list(LEVELS)), ("avx512vl", ["x86-64-v3"]), ("fma", [])):
        features = {name: name != missing for name in able}
        monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda features=features: features)
        assert [one.name for one in processors.fitting.__wrapped__()[1:]] == expected


SHARE = 2.0


def _times(x: Any, share: Any) -> Any:
    return x * share


def _kernel(a: Arithmetic) -> Pair:
    pi = a.real(math.pi)

    def function(x: Any) -> tuple[Any, Any]:
        share = SHARE * pi
        return _times(x, share), share

    return function


def test_an_added_activation_is_two_pieces_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by its own source and the numbers that it knows; all others keep their names."""
    before = {piece: store.fingerprint(piece, "float32", own()) for piece in all_pieces()}
    monkeypatch.setitem(ACTIVATIONS, "added", replace(ACTIVATIONS["tanh"], name="added", kernel=_kernel))
    added = set(all_pieces()) - set(before)
    assert {piece.subject for piece in added} == {"added"}
    assert len(added) == 2 <= len(before) / 12
    assert {piece: store.fingerprint(piece, "float32", own()) for piece in before} == before
    names = {store.fingerprint(piece, "float32", own()) for piece in added}
    with monkeypatch.context() as changed:
        changed.setitem(globals(), "_times", lambda x, share: x + share)
        assert not names & {store.fingerprint(piece, "float32", own()) for piece in added}
    assert names == {store.fingerprint(piece, "float32", own()) for piece in added}
    monkeypatch.setitem(globals(), "SHARE", 3.0)
    assert not names & {store.fingerprint(piece, "float32", own()) for piece in added}


def test_an_activation_that_was_typed_in_is_not_kept(folder: Path) -> None:
    typed: dict[str, Any] = {}
    exec("def kernel(arithmetic): return lambda x: (x, x)", typed)
    piece = Piece("typed", "values", typed["kernel"])
    store.keep(piece, "float32", MADE)
    assert store.find(piece, "float32") is None
    assert not folder.exists()


def test_a_cell_needs_the_frame_its_own_steps_and_its_activations() -> None:
    plain = {str(piece) for piece in set(pieces(Cell("lstm"))) - set(FRAME)}
    assert plain == {"lstm.plain_forward", "lstm.plain_backward"}
    others = {str(piece) for piece in set(pieces(Cell("lstm", "relu", output_activation="sine"))) - set(FRAME)}
    kinds = {f"{name}.{kind}" for name in ("relu", "sine") for kind in ("values", "values_and_slopes")}
    assert others == {"lstm.forward", "lstm.backward", *kinds}
