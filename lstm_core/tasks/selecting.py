"""
What of all that came is asked for? Selective copying and associative recall; every symbol is one-hot.

With a length of 8 and `>` for the cue, one sample of selective copying reads

    input   . c . . a a . d > > > >
    target  . . . . . . . . c a a d

(Gu and Dao 2023, who scatter 16 of 16 symbols over 4,096 steps, and Feng and others 2024; the symbols of copy memory
stand side by side). With a length of 6, one of associative recall, of keys a and b with values 1 to 8, reads

    input   b 3 a 1 . . a b
    target  . . . . . . 1 3

(Arora and others 2023, multi-query; there keys come again at places spread over the rest of the sequence, here at its
end, one after the other, in an order drawn anew). Each key is shown once, and no value twice. With more pairs or keys
none of the cells of this project that were tried learns it within 1,500 training steps on every seed: an LSTM with
chrono initialisation and 64 units did on four of five at these sizes and a length of 10, a GRU on two of five.
"""

import math

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.symbols import LETTERS, one_hot
from lstm_core.tasks.task import Sample, Task

SYMBOLS, COPIED = 4, 4
KEYS, VALUES, PAIRS = 2, 8, 2


def _any_of(count: int, chosen: int, batch: int, rng: Rng) -> np.ndarray:
    """So many different numbers below `count`, in an order drawn anew, (chosen, B)."""
    return rng.random((count, batch), np.float32).argsort(0, kind="stable")[:chosen]


def _blank_until_asked(steps: int, asked: int, classes: int) -> Tensor:
    """The last of the answers with certainty, and at the last `asked` steps all others alike; (steps, classes + 1)."""
    outputs = torch.zeros(steps, classes + 1)
    outputs[:-asked, -1] = 50
    outputs[-asked:, -1] = -50
    return outputs


def _selective_copying(length: int, batch: int, rng: Rng) -> Sample:
    blank, cue, column = SYMBOLS, SYMBOLS + 1, np.arange(batch)
    places = np.sort(_any_of(length, COPIED, batch, rng), 0)
    symbols = rng.integers(0, SYMBOLS, (COPIED, batch))
    shown = np.full((length + COPIED, batch), blank)
    targets = shown.copy()
    shown[places, column] = targets[length:] = symbols
    shown[length:] = cue
    return one_hot(shown, SYMBOLS + 2), torch.from_numpy(targets)


SELECTIVE_COPYING = Task(
    "selective_copying",
    _("Selective copying"),
    _("Four symbols come at any time among blanks. At the cues the network must repeat them in order."),
    _("blank c blank blank a a blank d, cues: the answer is c a a d"),
    inputs=(*LETTERS[:SYMBOLS], _("blank"), _("cue")),
    outputs=(*LETTERS[:SYMBOLS], _("blank")),
    shortest=COPIED,
    draw=_selective_copying,
    constant=lambda length: _blank_until_asked(length + COPIED, COPIED, SYMBOLS),
    constant_loss=lambda length: COPIED * math.log(SYMBOLS) / (length + COPIED),
    plateaus=lambda length: ((_("two of four symbols"), COPIED / 2 * math.log(SYMBOLS) / (length + COPIED)),),
    every_step=True,
    counted_steps=lambda length: COPIED,
    extra_steps=COPIED,
)


def _associative_recall(length: int, batch: int, rng: Rng) -> Sample:
    blank, column = KEYS + VALUES, np.arange(batch)
    keys, values = _any_of(KEYS, PAIRS, batch, rng), _any_of(VALUES, PAIRS, batch, rng)
    order = _any_of(PAIRS, PAIRS, batch, rng)
    shown = np.full((length + PAIRS, batch), blank)
    targets = np.full((length + PAIRS, batch), VALUES)
    shown[: 2 * PAIRS : 2], shown[1 : 2 * PAIRS : 2] = keys, KEYS + values
    shown[length:], targets[length:] = keys[order, column], values[order, column]
    return one_hot(shown, KEYS + VALUES + 1), torch.from_numpy(targets)


ASSOCIATIVE_RECALL = Task(
    "associative_recall",
    _("Associative recall"),
    _("Keys, each followed by its value, then blanks. At the end the keys come again, and each asks for its value."),
    _("b 3 a 1, blanks, a b: the answer is 1 3"),
    inputs=(*LETTERS[:KEYS], *map(str, range(1, VALUES + 1)), _("blank")),
    outputs=(*map(str, range(1, VALUES + 1)), _("blank")),
    shortest=2 * PAIRS,
    draw=_associative_recall,
    constant=lambda length: _blank_until_asked(length + PAIRS, PAIRS, VALUES),
    constant_loss=lambda length: PAIRS * math.log(VALUES) / (length + PAIRS),
    plateaus=lambda length: ((_("any of the values shown"), PAIRS * math.log(PAIRS) / (length + PAIRS)),),
    every_step=True,
    counted_steps=lambda length: PAIRS,
    extra_steps=PAIRS,
)
