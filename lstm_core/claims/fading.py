"""A1 to A6, A19: does an RNN forget, and what is to blame: W_h, or the activation function?"""

import dataclasses
import math

from lstm_core.claims import measures, results
from lstm_core.claims.claim import ALL, DRAWN_RNN, NOTHING, Claim, Question, fails, solves
from lstm_core.claims.evidence import ALWAYS, BESIDE, LIMITS, NO, PROVEN, YES, Region
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.openings.presets import OPENINGS

# At least half as many steps again as the slowest of the seeds took that were tried.
_ADDING = Experiment(cell="rnn", steps=2000)
_LENGTHS = (10, 20, 40, 100)
_RELU = dataclasses.replace(OPENINGS["activations"].base, activation="relu", steps=3000)
_SOON = 1250
_ALONE = "ReLU, W_h = I"

FADING = (
    Claim(
        "A1",
        _("An RNN forgets inputs that lie far back."),
        (
            solves(_("Over 10 steps a vanilla RNN learns to add two numbers."), "T = 10"),
            fails(_("Over 100 steps it does not."), "T = 100"),
            Question(
                _("The longer the input, the later it learns, if at all: over 10, 20, 40 and 100 steps."),
                _("1 if each length takes longer than the one before, 0 if not"),
                lambda of: results.ever_later([of[f"T = {length}"] for length in _LENGTHS]),
                YES,
                yes_or_no=True,
            ),
            Question(
                _("Its gradient then does not reach the beginning: less than a thousandth of it is left."),
                _("‖∂h_T/∂h_0‖ after training at T = 100, powers of ten"),
                lambda of: measures.hidden_reach(of["T = 100"].after),
                Region(high=-3),
            ),
        ),
        _("True: the RNN learns to use what lies 10 steps back, but not what lies 100 steps back."),
        _(
            "Each step back multiplies the gradient by another Jacobian. Without a gradient the weights "
            "learn nothing about early inputs."
        ),
        "dashboard",
        (("loss", ALL), ("gradient_through_time", ALL)),
        racers={f"T = {length}": dataclasses.replace(_ADDING, length=length) for length in _LENGTHS},
        address={"length": "10", "steps": "2000"},
    ),
    Claim(
        "A2",
        _(
            "The gradient over many steps is a product of Jacobians diag(φ') W_h, and a power of the "
            "norm of W_h bounds it."
        ),
        (
            Question(
                _("No measured norm exceeds the bound, for tanh, ReLU and sigmoid, at any time step."),
                _("largest ‖∂h_T/∂h_t‖ / bound"),
                lambda of: max(measures.over_bound(of[name].start) for name in ("tanh", "ReLU", "sigmoid")),
                Region(high=1.0001),
                PROVEN,
            ),
            Question(
                _("The bound is a good estimate: within a factor of a thousand."),
                _("bound / ‖∂h_T/∂h_0‖ of tanh, powers of ten"),
                lambda of: measures.below_bound(of["tanh"].start),
                Region(high=3),
                role=LIMITS,
            ),
        ),
        _("A theorem, and a bound only: as an estimate it is useless, at T = 100 more than 1e20 times too high."),
        _(
            "The bound assumes the worst direction at every step. In fact the next step rotates that "
            "direction away, and most slopes are below their maximum."
        ),
        "gradient_flow",
        (("reach", "tanh"), ("reach", "sigmoid")),
        drawn={
            "tanh": DRAWN_RNN,
            "ReLU": dataclasses.replace(DRAWN_RNN, activation="relu"),
            "sigmoid": dataclasses.replace(DRAWN_RNN, activation="sigmoid"),
        },
    ),
    Claim(
        "A3",
        _("If the norm of W_h is above 1 the gradient explodes, if it is below 1 it vanishes."),
        (
            Question(
                _("With a norm of 0.9, less than a thousandth of a tanh network's gradient is left after 100 steps."),
                _("‖∂h_T/∂h_0‖ at a norm of 0.9, powers of ten"),
                lambda of: measures.hidden_reach(of["norm 0.9"].start),
                Region(high=-3),
                PROVEN,
            ),
            Question(
                _("With torch's default weights, norm about 1.13, it grows."),
                _("‖∂h_T/∂h_0‖ at a norm of 1.13, powers of ten"),
                lambda of: measures.hidden_reach(of["norm 1.13"].start),
                Region(low=0),
            ),
            Question(
                _("With three times these weights, norm about 3.4 and spectral radius near 2, it grows."),
                _("‖∂h_T/∂h_0‖ at a norm of 3.4, powers of ten"),
                lambda of: measures.hidden_reach(of["norm 3.4"].start),
                Region(low=0),
                role=BESIDE,
            ),
        ),
        _("False: a norm below 1 is enough for vanishing, but a norm above 1 is not enough for an explosion."),
        _(
            "A norm above 1 means that one direction is stretched in one step. To explode, the same "
            "direction must be stretched at every step. In the long run powers follow the spectral "
            "radius, and tanh shrinks large values."
        ),
        "gradient_flow",
        (("reach", "norm 1.13"), ("reach", "norm 3.4")),
        drawn={
            "norm 1.13": DRAWN_RNN,
            "norm 0.9": dataclasses.replace(DRAWN_RNN, init="orthogonal", gain=0.9),
            "norm 3.4": dataclasses.replace(DRAWN_RNN, gain=3.0),
        },
        address={"section": "norm", "gain": "3"},
    ),
    Claim(
        "A4",
        _("The L2 norm of a matrix is its largest eigenvalue."),
        (
            Question(
                _("For a random W_h the two are equal."),
                _("‖W_h‖ - ρ(W_h) of random weights"),
                lambda of: measures.norm_less_radius(of["random"].start),
                Region(-1e-6, 1e-6),
                ALWAYS,
            ),
            Question(
                _("For an orthogonal W_h the two are equal."),
                _("‖W_h‖ - ρ(W_h) of orthogonal weights"),
                lambda of: measures.norm_less_radius(of["orthogonal"].start),
                Region(-1e-6, 1e-6),
                ALWAYS,
                BESIDE,
            ),
        ),
        _(
            "False: the norm is the largest singular value. The two agree only for matrices with "
            "perpendicular eigenvectors, which random ones do not have."
        ),
        _(
            "An eigenvalue tells what happens to a direction that the matrix does not turn, a singular "
            "value how far one multiplication can stretch. [[.5, 10], [0, .5]] has both eigenvalues at "
            ".5, but norm 10.02."
        ),
        "gradient_flow",
        (("singular_values", "random"), ("eigenvalues", "random")),
        drawn={"random": DRAWN_RNN, "orthogonal": dataclasses.replace(DRAWN_RNN, init="orthogonal")},
        address={"section": "norm"},
    ),
    Claim(
        "A5",
        _("The derivatives of sigmoid and tanh, at most 1/4 and 1, make the vanishing worse."),
        (
            Question(
                _("The steepest slopes are 1/4 and 1."),
                _("distance from 1/4 and 1"),
                lambda of: max(
                    abs(measures.steepest_slope("sigmoid") - 0.25), abs(measures.steepest_slope("tanh") - 1)
                ),
                NOTHING,
                PROVEN,
            ),
            Question(
                _("With a sigmoid far less gradient is left than without an activation function."),
                _("sigmoid / identity at ‖∂h_T/∂h_0‖, powers of ten"),
                lambda of: measures.hidden_reach(of["sigmoid"].start) - measures.hidden_reach(of["identity"].start),
                Region(high=-10),
            ),
            Question(
                _("With tanh, too, less is left than without an activation function."),
                _("tanh / identity at ‖∂h_T/∂h_0‖, powers of ten"),
                lambda of: measures.hidden_reach(of["tanh"].start) - measures.hidden_reach(of["identity"].start),
                Region(high=0),
            ),
        ),
        _(
            "True: the sigmoid costs sixty powers of ten more than W_h alone. Tanh costs little, because "
            "its slope is near 1 around 0; most of its vanishing comes from W_h."
        ),
        _(
            "The slope multiplies the gradient at every step. The sigmoid's is at most 1/4, so a hundred "
            "steps cost a factor of 4^-100, about 1e-60."
        ),
        "activations",
        (("reach", "tanh"), ("reach", "sigmoid")),
        drawn={name: dataclasses.replace(DRAWN_RNN, activation=name) for name in ("sigmoid", "tanh", "identity")},
    ),
    Claim(
        "A6",
        _("ReLU has slope 1 and still does not do well, because of W_h."),
        (
            Question(
                _("From random weights a ReLU network has not learned to add over 100 steps after 1,250 steps."),
                _("1 if it has solved the task by then, 0 if not"),
                lambda of: results.solved_within(of["ReLU"], _SOON),
                NO,
                yes_or_no=True,
            ),
            Question(
                _("The cause is W_h: with W_h = I, and not a single other weight changed, it has."),
                _("1 if it has solved the task by then, 0 if not"),
                lambda of: results.solved_within(of[_ALONE], _SOON),
                YES,
                yes_or_no=True,
            ),
            fails(_("From random weights it does not learn it in 3,000 steps either."), "ReLU", LIMITS),
            Question(
                _("With W_h = I it needs at most half the steps."),
                _("steps to solve, W_h = I / random, powers of ten"),
                lambda of: results.sooner(of[_ALONE], of["ReLU"]),
                Region(high=math.log10(0.5)),
                role=BESIDE,
            ),
        ),
        _(
            "True for the first steps: W_h is the cause. A random one only delays ReLU: later, only 8 of 20 seeds "
            "still fail."
        ),
        _(
            "About half of the units are off at any step, and a random W_h shrinks what the others pass "
            "on. The identity shrinks nothing, so the gradient returns unchanged through all units that "
            "stay on."
        ),
        "activations",
        (("loss", ALL), ("gradient_through_time", ALL)),
        racers={"ReLU": _RELU, _ALONE: dataclasses.replace(_RELU, init="identity_alone")},
        address={"steps": "3000"},
    ),
    Claim(
        "A19",
        _("Tanh improves on the sigmoid, but in an RNN the gradient still vanishes."),
        (
            Question(
                _("With tanh at least ten powers of ten more of the gradient are left than with the sigmoid."),
                _("tanh / sigmoid at ‖∂h_T/∂h_0‖, powers of ten"),
                lambda of: measures.hidden_reach(of["tanh"].start) - measures.hidden_reach(of["sigmoid"].start),
                Region(low=10),
            ),
            Question(
                _("Still, less than a thousandth of it is left after 100 steps."),
                _("‖∂h_T/∂h_0‖ with tanh, powers of ten"),
                lambda of: measures.hidden_reach(of["tanh"].start),
                Region(high=-3),
            ),
        ),
        _("True: tanh keeps far more than the sigmoid, and still nearly nothing."),
        _("The slope of tanh is at most 1, four times the sigmoid's, but every step also multiplies by W_h."),
        "activations",
        (("reach", "tanh"), ("reach", "sigmoid")),
        drawn={name: dataclasses.replace(DRAWN_RNN, activation=name) for name in ("sigmoid", "tanh")},
    ),
)
