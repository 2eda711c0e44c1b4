"""A7 to A12: does an additive cell state keep the gradient, and what do the gates do to it?"""

import dataclasses

from lstm_core.claims import measures
from lstm_core.claims.claim import ALL, DRAWN_LSTM, FEW, MOST, NOTHING, Claim, Question, solved
from lstm_core.claims.evidence import Region
from lstm_core.openings.presets import FAMILY_RACERS, OPENINGS, variants

_GATES = dataclasses.replace(OPENINGS["gates"].base, steps=1500)
_FLOW = OPENINGS["gradient_flow"].base

HIGHWAY = (
    Claim(
        "A7",
        "An additive cell state, c = c + g, keeps a 1 in the gradient.",
        (
            Question(
                "Without any gate the direct path through the cell is 1, at every time step.",
                "largest distance from 1",
                lambda of: measures.direct_error(of["no gates"].start),
                NOTHING,
            ),
            Question(
                "Far more of the gradient reaches the beginning than in a vanilla RNN.",
                "‖∂c_T/∂c_0‖ / ‖∂h_T/∂h_0‖ of the RNN, decades",
                lambda of: measures.cell_reach(of["no gates"].start) - measures.hidden_reach(of["vanilla RNN"].start),
                Region(low=10),
            ),
            Question(
                "That 1 is all there is: nothing comes beside it.",
                "‖∂c_T/∂c_0‖ less the direct path, decades",
                lambda of: measures.beside_direct(of["no gates"].start),
                Region(high=-1),
                decides=False,
            ),
        ),
        "Right for the direct path, which is exactly 1. The whole gradient has more in it, and that can even grow.",
        "c' = c + g has the derivative 1 in c itself. But g is computed from h, and h from c: those paths come on top.",
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
        "Adding at every step can explode, so input and forget gates balance it.",
        (
            Question(
                "Without gates the state grows with the sequence: 200 steps make it at least half as large again as "
                "100.",
                "max |c|, T = 200 / T = 100",
                lambda of: (
                    measures.largest_state(of["no gates, T = 200"].start)
                    / measures.largest_state(of["no gates, T = 100"].start)
                ),
                Region(low=1.5),
            ),
            Question(
                "Without gates the gradient of the cell grows on its way back.",
                "‖∂c_T/∂c_0‖ without gates, decades",
                lambda of: measures.cell_reach(of["no gates, T = 100"].start),
                Region(low=0),
            ),
            Question(
                "With input and forget gates the state stays below a fifth of that.",
                "max |c|, i and f / no gates",
                lambda of: (
                    measures.largest_state(of["i and f, T = 100"].start)
                    / measures.largest_state(of["no gates, T = 100"].start)
                ),
                Region(high=0.2),
            ),
            solved(
                "Without gates adding is not learned.",
                "share of seeds that solve it without gates",
                "no gates",
                FEW,
                decides=False,
            ),
            solved(
                "With input and forget gates it is.",
                "share of seeds that solve it with i and f",
                "i and f",
                MOST,
                decides=False,
            ),
        ),
        "Right: without gates the state grows as long as the sequence does and nothing is learned; the two gates hold "
        "it in bounds.",
        "Up to 1 is added at every step and nothing is ever taken away. A forget gate below 1 lets go of a part at "
        "every step, and an input gate lets less in.",
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
        "An output gate can be added as well.",
        (
            Question(
                "It takes nothing away: wide open, it changes no hidden state.",
                "largest difference from a cell without one",
                lambda of: measures.output_gate_error(of["all gates, drawn"].start),
                NOTHING,
            ),
            solved(
                "With it, adding over 60 steps is learned.",
                "share of seeds that solve it",
                "all gates",
                MOST,
            ),
            Question(
                "It helps: with it the loss is lower than without.",
                "loss with / without, decades",
                lambda of: measures.lower_loss(of["all gates"], of["i and f"]),
                Region(high=0),
                decides=False,
            ),
        ),
        "Right, it can: a cell without an output gate is one whose gate is always open. Whether it helps is another "
        "question, and Greff and others found it the least important of the three.",
        "h = o ψ(c): the gate decides what of the cell is shown, and stands on no direct path of the cell.",
        "gates",
        (("loss", ALL), ("gate_activation", ALL)),
        racers={"all gates": _GATES, "i and f": dataclasses.replace(_GATES, gates="if")},
        drawn={"all gates, drawn": DRAWN_LSTM},
    ),
    Claim(
        "A10",
        "Gates act by the Hadamard product, element by element.",
        (
            Question(
                "A gate of one unit touches no other unit's cell within a step.",
                "slope in other units / in the own one",
                lambda of: measures.gate_spill(of["LSTM"].start),
                NOTHING,
            ),
            Question(
                "The cell state of torch's own LSTM is f * c + i * g, element by element.",
                "largest difference",
                lambda of: measures.hadamard_error(of["LSTM"].start),
                NOTHING,
            ),
        ),
        "Right: every unit has gates of its own.",
        "diag(f) c is f * c: a matrix with nothing off its diagonal. That is why the direct path of a cell has no W_h "
        "in it; only over two steps and more do units meet, through h.",
        "gates",
        (("memory_ruler", ALL),),
        drawn={"LSTM": DRAWN_LSTM},
    ),
    Claim(
        "A11",
        "Without a forget gate the cell state runs to the beginning unchanged: a gradient super highway, as in ResNet.",
        (
            Question(
                "The direct path from the last cell state to the first is exactly 1.",
                "largest distance from 1",
                lambda of: measures.direct_error(of["no forget gate"].start),
                NOTHING,
            ),
            Question(
                "What reaches the beginning is no less than what set out.",
                "‖∂c_T/∂c_0‖, decades",
                lambda of: measures.cell_reach(of["no forget gate"].start),
                Region(low=0),
            ),
            Question(
                "So it is in a residual chain h' = h + φ(...) with the weights of an RNN.",
                "‖∂h_T/∂h_0‖ of the residual chain, decades",
                lambda of: measures.residual_reach(of["vanilla RNN"].start),
                Region(low=0),
            ),
            Question(
                "The highway is all there is: the whole Jacobian is that 1.",
                "‖∂c_T/∂c_0‖ less the direct path, decades",
                lambda of: measures.beside_direct(of["no forget gate"].start),
                Region(high=-1),
                decides=False,
            ),
        ),
        "Right for the path that goes straight through the cell. It is not the whole gradient: gates and hidden state "
        "add paths of their own, here far larger than 1.",
        "c' = c + i g has the derivative 1 in c, and so has a product of a hundred such steps. i and g depend on h, "
        "which depends on c: what comes through them is not unchanged at all.",
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
        "An RNN transforms its state at every step, an LSTM adds to it.",
        (
            Question(
                "A step changes less of the LSTM's cell than of the RNN's state, as they are drawn.",
                "change per step, LSTM / RNN, decades",
                lambda of: measures.floored_log10(
                    measures.change_per_step(of["LSTM"].start) / measures.change_per_step(of["vanilla RNN"].start)
                ),
                Region(high=0),
            ),
            Question(
                "And after training.",
                "change per step after training, decades",
                lambda of: measures.floored_log10(
                    measures.change_per_step(of["LSTM"].after) / measures.change_per_step(of["vanilla RNN"].after)
                ),
                Region(high=0),
            ),
            Question(
                "It is so by nature: with a forget bias of -2, too, a step changes less than half as much as in an "
                "RNN.",
                "change per step at b = -2, decades",
                lambda of: measures.floored_log10(
                    measures.change_per_step(of["LSTM, b = -2"].start)
                    / measures.change_per_step(of["vanilla RNN"].start)
                ),
                Region(high=-0.3),
                decides=False,
            ),
        ),
        "Right for an LSTM whose forget gate is open. With a gate that starts shut it rewrites its state as an RNN "
        "does.",
        "c' = f c + i g keeps f of what was there. An RNN keeps nothing as it is: h' = φ(W_h h + ...) passes "
        "everything through a matrix and a function.",
        "gradient_flow",
        (("states", ALL), ("state_change", ALL)),
        racers=variants(_FLOW, {name: FAMILY_RACERS[name] for name in ("vanilla RNN", "LSTM")}),
        drawn={"LSTM, b = -2": dataclasses.replace(_FLOW, forget_bias=-2.0)},
        address={"section": "states"},
    ),
)
