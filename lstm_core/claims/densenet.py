"""A13 to A17: is what an LSTM concatenates like DenseNet, and does DenseNet keep what is said of it?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, DRAWN_RNN, NOTHING, Claim, Question
from lstm_core.claims.evidence import Region
from lstm_core.claims.measures import seen
from lstm_core.measurements.checkpoints import features
from lstm_core.openings.presets import OPENINGS, WIRING_RACERS, variants, within_budget

_LAYOUTS = dataclasses.replace(OPENINGS["concatenation"].base, steps=100)
_STACKS = variants(OPENINGS["depth"].base, WIRING_RACERS)
_ALIKE = within_budget(_STACKS)
_SINGLE = dataclasses.replace(_STACKS["plain"], layers=1, hidden=41)
_HALF = dataclasses.replace(_STACKS["dense"], hidden=9)
_TAUGHT = {
    label: dataclasses.replace(one, sequences=128, steps=600)
    for label, one in {**_ALIKE, "one layer": _SINGLE}.items()
    if label != "residual"
}

DENSENET = (
    Claim(
        "A13",
        "An LSTM concatenates h and x, as DenseNet does.",
        (
            Question(
                "One matrix for [h; x] and two matrices are the same function.",
                "largest difference of what the readout sees",
                lambda of: measures.output_difference(of["separate"].start, of["concatenated"].start),
                NOTHING,
            ),
            Question(
                "And they train to the same loss.",
                "difference of losses after 100 steps",
                lambda of: abs(of["separate"].loss - of["concatenated"].loss),
                Region(high=1e-9),
            ),
            Question(
                "As in DenseNet the gradient gets a shorter way back.",
                "Jacobians on the shortest path / T",
                lambda of: measures.shortest_path(of["[h; x]"].start),
                Region(high=0.75),
            ),
            Question(
                "A cell that concatenates its last 4 states has a way four times as short.",
                "the same for [h_(t-1); ...; h_(t-4); x]",
                lambda of: measures.shortest_path(of["last 4 states"].start),
                Region(0.2, 0.3),
                decides=False,
            ),
        ),
        "Only in form: [h; x] is a sum of two products under another name, and shortens nothing. What DenseNet does "
        "would be to concatenate several earlier states.",
        "[W_h W_x] [h; x] = W_h h + W_x x. DenseNet shows each layer the outputs of all layers before it, so that one "
        "step back can skip many; [h; x] holds a single earlier state.",
        "concatenation",
        (("loss", ALL), ("difference", ALL)),
        racers=variants(_LAYOUTS, {"separate": {}, "concatenated": {"weights": "concatenated"}}),
        drawn={
            "[h; x]": dataclasses.replace(DRAWN_RNN, length=8, hidden=8, weights="concatenated"),
            "last 4 states": dataclasses.replace(DRAWN_RNN, length=8, hidden=8, window=4),
        },
    ),
    Claim(
        "A14",
        "DenseNet has the stronger gradient flow.",
        (
            Question(
                "In a dense stack of four layers the first one gets at least three times the share of a plain stack.",
                "first layer's share, dense / plain, decades",
                lambda of: (
                    measures.first_layer_share(of["dense"].start) - measures.first_layer_share(of["plain"].start)
                ),
                Region(low=0.5),
            ),
            Question(
                "So it is after training.",
                "the same after training, decades",
                lambda of: (
                    measures.first_layer_share(of["dense"].after) - measures.first_layer_share(of["plain"].after)
                ),
                Region(low=0.5),
            ),
            Question(
                "A sum of all layers does it as well.",
                "first layer's share, residual / plain, decades",
                lambda of: (
                    measures.first_layer_share(of["residual"].start) - measures.first_layer_share(of["plain"].start)
                ),
                Region(low=0.5),
                decides=False,
            ),
        ),
        "Right: the first of four plain layers gets a thirtieth of what the last one gets, the first of four dense "
        "layers as much. A residual stack does it too.",
        "Where the readout sees every layer, each has a path of its own to the loss, with no other layer's matrix on "
        "it.",
        "depth",
        (("gradient_by_layer", ALL), ("first_layer", ALL)),
        racers=_STACKS,
    ),
    Claim(
        "A15",
        "DenseNet needs fewer parameters for the same quality.",
        (
            Question(
                "With no more weights than the plain stack of four layers, the dense one ends at less than half its "
                "loss.",
                "loss, dense / plain, decades",
                lambda of: measures.lower_loss(of["dense"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                "With at most half as many weights, too.",
                "loss, dense with half the weights / plain, decades",
                lambda of: measures.lower_loss(of["dense, half the weights"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                "Depth was needed: one plain layer with as many weights ends at no less loss than the dense stack.",
                "loss, dense / one layer, decades",
                lambda of: measures.lower_loss(of["dense"], of["one layer"]),
                Region(high=0),
                decides=False,
            ),
        ),
        "Right here, against plain stacks: half the weights do, because four plain layers hardly learn in this time.",
        "The dense stack spends its weights on wider inputs and has fewer units; but all of its layers are trained "
        "from the first step on.",
        "depth",
        (("loss", ALL), ("loss_by_weights", ALL)),
        racers={
            "plain": _ALIKE["plain"],
            "dense": _ALIKE["dense"],
            "dense, half the weights": _HALF,
            "one layer": _SINGLE,
        },
        address={"compared": "weights"},
    ),
    Claim(
        "A16",
        "DenseNet has more diverse features.",
        (
            Question(
                "At equal numbers of weights the readout of a dense stack sees at least one direction more.",
                "effective rank, dense less plain",
                lambda of: seen(features, of["dense"].after).rank - seen(features, of["plain"].after).rank,
                Region(low=1),
            ),
            Question(
                "Its features are less correlated.",
                "mean |correlation|, dense less plain",
                lambda of: (
                    seen(features, of["dense"].after).correlation - seen(features, of["plain"].after).correlation
                ),
                Region(high=0),
            ),
            Question(
                "It sees more directions than one plain layer with as many weights.",
                "effective rank, dense less one layer",
                lambda of: seen(features, of["dense"].after).rank - seen(features, of["one layer"].after).rank,
                Region(low=1),
                decides=False,
            ),
        ),
        "There are more directions to read from, because all layers are read. Single features are hardly less alike.",
        "The readout sees four layers side by side instead of one. Within a layer and between layers units still learn "
        "much the same.",
        "depth",
        (("effective_rank", ALL), ("correlation", ALL)),
        racers={**{name: _ALIKE[name] for name in ("plain", "dense")}, "one layer": _SINGLE},
        address={"compared": "weights"},
    ),
    Claim(
        "A17",
        "DenseNet keeps features of low complexity and does well with little data.",
        (
            Question(
                "The readout uses what lies below the last layer: at least a quarter of its weight is there.",
                "share of squared readout weights",
                lambda of: measures.read_below(of["dense"].after),
                Region(low=0.25),
            ),
            Question(
                "Trained on 128 sequences, the dense stack has at most half the loss of a plain one on held-out "
                "sequences.",
                "loss on held-out sequences, dense / plain, decades",
                lambda of: measures.lower_held_out_loss(of["dense"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                "And less than one plain layer with as many weights.",
                "loss on held-out sequences, dense / one layer, decades",
                lambda of: measures.lower_held_out_loss(of["dense"], of["one layer"]),
                Region(high=0),
                decides=False,
            ),
        ),
        "The low layers are used, and the dense stack learns from little data where a plain one of four layers does "
        "not.",
        "The readout can take from each layer what it needs. How much of the advantage is depth that can be trained, "
        "and how much is economy with data, shows the comparison with one layer.",
        "depth",
        (("readout_by_layer", ALL), ("held_out_loss", ALL)),
        racers=_TAUGHT,
        address={"sequences": "128", "compared": "weights"},
    ),
)
