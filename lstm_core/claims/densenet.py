"""A13 to A17, A22: is what an LSTM concatenates like DenseNet, and does DenseNet keep what is said of it?"""

import dataclasses

from lstm_core.claims import measures, results
from lstm_core.claims.claim import ALL, DRAWN_RNN, NOTHING, Claim, Question, solves
from lstm_core.claims.evidence import ALWAYS, BESIDE, Region
from lstm_core.language import _
from lstm_core.network import parameter_count
from lstm_core.openings.presets import OPENINGS, of_weights, variants, within_budget

_LAYOUTS = dataclasses.replace(OPENINGS["concatenation"].base, steps=100)
_STACKS = OPENINGS["depth"].experiments()
_ALIKE = within_budget(_STACKS)
_SINGLE = dataclasses.replace(_STACKS["plain"], layers=1, hidden=41)
# By how much smaller than the plain stack of the page a stack is.
_PARTS = (1, 2, 4, 8)
_WIRED = ("residual", "dense")
_SMALLER = {
    f"{wiring}, 1/{part}": of_weights(_STACKS[wiring], parameter_count(_STACKS["plain"]) // part)
    for wiring in _WIRED
    for part in _PARTS
}
# As many features for the readout: of all dense layers together, of the last residual one, of a single one.
_WIDE = 36
_FEATURES = {
    "dense": dataclasses.replace(_STACKS["dense"], hidden=_WIDE // 4),
    "residual": dataclasses.replace(_STACKS["residual"], hidden=_WIDE),
    "one layer": dataclasses.replace(_SINGLE, hidden=_WIDE),
}
_LITTLE, _MUCH = 128, 1024
_TAUGHT = {
    f"{wiring}, {sequences}": dataclasses.replace(_ALIKE[wiring], sequences=sequences, steps=600)
    for sequences in (_LITTLE, _MUCH)
    for wiring in _WIRED
} | {f"plain, {_LITTLE}": dataclasses.replace(_ALIKE["plain"], sequences=_LITTLE, steps=600)}


def _of(wiring: str) -> list[str]:
    return [f"{wiring}, 1/{part}" for part in _PARTS]


def _advantage(of: results.SeedResults, sequences: int) -> float:
    """The held-out loss of the dense stack over that of the residual one, as log10."""
    return measures.lower_held_out_loss(of[f"dense, {sequences}"], of[f"residual, {sequences}"])


DENSENET = (
    Claim(
        "A13",
        _("An LSTM concatenates h and x."),
        (
            Question(
                _("One matrix for [h; x] and two matrices are the same function."),
                _("largest difference of what the output sees"),
                lambda of: measures.output_difference(of["separate"].start, of["concatenated"].start),
                NOTHING,
                ALWAYS,
            ),
            Question(
                _("Both train to the same loss."),
                _("difference of losses after 100 steps"),
                lambda of: abs(of["separate"].loss - of["concatenated"].loss),
                Region(high=1e-9),
                ALWAYS,
            ),
        ),
        _("True: one matrix for [h; x] and two matrices are the same network, in two ways of writing."),
        _("[W_h W_x] [h; x] = W_h h + W_x x."),
        "concatenation",
        (("loss", ALL), ("difference", ALL)),
        racers=variants(_LAYOUTS, {"separate": {}, "concatenated": {"weights": "concatenated"}}),
    ),
    Claim(
        "A22",
        _("It concatenates as DenseNet does."),
        (
            Question(
                _("As in DenseNet, the gradient gets a shorter way back."),
                _("Jacobians on the shortest path / T"),
                lambda of: measures.shortest_path(of["[h; x]"].start),
                Region(high=0.75),
                ALWAYS,
            ),
            Question(
                _("A cell that concatenates its last 4 states has a way back that is four times shorter."),
                _("the same for [h_(t-1); ...; h_(t-4); x]"),
                lambda of: measures.shortest_path(of["last 4 states"].start),
                Region(0.2, 0.3),
                ALWAYS,
                BESIDE,
            ),
        ),
        _("False: [h; x] shortens nothing. DenseNet's idea would be to concatenate several earlier states."),
        _(
            "DenseNet shows each layer the outputs of all layers before it, so one step back can skip many. [h; x] "
            "holds a single earlier state."
        ),
        "concatenation",
        (("gradient_through_time", ALL),),
        drawn={
            "[h; x]": dataclasses.replace(DRAWN_RNN, length=8, hidden=8, weights="concatenated"),
            "last 4 states": dataclasses.replace(DRAWN_RNN, length=8, hidden=8, window=4),
        },
    ),
    Claim(
        "A14",
        _("DenseNet has a stronger gradient flow than ResNet."),
        (
            Question(
                _("The first of four dense layers gets at least twice the share of gradient of a residual one."),
                _("first layer's share, dense / residual, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["dense"].start) - measures.first_layer_share(of["residual"].start)
                ),
                Region(low=0.3),
            ),
            Question(
                _("The same holds after training."),
                _("the same after training, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["dense"].after) - measures.first_layer_share(of["residual"].after)
                ),
                Region(low=0.3),
                role=BESIDE,
            ),
            Question(
                _("It gets at least three times the share of the first of four plain layers."),
                _("first layer's share, dense / plain, powers of ten"),
                lambda of: (
                    measures.first_layer_share(of["dense"].start) - measures.first_layer_share(of["plain"].start)
                ),
                Region(low=0.5),
                role=BESIDE,
            ),
        ),
        _("False: both hand the gradient down equally well. Only plain stacks lose it on the way."),
        _("In both, each layer has a path to the loss that passes no matrix of other layers."),
        "depth",
        (("gradient_by_layer", ALL), ("first_layer", ALL)),
        racers=_ALIKE,
        address={"compared": "weights"},
    ),
    Claim(
        "A15",
        _("DenseNet needs fewer parameters than ResNet for the same quality."),
        (
            Question(
                _("The smallest dense stack that solves the task has fewer weights than the smallest residual one."),
                _("weights, dense / residual, powers of two"),
                lambda of: results.fewer_weights(*([of[label] for label in _of(wiring)] for wiring in _WIRED[::-1])),
                Region(high=-0.5),
            ),
            solves(_("With a quarter of the weights a dense stack solves it."), "dense, 1/4", BESIDE),
            solves(_("With a quarter of the weights a residual stack solves it."), "residual, 1/4", BESIDE),
        ),
        _(
            "Undecided: with a quarter of the weights dense stacks solve it for 25 of 30 seeds, residual ones for "
            "19 of 30 seeds, but in most pairs both need as many."
        ),
        _("In an RNN each weight costs one multiplication per time step, so equal weights are equal computation, too."),
        "depth",
        (("loss", ALL), ("loss_by_weights", ALL)),
        racers=_SMALLER,
        address={"compared": "weights"},
    ),
    Claim(
        "A16",
        _("DenseNet has richer, more diverse features."),
        (
            Question(
                _("Of as many features, more are independent in a dense stack than in a residual one."),
                _("effective rank, dense / residual, powers of ten"),
                lambda of: (
                    measures.rank_per_feature(of["dense"].after) - measures.rank_per_feature(of["residual"].after)
                ),
                Region(low=0),
            ),
            Question(
                _("Its features are less correlated."),
                _("mean |correlation|, dense less residual"),
                lambda of: measures.correlation(of["dense"].after) - measures.correlation(of["residual"].after),
                Region(high=0),
            ),
            Question(
                _("It was so before training."),
                _("effective rank before training, dense / residual, powers of ten"),
                lambda of: (
                    measures.rank_per_feature(of["dense"].start) - measures.rank_per_feature(of["residual"].start)
                ),
                Region(low=0),
                role=BESIDE,
            ),
            Question(
                _("Of as many features, more are independent than in a single plain layer."),
                _("effective rank, dense / one layer, powers of ten"),
                lambda of: (
                    measures.rank_per_feature(of["dense"].after) - measures.rank_per_feature(of["one layer"].after)
                ),
                Region(low=0),
                role=BESIDE,
            ),
        ),
        _(
            "Undecided: of as many features more are independent for 20 of 30 seeds, and they are less correlated for "
            "18 of 30 seeds."
        ),
        _("The output sees four layers side by side, but units within and between layers learn much the same."),
        "depth",
        (("effective_rank", ALL), ("correlation", ALL)),
        racers=_FEATURES,
    ),
    Claim(
        "A17",
        _("DenseNet uses features of all complexity: smoother decision boundaries, good with little data."),
        (
            Question(
                _("The output reads below the last layer: at least a quarter of its squared weights is there."),
                _("share of squared readout weights"),
                lambda of: measures.read_below(of[f"dense, {_LITTLE}"].after),
                Region(low=0.25),
            ),
            Question(
                _("Its answer changes less steeply with the input than that of a residual stack."),
                _("slope of the answer, dense / residual, powers of ten"),
                lambda of: (
                    measures.input_slope(of[f"dense, {_LITTLE}"].after)
                    - measures.input_slope(of[f"residual, {_LITTLE}"].after)
                ),
                Region(high=0),
            ),
            Question(
                _("It gains on a residual stack where data is scarce: 128 instead of 1,024 sequences."),
                _("held-out loss, dense / residual, at 128 less at 1,024, powers of ten"),
                lambda of: _advantage(of, _LITTLE) - _advantage(of, _MUCH),
                Region(high=-0.1),
            ),
            Question(
                _("On 128 sequences it has at most half the held-out loss of a plain stack."),
                _("held-out loss, dense / plain, powers of ten"),
                lambda of: measures.lower_held_out_loss(of[f"dense, {_LITTLE}"], of[f"plain, {_LITTLE}"]),
                Region(high=-0.3),
                role=BESIDE,
            ),
        ),
        _("Undecided."),
        _("The output can take what it needs from each layer, but a residual stack passes low layers on as well."),
        "depth",
        (("readout_by_layer", ALL), ("held_out_loss", ALL)),
        racers=_TAUGHT,
        address={"sequences": "128", "compared": "weights"},
    ),
)
