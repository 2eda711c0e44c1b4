"""A7 to A12, A20, A21: does an additive cell state keep the gradient, and what do the gates do to it?"""

import dataclasses
from collections.abc import Callable

from lstm_core.claims import measures, results
from lstm_core.claims.claim import ALL, DRAWN_LSTM, NOTHING, Claim, Question, fails, solves
from lstm_core.claims.evidence import ALWAYS, BESIDE, DECIDES, LIMITS, Region
from lstm_core.claims.results import SeedResults
from lstm_core.experiment import CHRONO
from lstm_core.language import _
from lstm_core.openings.presets import FAMILY_RACERS, OPENINGS, variants

_GATES = dataclasses.replace(OPENINGS["gates"].base, steps=1500)
_FLOW = OPENINGS["gradient_flow"].base
_BIASES = {
    **{f"b = {bias}": dataclasses.replace(DRAWN_LSTM, forget_bias=float(bias)) for bias in (0, 1)},
    "chrono": dataclasses.replace(DRAWN_LSTM, forget_bias=CHRONO),
}


def _a_thousandth(sentence: str, quantity: str, reach: Callable[[SeedResults], float], role: str = DECIDES) -> Question:
    """That so much at least is left, by a power of ten."""
    return Question(sentence, quantity, reach, Region(low=-3), role=role)


HIGHWAY = (
    Claim(
        "A7",
        _("An additive cell state, c = c + g, keeps a 1 in the gradient."),
        (
            Question(
                _("Without any gate the direct path through the cell is 1, at every time step."),
                _("largest distance from 1"),
                lambda of: measures.direct_error(of["no gates"].start),
                NOTHING,
                ALWAYS,
            ),
            Question(
                _("Far more of the gradient reaches the beginning than in a vanilla RNN."),
                _("‖∂c_T/∂c_0‖ / ‖∂h_T/∂h_0‖ of the RNN, powers of ten"),
                lambda of: measures.cell_reach(of["no gates"].start) - measures.hidden_reach(of["vanilla RNN"].start),
                Region(low=10),
            ),
            Question(
                _("That 1 is the whole gradient: no other path contributes."),
                _("‖∂c_T/∂c_0‖ less the direct path, powers of ten"),
                lambda of: measures.beside_direct(of["no gates"].start),
                Region(high=-1),
                role=LIMITS,
            ),
        ),
        _("True for the direct path, which is exactly 1. The whole gradient has more paths and can even grow."),
        _("c' = c + g has derivative 1 with respect to c. But g depends on h, and h on c: those paths are added."),
        "gradient_flow",
        (("highway", ALL),),
        drawn={
            "vanilla RNN": dataclasses.replace(DRAWN_LSTM, cell="rnn"),
            "no gates": dataclasses.replace(DRAWN_LSTM, gates=""),
        },
        address={"section": "highway", "gates": ""},
    ),
    Claim(
        "A8",
        _("Adding at every step can explode, so input and forget gates balance it."),
        (
            Question(
                _(
                    "Without gates the state grows with the sequence: at 200 steps it is at least 1.5 times as "
                    "large as at 100."
                ),
                "max |c|, T = 200 / T = 100",
                lambda of: (
                    measures.largest_state(of["no gates, T = 200"].start)
                    / measures.largest_state(of["no gates, T = 100"].start)
                ),
                Region(low=1.5),
            ),
            Question(
                _("Without gates the gradient of the cell grows on its way back."),
                _("‖∂c_T/∂c_0‖ without gates, powers of ten"),
                lambda of: measures.cell_reach(of["no gates, T = 100"].start),
                Region(low=0),
            ),
            Question(
                _("With input and forget gates the state stays below a fifth of that."),
                _("max |c|, i and f / no gates"),
                lambda of: (
                    measures.largest_state(of["i and f, T = 100"].start)
                    / measures.largest_state(of["no gates, T = 100"].start)
                ),
                Region(high=0.2),
            ),
            fails(_("Without gates adding is not learned."), "no gates", BESIDE),
            solves(_("With input and forget gates it is."), "i and f", BESIDE),
        ),
        _(
            "True: without gates the state grows with the sequence, and nothing is learned. The two "
            "gates keep it bounded."
        ),
        _(
            "Each step can add 1 and nothing is removed. A forget gate below 1 removes a part at every "
            "step, and an input gate lets less in."
        ),
        "gates",
        (("loss", ALL), ("largest_state", ALL)),
        racers={
            "no gates": dataclasses.replace(_GATES, gates=""),
            "i and f": dataclasses.replace(_GATES, gates="if"),
        },
        drawn={
            **{f"no gates, T = {n}": dataclasses.replace(DRAWN_LSTM, gates="", length=n) for n in (100, 200)},
            "i and f, T = 100": dataclasses.replace(DRAWN_LSTM, gates="if"),
        },
    ),
    Claim(
        "A9",
        _("An output gate can be added as well."),
        (
            Question(
                _("Fully open, it changes no hidden state."),
                _("largest difference from a cell without one"),
                lambda of: measures.output_gate_error(of["all gates, drawn"].start),
                NOTHING,
                ALWAYS,
            ),
            solves(_("With it, adding over 60 steps is learned."), "all gates"),
            Question(
                _("It helps: with it adding is learned in fewer steps than without."),
                _("steps to solve, with / without, powers of ten"),
                lambda of: results.sooner(of["all gates"], of["i and f"]),
                Region(high=-0.001),
                role=BESIDE,
            ),
        ),
        _(
            "True: a cell without an output gate is a cell whose output gate is always open. Jozefowicz and others "
            "(2015) found it the least important gate."
        ),
        _("h = o ψ(c): the gate decides how much of the cell is shown. It is not on the cell's direct path."),
        "gates",
        (("loss", ALL), ("gate_activation", ALL)),
        racers={"all gates": _GATES, "i and f": dataclasses.replace(_GATES, gates="if")},
        drawn={"all gates, drawn": DRAWN_LSTM},
    ),
    Claim(
        "A10",
        _("Gates act by the Hadamard product, element by element."),
        (
            Question(
                _("Within a step, a unit's gate affects no other unit's cell."),
                _("slope in other units / in the own one"),
                lambda of: measures.gate_spill(of["LSTM"].start),
                NOTHING,
                ALWAYS,
            ),
            Question(
                _("The cell state of torch's own LSTM is f * c + i * g, element by element."),
                _("largest difference"),
                lambda of: measures.hadamard_error(of["LSTM"].start),
                NOTHING,
                ALWAYS,
            ),
        ),
        _("True: every unit has its own gates."),
        _(
            "diag(f) c equals f * c: a matrix with nothing off its diagonal. That is why the cell's "
            "direct path contains no W_h. Units mix only over two or more steps, through h."
        ),
        "gates",
        (("memory_ruler", ALL),),
        drawn={"LSTM": DRAWN_LSTM},
    ),
    Claim(
        "A11",
        _(
            "Without a forget gate the cell state runs to the beginning unchanged: a gradient super "
            "highway, as in ResNet."
        ),
        (
            Question(
                _("The direct path from the last cell state to the first is exactly 1."),
                _("largest distance from 1"),
                lambda of: measures.direct_error(of["no forget gate"].start),
                NOTHING,
                ALWAYS,
            ),
            Question(
                _("The gradient does not shrink on its way to step 1."),
                _("‖∂c_T/∂c_0‖, powers of ten"),
                lambda of: measures.cell_reach(of["no forget gate"].start),
                Region(low=0),
            ),
            Question(
                _("The same holds for a residual chain h' = h + φ(...) with the weights of an RNN."),
                _("‖∂h_T/∂h_0‖ of the residual chain, powers of ten"),
                lambda of: measures.residual_reach(of["vanilla RNN"].start),
                Region(low=0),
            ),
            Question(
                _("The highway is the whole gradient: no other path contributes."),
                _("‖∂c_T/∂c_0‖ less the direct path, powers of ten"),
                lambda of: measures.beside_direct(of["no forget gate"].start),
                Region(high=-1),
                role=LIMITS,
            ),
        ),
        _(
            "True for the path straight through the cell. It is not the whole gradient: gates and hidden "
            "state add other paths, here far larger than 1."
        ),
        _(
            "c' = c + i g has derivative 1 with respect to c, and so has a product of a hundred such "
            "steps. But i and g depend on h, and h depends on c: what passes through them does change."
        ),
        "gradient_flow",
        (("highway", ALL),),
        drawn={
            "vanilla RNN": dataclasses.replace(DRAWN_LSTM, cell="rnn"),
            "no forget gate": dataclasses.replace(DRAWN_LSTM, gates="io"),
        },
        address={"section": "highway", "gates": "io"},
    ),
    Claim(
        "A12",
        _("An RNN transforms its state at every step, an LSTM adds to it."),
        (
            Question(
                _("One step of an LSTM hardly mixes the parts of its cell state: its Jacobian is nearly a diagonal."),
                _("tr J / (√H ‖J‖), LSTM; 1 for a multiple of I"),
                lambda of: measures.likeness_to_identity(of["LSTM"].start),
                Region(low=0.9),
            ),
            Question(
                _("One step of an RNN mixes its hidden state as a random matrix does."),
                _("tr J / (√H ‖J‖), RNN; about 0 for a random matrix"),
                lambda of: measures.likeness_to_identity(of["vanilla RNN"].start),
                Region(-0.3, 0.3),
            ),
            Question(
                _("After training the LSTM still does so, more than the RNN."),
                _("the same after training, LSTM less RNN"),
                lambda of: (
                    measures.likeness_to_identity(of["LSTM"].after)
                    - measures.likeness_to_identity(of["vanilla RNN"].after)
                ),
                Region(low=0.1),
            ),
            Question(
                _("It also keeps what it does not mix: at a forget bias of -2 a step changes less than in an RNN."),
                _("change per step at b = -2, LSTM / RNN, powers of ten"),
                lambda of: measures.floored_log10(
                    measures.change_per_step(of["LSTM, b = -2"].start)
                    / measures.change_per_step(of["vanilla RNN"].start)
                ),
                Region(high=-0.3),
                role=LIMITS,
            ),
        ),
        _("True of how a step mixes. How much of the old state it keeps is the forget gate's decision."),
        _(
            "c' = f c + i g takes the share f of each number by itself. An RNN sends all of them through a matrix and "
            "a function: h' = φ(W_h h + ...)."
        ),
        "gradient_flow",
        (("states", ALL), ("state_change", ALL)),
        racers=variants(_FLOW, {name: FAMILY_RACERS[name] for name in ("vanilla RNN", "LSTM")}),
        drawn={"LSTM, b = -2": dataclasses.replace(_FLOW, forget_bias=-2.0)},
        address={"section": "states"},
    ),
    Claim(
        "A20",
        _("The cell state passes no weight matrix, and therefore it remembers."),
        (
            Question(
                _("The direct path through the cell passes no weight matrix: gates act on each unit alone."),
                _("slope in other units / in the own one"),
                lambda of: measures.gate_spill(of["b = 0"].start),
                NOTHING,
                ALWAYS,
            ),
            _a_thousandth(
                _("Therefore it remembers: at a forget bias of 0 a thousandth is still there after 100 steps."),
                _("direct path over 100 steps at b = 0, powers of ten"),
                lambda of: measures.direct_reach(of["b = 0"].start),
            ),
            _a_thousandth(
                _("With first forget biases that fit the length (chrono) it does."),
                _("direct path over 100 steps with chrono, powers of ten"),
                lambda of: measures.direct_reach(of["chrono"].start),
                BESIDE,
            ),
        ),
        _("False: no matrix is needed to forget. A forget gate that is half open erases all within 100 steps."),
        _("The direct path is the product of the forget gates. At b = 0 each is near 1/2, and 2^-100 is 1e-30."),
        "gradient_flow",
        (("highway", ALL),),
        drawn=_BIASES,
        address={"section": "highway", "forget_bias": "0"},
    ),
    Claim(
        "A21",
        _("In conclusion, in an LSTM the gradient does not vanish."),
        (
            _a_thousandth(
                _("At the usual forget bias of 1, a thousandth of it is left after 100 steps."),
                _("‖∂c_T/∂c_0‖ at b = 1, powers of ten"),
                lambda of: measures.cell_reach(of["b = 1"].start),
            ),
            _a_thousandth(
                _("It is so after training."),
                _("‖∂c_T/∂c_0‖ at b = 1 after training, powers of ten"),
                lambda of: measures.cell_reach(of["trained, b = 1"].after),
                BESIDE,
            ),
            _a_thousandth(
                _("It is so at a forget bias of 0."),
                _("‖∂c_T/∂c_0‖ at b = 0, powers of ten"),
                lambda of: measures.cell_reach(of["b = 0"].start),
                BESIDE,
            ),
            _a_thousandth(
                _("It is so with first forget biases that fit the length (chrono)."),
                _("‖∂c_T/∂c_0‖ with chrono, powers of ten"),
                lambda of: measures.cell_reach(of["chrono"].start),
                BESIDE,
            ),
            Question(
                _("It keeps far more than a vanilla RNN, at least ten powers of ten."),
                _("‖∂c_T/∂c_0‖ at b = 1 / ‖∂h_T/∂h_0‖ of the RNN, powers of ten"),
                lambda of: measures.cell_reach(of["b = 1"].start) - measures.hidden_reach(of["vanilla RNN"].start),
                Region(low=10),
                role=BESIDE,
            ),
        ),
        _("False at the usual forget biases: it vanishes more slowly than in an RNN, but it does vanish."),
        _("At b = 1 a forget gate is about 0.73, and 0.73^100 is 1e-14. Other paths add to it, but not enough."),
        "gradient_flow",
        (("highway", ALL),),
        racers={"trained, b = 1": dataclasses.replace(_FLOW, forget_bias=1.0)},
        drawn={"vanilla RNN": dataclasses.replace(DRAWN_LSTM, cell="rnn"), **_BIASES},
        address={"section": "highway"},
    ),
)
