"""
When is a kernel ready? Once compiled, in processes beside this one; it then stays on disk, under a name of all that it
depends on.
"""

import atexit
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
from tqdm import tqdm

from lstm_core.kernels import store
from lstm_core.kernels.objects import load
from lstm_core.kernels.piece import Object, Piece
from lstm_core.kernels.processors import Processor, own

PRECISIONS = ("float32", "float64")
CORES = os.cpu_count() or 1
# A compiler takes 200 MB and a core for itself; the page and its race need one, too.
WORKERS = min(2, max(1, CORES - 1))
LEAST_PRIORITY = 19
Wanted = tuple[str, Piece]
_log = logging.getLogger(__name__)


class _Compiler:
    """
    A process that compiles one piece after the other, in a session of its own, which hears of no Ctrl-C. One that has
    to `give_way` has a core when nobody else wants it, from then on.
    """

    gives_way = False

    def __init__(self, processor: Processor) -> None:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        command = [sys.executable, "-P", "-m", "lstm_core.kernels.compiling"]
        environment = _environment() | processor.environment
        self._process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
        assert self._process.stdin
        assert self._process.stdout
        self._questions, self._answers = self._process.stdin, self._process.stdout

    def give_way(self) -> None:
        os.setpriority(os.PRIO_PROCESS, self._process.pid, LEAST_PRIORITY)
        self.gives_way = True

    def compiled(self, wanted: Wanted) -> Object:
        """RuntimeError with the compiler's own words where it fails; OSError or EOFError where it has ended."""
        precision, piece = wanted
        started = time.monotonic()
        pickle.dump(_by_value(piece, precision), self._questions)
        self._questions.flush()
        answer = pickle.load(self._answers)
        if isinstance(answer, str):
            raise RuntimeError(answer)
        made, sources = answer
        if sources != store.sources(piece):
            raise RuntimeError(f"{piece}: the sources have changed since they were loaded here")
        _log.info("kernel %s, %s: compiled in %.1f s", piece, precision, time.monotonic() - started)
        return Object(*made)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            # Half a question may be left in it.
            with suppress(OSError):
                pipe.close()


def _by_value(piece: Piece, precision: str) -> bytes:
    """With the kernel of an activation as it is here; the module that it comes from is not imported there."""
    module = sys.modules.get(getattr(piece.kernel, "__module__", ""))
    if not module:
        return cloudpickle.dumps((piece, precision))
    cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps((piece, precision))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _environment() -> dict[str, str]:
    """The same packages as here, wherever they were found; no functions of a library that might not be there later."""
    places = [str(store.HERE.parents[1]), *filter(None, sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "NUMBA_DISABLE_INTEL_SVML": "1"}


class _Workshop:
    """What is to be compiled, and what became of it: addresses of machine code."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._urgent: deque[Wanted] = deque()
        self._rest: deque[Wanted] = deque()
        self._addresses: dict[Wanted, Future[int]] = {}
        self._compilers: set[_Compiler] = set()
        self._working, self._closed, self._warned = 0, False, False

    def addresses(self, wanted: Sequence[Wanted], first: bool) -> list[Future[int]]:
        """Of what was compiled before at once, of others as soon as they are; `first` before those that can wait."""
        with self._guard:
            missing = [one for one in wanted if not self._begin(one)]
            for one in missing:
                if first and one in self._rest:
                    self._rest.remove(one)
                if one not in self._urgent and one not in self._rest:
                    (self._urgent if first else self._rest).append(one)
            for _ in range(min(len(self._urgent) + len(self._rest), WORKERS - self._working)):
                self._working += 1
                threading.Thread(target=self._work, name="kernels", daemon=True).start()
            return [self._addresses[one] for one in wanted]

    def _begin(self, one: Wanted) -> bool:
        """Whether it is there, or somebody is at it."""
        if one in self._addresses:
            return one not in self._urgent and one not in self._rest
        future = self._addresses[one] = Future()
        precision, piece = one
        try:
            if before := store.find(piece, precision):
                future.set_result(load(before))
        except Exception as error:  # noqa: BLE001 - whoever asks for the address gets it
            future.set_exception(error)
        return future.done()

    def _next(self) -> tuple[Wanted, bool] | None:
        """What is to be compiled now, and whether nobody waits for it."""
        with self._guard:
            for left in (self._urgent, self._rest):
                if left and not self._closed:
                    return left.popleft(), left is self._rest
            self._working -= 1
            return None

    def _work(self) -> None:
        compilers: list[_Compiler] = []
        try:
            while wanted := self._next():
                one, idle = wanted
                try:
                    precision, piece = one
                    made = store.find(piece, precision)
                    if not made:
                        made = self._compiled(one, idle, compilers)
                        self._keep(one, made)
                    self._addresses[one].set_result(load(made))
                except Exception as error:  # noqa: BLE001 - whoever asks for the address gets it
                    self._addresses[one].set_exception(error)
        finally:
            self._stop(compilers)

    def _compiled(self, one: Wanted, idle: bool, compilers: list[_Compiler]) -> Object:
        """By the compiler in the list; one that has ended, perhaps for want of memory, has one successor."""
        for _ in range(2):
            if compilers and compilers[0].gives_way and not idle:
                self._stop(compilers)
            if not compilers:
                compilers.append(self._compiler())
            if idle and not compilers[0].gives_way:
                compilers[0].give_way()
            try:
                return compilers[0].compiled(one)
            except (OSError, EOFError):
                self._stop(compilers)
        raise RuntimeError("the compiler has ended twice, perhaps for want of memory")

    def _compiler(self) -> _Compiler:
        with self._guard:
            if self._closed:
                raise RuntimeError("the process ends")
            compiler = _Compiler(own())
            self._compilers.add(compiler)
            return compiler

    def _stop(self, compilers: list[_Compiler]) -> None:
        while compilers:
            compiler = compilers.pop()
            compiler.stop()
            with self._guard:
                self._compilers.discard(compiler)

    def _keep(self, one: Wanted, made: Object) -> None:
        precision, piece = one
        try:
            store.keep(piece, precision, made)
        except OSError as error:
            if not self._warned:
                self._warned = True
                print(f"kernels are compiled at every start: they cannot be kept ({error})", file=sys.stderr)

    def close(self) -> None:
        """Whoever compiles is ended, whatever he is at."""
        with self._guard:
            self._closed = True
            left = [self._addresses[one] for one in (*self._urgent, *self._rest)]
            self._urgent.clear()
            self._rest.clear()
            for compiler in self._compilers:
                compiler.stop()
        for future in left:
            future.set_exception(RuntimeError("the process ends"))


_workshop = _Workshop()
atexit.register(lambda: _workshop.close())


class Build:
    """The machine code of some pieces on its way; there at once if it was compiled before."""

    def __init__(self, precision: str, pieces: Sequence[Piece], first: bool) -> None:
        self.started = time.monotonic()
        self.done: Future[Mapping[Piece, int]] = Future()
        self._pieces, self._guard = pieces, threading.Lock()
        self._futures = _workshop.addresses([(precision, piece) for piece in pieces], first)
        for future in self._futures:
            future.add_done_callback(self._look)

    def _look(self, _: Future[int]) -> None:
        with self._guard:
            if self.done.done() or not all(future.done() for future in self._futures):
                return
            errors = filter(None, (future.exception() for future in self._futures))
            if error := next(errors, None):
                self.done.set_exception(error)
            else:
                self.done.set_result(
                    {p: future.result() for p, future in zip(self._pieces, self._futures, strict=True)}
                )


_builds: dict[tuple[str, tuple[Piece, ...]], Build] = {}
_starting = threading.Lock()


def build_pieces(precision: str, pieces: tuple[Piece, ...], first: bool) -> Build:
    """The one build of these pieces, begun with the first call; `first` before what others want."""
    with _starting:
        key = precision, pieces
        if key not in _builds:
            _builds[key] = Build(precision, pieces, first)
        return _builds[key]


def _forget() -> None:
    """After a fork: the threads that worked are not here, and what they had in their hands is found on disk or anew."""
    global _workshop, _starting
    _workshop, _starting = _Workshop(), threading.Lock()
    _builds.clear()


os.register_at_fork(after_in_child=_forget)


def compile_all(processor: Processor, pieces: Sequence[Piece], into: Path | None) -> None:
    """Compile these in all precisions, on all cores; into a folder, or where this machine keeps its own."""
    every = [(precision, piece) for piece in pieces for precision in PRECISIONS]
    left = iter(every)

    def work() -> None:
        compiler = _Compiler(processor)
        try:
            for precision, piece in left:
                store.keep(piece, precision, compiler.compiled((precision, piece)), processor, into)
                progress.update()
        finally:
            compiler.stop()

    with ThreadPoolExecutor(CORES) as pool, tqdm(total=len(every), unit="kernel", disable=None) as progress:
        try:
            for done in [pool.submit(work) for _ in range(CORES)]:
                done.result()
        finally:
            # Whoever fails, or is told to end, leaves nothing for the others to begin.
            deque(left, maxlen=0)
