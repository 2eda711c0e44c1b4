"""A13 to A17: is what an LSTM concatenates like DenseNet, and does DenseNet keep what is said of it?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, DRAWN_RNN, NOTHING, Claim, Question
from lstm_core.claims.evidence import Region
from lstm_core.claims.measures import seen
from lstm_core.language import _
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
        _("An LSTM concatenates h and x, as DenseNet does."),
        (
            Question(
                _("One matrix for [h; x] and two matrices are the same function."),
                _("largest difference of what the output sees"),
                lambda of: measures.output_difference(of["separate"].start, of["concatenated"].start),
                NOTHING,
            ),
            Question(
                _("Both train to the same loss."),
                _("difference of losses after 100 steps"),
                lambda of: abs(of["separate"].loss - of["concatenated"].loss),
                Region(high=1e-9),
            ),
            Question(
                _("As in DenseNet, the gradient gets a shorter way back."),
                _("Jacobians on the shortest path / T"),
                lambda of: measures.shortest_path(of["[h; x]"].start),
                Region(high=0.75),
            ),
            Question(
                _("A cell that concatenates its last 4 states has a way back that is four times shorter."),
                _("the same for [h_(t-1); ...; h_(t-4); x]"),
                lambda of: measures.shortest_path(of["last 4 states"].start),
                Region(0.2, 0.3),
                decides=False,
            ),
        ),
        _(
            "False, except in form: [h; x] is a sum of two products written as one, and it shortens "
            "nothing. DenseNet's idea would be to concatenate several earlier states."
        ),
        _(
            "[W_h W_x] [h; x] = W_h h + W_x x. DenseNet shows each layer the outputs of all layers "
            "before it, so one step back can skip many. [h; x] holds a single earlier state."
        ),
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
        _("DenseNet has the stronger gradient flow."),
        (
            Question(
                _(
                    "The first of four dense layers gets at least three times the share of gradient that the "
                    "first of four plain layers gets."
                ),
                _("first layer's share, dense / plain, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["dense"].start) - measures.first_layer_share(of["plain"].start)
                ),
                Region(low=0.5),
            ),
            Question(
                _("The same holds after training."),
                _("the same after training, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["dense"].after) - measures.first_layer_share(of["plain"].after)
                ),
                Region(low=0.5),
            ),
            Question(
                _("A residual sum of all layers does it too."),
                _("first layer's share, residual / plain, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["residual"].start) - measures.first_layer_share(of["plain"].start)
                ),
                Region(low=0.5),
                decides=False,
            ),
        ),
        _(
            "True: the first of four plain layers gets a thirtieth of the last one's gradient, the first "
            "of four dense layers as much as the last. A residual stack does it too."
        ),
        _("The output sees every layer, so each has its own path to the loss, without the matrices of other layers."),
        "depth",
        (("gradient_by_layer", ALL), ("first_layer", ALL)),
        racers=_STACKS,
    ),
    Claim(
        "A15",
        _("DenseNet needs fewer parameters for the same quality."),
        (
            Question(
                _(
                    "With no more weights than a plain stack of four layers, a dense stack ends at less than "
                    "half the loss."
                ),
                _("loss, dense / plain, powers of ten"),
                lambda of: measures.lower_loss(of["dense"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                _("It does so even with at most half as many weights."),
                _("loss, dense with half the weights / plain, powers of ten"),
                lambda of: measures.lower_loss(of["dense, half the weights"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                _("Depth was needed: one plain layer with as many weights ends at no lower loss than the dense stack."),
                _("loss, dense / one layer, powers of ten"),
                lambda of: measures.lower_loss(of["dense"], of["one layer"]),
                Region(high=0),
                decides=False,
            ),
        ),
        _(
            "True here, against plain stacks: for 4 of 5 seeds even half the weights were enough, "
            "because four plain layers hardly learn in this time."
        ),
        _(
            "A dense stack spends its weights on wider inputs and has fewer units, but all its layers "
            "learn from the first step on."
        ),
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
        _("DenseNet has more diverse features."),
        (
            Question(
                _("With equal numbers of weights, the output of a dense stack sees at least one direction more."),
                _("effective rank, dense less plain"),
                lambda of: seen(features, of["dense"].after).rank - seen(features, of["plain"].after).rank,
                Region(low=1),
            ),
            Question(
                _("Its features are less correlated."),
                _("mean |correlation|, dense less plain"),
                lambda of: (
                    seen(features, of["dense"].after).correlation - seen(features, of["plain"].after).correlation
                ),
                Region(high=0),
            ),
            Question(
                _("It sees more directions than one plain layer with as many weights."),
                _("effective rank, dense less one layer"),
                lambda of: seen(features, of["dense"].after).rank - seen(features, of["one layer"].after).rank,
                Region(low=1),
                decides=False,
            ),
        ),
        _(
            "Undecided: the output can read more independent directions, because it reads all layers. "
            "But single features are hardly less correlated."
        ),
        _(
            "The output sees four layers side by side instead of one. Units within and between layers "
            "still learn much the same."
        ),
        "depth",
        (("effective_rank", ALL), ("correlation", ALL)),
        racers={**{name: _ALIKE[name] for name in ("plain", "dense")}, "one layer": _SINGLE},
        address={"compared": "weights"},
    ),
    Claim(
        "A17",
        _("DenseNet keeps features of low complexity and does well with little data."),
        (
            Question(
                _("The output reads below the last layer: at least a quarter of its squared weights is there."),
                _("share of squared readout weights"),
                lambda of: measures.read_below(of["dense"].after),
                Region(low=0.25),
            ),
            Question(
                _(
                    "Trained on 128 sequences, the dense stack has at most half the loss of a plain one on "
                    "held-out sequences."
                ),
                _("loss on held-out sequences, dense / plain, powers of ten"),
                lambda of: measures.lower_held_out_loss(of["dense"], of["plain"]),
                Region(high=-0.3),
            ),
            Question(
                _("It also has a lower one than one plain layer with as many weights."),
                _("loss on held-out sequences, dense / one layer, powers of ten"),
                lambda of: measures.lower_held_out_loss(of["dense"], of["one layer"]),
                Region(high=0),
                decides=False,
            ),
        ),
        _(
            "True: the output uses the low layers, and the dense stack learns from little data where a "
            "plain stack of four layers does not."
        ),
        _(
            "The output can take what it needs from each layer. The comparison with one layer shows how "
            "much comes from being easy to train, and how much from using data well."
        ),
        "depth",
        (("readout_by_layer", ALL), ("held_out_loss", ALL)),
        racers=_TAUGHT,
        address={"sequences": "128", "compared": "weights"},
    ),
)
