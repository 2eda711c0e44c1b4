"""
Which colour is whose? One of six slots for each racer, the same on every chart and page.

The colours of the slots are the theme's, in `.streamlit/config.toml`; here are their names in Markdown, and the symbol
that goes with each, so that nobody has to tell racers by colour alone. Whatever is no racer is grey.
"""

from collections.abc import Sequence

HUES = ("blue", "orange", "green", "red", "violet", "yellow")
# In words, as in `:blue[●]`, and as Vega-Lite calls them. A star is not among its shapes.
SYMBOLS = ("●", "■", "◆", "✚", "►", "★")
_STAR = (
    "M0,-1L0.225,-0.309L0.951,-0.309L0.363,0.118L0.588,0.809L0,0.382L-0.588,0.809L-0.363,0.118L-0.951,-0.309"
    "L-0.225,-0.309Z"
)
SHAPES = ("circle", "square", "diamond", "cross", "triangle-right", _STAR)

# Racers that are met on several pages, or come and go on one, in the slots that they have if those are free: each row
# from the first slot on.
_OWN = (
    ("vanilla RNN", "LSTM", "GRU", "minGRU", "minLSTM", "sLSTM"),
    ("LRU", "IndRNN", "LRU after ReLU", "W_h orthogonal at first, slow"),
    ("", "", "", "", "W_h kept orthogonal", "W_h orthogonal at first"),
    ("a in [0, 1]", "", "", "a in [-1, 1]"),
    ("tanh", "sigmoid", "ReLU", "ReLU, W_h = I", "GELU", "identity"),
    ("softplus", "leaky ReLU", "sine", "softsign", "ELU", "SiLU"),
    ("your cell", "no gates", "coupled gates", "no forget gate", "no input gate", "no output gate"),
    ("", "with peepholes", "no input activation", "no peepholes", "", "no output activation"),
    ("separate", "concatenated"),
    ("one bias", "two biases"),
    ("plain", "dense", "residual", "highway"),
    ("k = 1", "k = 2", "k = 4", "k = 3", "k = 5", "k = 6"),
    ("", "", "", "k = 7", "k = 8"),
    ("seed 0", "seed 1", "seed 2", "seed 3", "seed 4", "seed 5"),
)
PREFERRED = {label: slot for row in _OWN for slot, label in enumerate(row) if label} | {"hard tanh": 4}


def slots(labels: Sequence[str]) -> dict[str, int]:
    """
    The slot of each racer: its own, if it has one and no racer before it has the same; the others take those that are
    left, in their order. No two of up to six racers share one; a seventh has that of the first again.
    """
    taken: dict[str, int] = {}
    for label in labels:
        if label in PREFERRED and PREFERRED[label] not in taken.values():
            taken[label] = PREFERRED[label]
    left = [slot for slot in range(len(HUES)) if slot not in taken.values()]
    others = [label for label in dict.fromkeys(labels) if label not in taken]
    free = [*left, *range(len(HUES))]
    taken |= {label: free[k % len(free)] for k, label in enumerate(others)}
    return {label: taken[label] for label in labels}
