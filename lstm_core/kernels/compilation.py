"""When is a kernel ready? Once compiled, in the background; it then stays on disk, under the name of its sources."""

import atexit
import hashlib
import inspect
import os
import platform
import tempfile
import threading
from concurrent.futures import Future
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite import binding
from numba import float64, int64, njit, types, void

from lstm_core.borrowed import compiler
from lstm_core.borrowed.system import interrupt
from lstm_core.kernels import program, sequence, turn
from lstm_core.kernels.activations import codes, compile_activations, rows
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.spec import Shape, Spec

PRECISIONS = ("float32", "float64")
HERE = Path(__file__).parent
_one_at_a_time = threading.Lock()
_closing = threading.Event()


def _sources() -> list[Path]:
    """The files of the kernels, and those in which activations have theirs."""
    return sorted({*HERE.glob("*.py"), *(Path(inspect.getfile(row.kernel)) for row in rows() if row.kernel)})


def _fingerprint() -> str:
    """Of all that the machine code depends on; numba itself watches the file of the outermost function alone."""
    parts = [version(package) for package in ("numba", "llvmlite", "numpy")]
    parts += [platform.python_version(), platform.machine(), binding.get_host_cpu_name(), *compiler.target(), *codes()]
    return hashlib.sha256("\n".join(parts).encode() + b"".join(map(Path.read_bytes, _sources()))).hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def _folder() -> Path | None:
    """
    Beside the sources, or in the user's own cache; None where neither can be written, or where an activation was typed
    in and has no source.
    """
    if not all(map(Path.is_file, _sources())):
        return None
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    wanted = compiler.cache_folder()
    roots = (wanted,) if wanted else (HERE / "__pycache__", own / "gradient-highway")
    return next(filter(_writable, (root / _fingerprint() for root in roots)), None)


class Kernels(NamedTuple):
    """
    `sequence.forward`, `sequence.backward` and `turn.turn`, compiled for one precision; they run without Python's lock.
    """

    forward: Any
    backward: Any
    turn: Any


def _signatures(precision: str) -> tuple[Any, ...]:
    numbers, seen = types.Array(getattr(types, precision), 1, "C"), types.Array(float64, 1, "C")
    layer = [types.NamedUniTuple(int64, len(kind._fields), kind) for kind in (Spec, Shape)]
    addressed = numbers, int64, int64, int64
    forward = void(*layer, numbers, int64, *addressed, seen)
    backward = void(*layer, numbers, int64, numbers, int64, *addressed, *addressed, seen)
    (whole, several), several_norms = (types.Array(int64, n, "C") for n in (1, 2)), types.Array(float64, 2, "C")
    kinds = (program.Code, Spec, program.Plan, program.NetworkPlaces)
    whole_numbers = [types.UniTuple(int64, len(kind._fields)) for kind in kinds]
    fixed = types.Tuple((*whole_numbers, types.UniTuple(float64, len(program.Rates._fields))))
    learned = types.Tuple((*(numbers,) * 5, whole, seen, whole))
    data, report = types.Tuple((numbers, numbers, whole, int64)), types.Tuple((seen, several_norms, seen, seen))
    turns = void(fixed, several, several, learned, data, int64, int64, int64, numbers, numbers, report)
    return forward, backward, turns


def _compiled(keep: bool, function: Any, signature: Any) -> Any:
    if _closing.is_set():
        raise InterruptedError("the process ends")
    return njit(signature, nogil=True, cache=keep, **OPTIONS)(function)


def _kernels(precision: str, keep: bool) -> Kernels:
    compile_activations(precision, keep)
    functions = sequence.forward, sequence.backward, turn.turn
    return Kernels(*map(partial(_compiled, keep), functions, _signatures(precision)))


def _compile(precision: str) -> Kernels:
    folder = _folder()
    with _one_at_a_time, compiler.cached_in(folder):
        kernels = _kernels(precision, folder is not None)
    if folder:
        (folder / precision).touch()
    return kernels


class Build:
    """The kernels of one precision on their way; `soon` if they are only to be loaded, having been compiled before."""

    def __init__(self, precision: str) -> None:
        folder = _folder()
        self.soon = folder is not None and (folder / precision).exists()
        self.done: Future[Kernels] = Future()
        self._thread = threading.Thread(target=self._work, args=(precision,), name=f"kernels {precision}", daemon=True)
        self._thread.start()

    def _work(self, precision: str) -> None:
        try:
            self.done.set_result(_compile(precision))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            self.done.set_exception(error)

    def stop(self) -> None:
        """End the thread as soon as it is back in Python, and wait for that."""
        interrupt(self._thread)
        self._thread.join()


_builds: dict[str, Build] = {}
_starting = threading.Lock()


def build(precision: str) -> Build:
    """The one build of a precision, begun with the first call."""
    with _starting:
        if precision not in _builds:
            _builds[precision] = Build(precision)
        return _builds[precision]


def unfinished() -> bool:
    """Whether something is being compiled."""
    return any(not started.done.done() for started in _builds.values())


def _close() -> None:
    """A compiler that runs while Python ends would abort the process."""
    _closing.set()
    for started in list(_builds.values()):
        started.stop()


atexit.register(_close)
