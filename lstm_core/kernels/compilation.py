"""When is a kernel ready? Once compiled, in the background; it then stays on disk, under the name of its sources."""

import functools
import hashlib
import os
import platform
import tempfile
import threading
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llvmlite import binding
from numba import config, float64, int64, types

from lstm_core.kernels import sequence

PRECISIONS = ("float32", "float64")
HERE = Path(__file__).parent
_one_at_a_time = threading.Lock()


def _fingerprint() -> str:
    """Of all that the machine code depends on; numba itself watches the file of the outermost function alone."""
    told = [version(package) for package in ("numba", "llvmlite", "numpy")]
    told += [platform.python_version(), platform.machine(), binding.get_host_cpu_name()]
    sources = [HERE.parent / "activations.py", *sorted(HERE.glob("*.py"))]
    return hashlib.sha256("\n".join(told).encode() + b"".join(map(Path.read_bytes, sources))).hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@functools.cache
def _folder() -> Path | None:
    """Beside the sources, or in the user's own cache; None where neither can be written."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    roots = (Path(config.CACHE_DIR),) if config.CACHE_DIR else (HERE / "__pycache__", own / "gradient-highway")
    return next(filter(_writable, (root / _fingerprint() for root in roots)), None)


def _signatures(precision: str) -> dict[Any, tuple[Any, ...]]:
    real = getattr(types, precision)
    matrix, cube, any_matrix, any_cube = (types.Array(real, n, layout) for layout in "CA" for n in (2, 3))
    spec = types.NamedUniTuple(int64, len(sequence.Spec._fields), sequence.Spec)
    tape = cube, cube, matrix
    gradients = matrix, matrix, cube, matrix, matrix, types.Array(float64, 2, "C")
    return {
        sequence.forward: (spec, any_cube, any_matrix, matrix, matrix, *tape),
        sequence.backward: (spec, matrix, matrix, *tape, any_cube, *gradients),
    }


def _compile(precision: str) -> None:
    with _one_at_a_time:
        folder, signatures = _folder(), _signatures(precision)
        for kernel, signature in signatures.items():
            if folder:
                before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
                kernel.enable_caching()
                config.CACHE_DIR = before
            kernel.compile(signature)
        if folder:
            (folder / precision).touch()


class Build:
    """The kernels of one precision on their way: `known` says that an earlier process left them on disk."""

    def __init__(self, precision: str) -> None:
        folder = _folder()
        self.known = folder is not None and (folder / precision).exists()
        self.done: Future[None] = Future()
        threading.Thread(target=self._work, args=(precision,), name=f"kernels {precision}", daemon=True).start()

    def _work(self, precision: str) -> None:
        try:
            _compile(precision)
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            self.done.set_exception(error)
        else:
            self.done.set_result(None)


_builds: dict[str, Build] = {}
_starting = threading.Lock()


def build(precision: str) -> Build:
    """The one build of a precision, begun with the first call."""
    with _starting:
        if precision not in _builds:
            _builds[precision] = Build(precision)
        return _builds[precision]
