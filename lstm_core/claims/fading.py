"""A1 to A6: does an RNN forget, and what is to blame: W_h, or the activation function?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, DRAWN_RNN, FEW, MOST, NOTHING, Claim, Question, solved
from lstm_core.claims.evidence import Region
from lstm_core.experiment import Experiment
from lstm_core.openings.presets import OPENINGS

_ADDING = Experiment(cell="rnn", steps=1000)

FADING = (
    Claim(
        "A1",
        "An RNN forgets inputs that lie far back.",
        (
            solved(
                "Over 10 steps a vanilla RNN learns to add two numbers.",
                "share of seeds that solve T = 10",
                "T = 10",
                MOST,
            ),
            solved(
                "Over 100 steps it does not.",
                "share of seeds that solve T = 100",
                "T = 100",
                FEW,
            ),
            Question(
                "Then its gradient does not reach the beginning: less than a thousandth of it is left.",
                "‖∂h_T/∂h_0‖ after training at T = 100, decades",
                lambda of: measures.hidden_reach(of["T = 100"].after),
                Region(high=-3),
            ),
        ),
        "Right: what lies 10 steps back it learns to use, what lies 100 steps back it does not.",
        "Each step back multiplies the gradient by one more Jacobian. Without a gradient the weights never hear of "
        "what stood at the beginning.",
        "dashboard",
        (("loss", ALL), ("gradient_through_time", ALL)),
        racers={f"T = {length}": dataclasses.replace(_ADDING, length=length) for length in (10, 100)},
        address={"length": "10", "steps": "1000"},
    ),
    Claim(
        "A2",
        "The gradient over many steps is a product of Jacobians diag(φ') W_h, and a power of the norm of W_h bounds "
        "it.",
        (
            Question(
                "No measured norm exceeds the bound, for tanh, ReLU and sigmoid, at any time step.",
                "largest ‖∂h_T/∂h_t‖ / bound",
                lambda of: max(measures.over_bound(of[name].start) for name in ("tanh", "ReLU", "sigmoid")),
                Region(high=1.0001),
            ),
            Question(
                "The bound says how large the gradient is: it is within a factor of a thousand of it.",
                "bound / ‖∂h_T/∂h_0‖ of tanh, decades",
                lambda of: measures.below_bound(of["tanh"].start),
                Region(high=3),
                decides=False,
            ),
        ),
        "Right as a bound, and of little use as an estimate: at T = 100 it lies more than twenty decades too high.",
        "A bound takes the worst direction at every single step. The direction that one step stretches most is turned "
        "elsewhere by the next, and most slopes are below their maximum.",
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
        "If the norm of W_h is above 1 the gradient explodes, if it is below 1 it vanishes.",
        (
            Question(
                "At a norm of 0.9 less than a thousandth is left after 100 steps of a tanh network.",
                "‖∂h_T/∂h_0‖ at a norm of 0.9, decades",
                lambda of: measures.hidden_reach(of["norm 0.9"].start),
                Region(high=-3),
            ),
            Question(
                "At torch's own first weights, whose norm is about 1.13, it grows.",
                "‖∂h_T/∂h_0‖ at a norm of 1.13, decades",
                lambda of: measures.hidden_reach(of["norm 1.13"].start),
                Region(low=0),
            ),
            Question(
                "At three times these weights, a norm of about 3.4 and a spectral radius near 2, it does grow.",
                "‖∂h_T/∂h_0‖ at a norm of 3.4, decades",
                lambda of: measures.hidden_reach(of["norm 3.4"].start),
                Region(low=0),
                decides=False,
            ),
        ),
        "Half right: a norm below 1 is enough for vanishing, but a norm above 1 is only needed for an explosion and "
        "far from enough.",
        "A norm above 1 says that one direction is stretched in one step. To explode, it would have to be stretched "
        "again and again; in the long run powers follow the spectral radius, and tanh shrinks what is large.",
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
        "The L2 norm of a matrix is its largest eigenvalue.",
        (
            Question(
                "For a random W_h both are the same.",
                "‖W_h‖ - ρ(W_h) of random weights",
                lambda of: measures.norm_less_radius(of["random"].start),
                Region(-1e-6, 1e-6),
            ),
            Question(
                "For an orthogonal W_h, which is normal, both are the same.",
                "‖W_h‖ - ρ(W_h) of orthogonal weights",
                lambda of: measures.norm_less_radius(of["orthogonal"].start),
                Region(-1e-6, 1e-6),
                decides=False,
            ),
        ),
        "Not so: the norm is the largest singular value. Both agree for normal matrices only, and random ones are not.",
        "An eigenvalue says what becomes of a direction that keeps itself, a singular value what one multiplication "
        "can stretch at most. [[.5, 10], [0, .5]] has both eigenvalues at .5 and a norm of 10.02.",
        "gradient_flow",
        (("singular_values", "random"), ("eigenvalues", "random")),
        drawn={"random": DRAWN_RNN, "orthogonal": dataclasses.replace(DRAWN_RNN, init="orthogonal")},
        address={"section": "norm"},
    ),
    Claim(
        "A5",
        "The derivatives of sigmoid and tanh, at most 1/4 and 1, make the vanishing worse.",
        (
            Question(
                "The steepest slopes are 1/4 and 1.",
                "distance from 1/4 and 1",
                lambda of: max(
                    abs(measures.steepest_slope("sigmoid") - 0.25), abs(measures.steepest_slope("tanh") - 1)
                ),
                NOTHING,
            ),
            Question(
                "With a sigmoid far less is left than without any activation, from the same weights.",
                "sigmoid / identity at ‖∂h_T/∂h_0‖, decades",
                lambda of: measures.hidden_reach(of["sigmoid"].start) - measures.hidden_reach(of["identity"].start),
                Region(high=-10),
            ),
            Question(
                "With tanh less is left than without any activation, too.",
                "tanh / identity at ‖∂h_T/∂h_0‖, decades",
                lambda of: measures.hidden_reach(of["tanh"].start) - measures.hidden_reach(of["identity"].start),
                Region(high=0),
            ),
        ),
        "Right: the sigmoid takes sixty decades more than W_h takes by itself. Tanh, near 0, takes hardly any: most of "
        "its vanishing is the matrix's.",
        "A slope multiplies the gradient at every step. A sigmoid's is at most 1/4, so a hundred steps cost at least "
        "4^-100 = 1e-60; the slope of tanh is near 1 as long as its units are near 0.",
        "activations",
        (("reach", "tanh"), ("reach", "sigmoid")),
        drawn={name: dataclasses.replace(DRAWN_RNN, activation=name) for name in ("sigmoid", "tanh", "identity")},
    ),
    Claim(
        "A6",
        "ReLU has slope 1 and still does not do well, because of W_h.",
        (
            solved(
                "From random weights a ReLU network does not learn to add over 100 steps.",
                "share of seeds that solve it",
                "ReLU",
                FEW,
            ),
            solved(
                "The reason is W_h: the same network learns it from W_h = I.",
                "share of seeds that solve it from W_h = I",
                "ReLU, W_h = I",
                MOST,
            ),
        ),
        "Right, and the reason is the remedy: with W_h = I, and nothing else changed, ReLU does well.",
        "Half of the units are shut at any step, and a random W_h shrinks what passes the others. The identity shrinks "
        "nothing, so that the gradient comes back unchanged through all units that stay open.",
        "activations",
        (("loss", ALL), ("gradient_through_time", ALL)),
        racers=OPENINGS["activations"].experiments(),
    ),
)
