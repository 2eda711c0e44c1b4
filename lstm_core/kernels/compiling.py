"""How is one piece compiled? In a process of its own, which knows numba and not torch, and is asked through a pipe."""

import importlib
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

from numba import boolean, float64, int64, types, void

from lstm_core.borrowed.compiler import machine_code
from lstm_core.kernels import activations, store
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.piece import Object, Piece
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.pointwise import functions

WHOLE, WIDE = types.CPointer(int64), types.CPointer(float64)
CELL, STEP, ROOM = (types.NamedUniTuple(int64, len(kind._fields), kind) for kind in (Spec, Step, Room))


def _signature(piece: Piece, precision: str) -> Any:
    numbers = types.CPointer(getattr(types, precision))
    subject, function, _ = piece
    if subject == "turn":
        fixed = *(WHOLE,) * 4, WIDE, WHOLE, WHOLE, int64
        learned = *(numbers,) * 5, int64, WHOLE, WIDE, WHOLE
        data = numbers, numbers, WHOLE, int64
        return void(*fixed, *learned, *data, int64, int64, boolean, numbers, numbers, *(WIDE,) * 4)
    if piece.is_activation:
        return void(numbers, int64, int64, int64) if function == "values" else void(numbers, numbers, int64)
    backward = function.endswith("backward")
    if subject == "sequence":
        beside = (numbers, *(int64,) * 6, WIDE) if backward else (numbers, int64, int64, WIDE)
        return void(WHOLE, WHOLE, numbers, *beside, boolean)
    return void(CELL, numbers, STEP, *((numbers, ROOM, WIDE, boolean) if backward else ()))


def compiled(piece: Piece, precision: str) -> Object:
    function: Callable[..., Any]
    if piece.is_activation:
        function = getattr(activations, piece.function)(piece.kernel or getattr(functions, piece.subject))
    else:
        function = getattr(importlib.import_module(f"lstm_core.kernels.{piece.subject}"), piece.function)
    return Object(*machine_code(function, _signature(piece, precision), OPTIONS))


def _answer() -> None:
    """
    Compile what is asked for, one after the other, until nothing more is. An answer is the object and a number for
    the sources that it was made of, or an error's words; whatever is printed is an error's.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            piece, precision = pickle.loads(question)
            answer: tuple[Object, str] | str = compiled(piece, precision), store.sources(piece)
        except Exception:  # noqa: BLE001 - whoever asks gets it
            answer = traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    _answer()
