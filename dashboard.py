"""The race: a vanilla RNN against an LSTM, live."""

from lstm_core.ui.page import begin

begin("dashboard")

from lstm_core.language import _
from lstm_core.openings.presets import ARTICLE_RACERS, OPENINGS
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

page = stage(
    "dashboard", _("Both train on the same data, right now. **Drag the length**: which one still remembers the start?")
)
opening = OPENINGS["dashboard"]
with page.control:
    length = controls.draw("length", opening.base)
with page.further:
    chosen = controls.several(
        _("Racers"), controls.same(ARTICLE_RACERS), list(opening.racers), "racers", controls.FAMILY_WORDS
    )

racers = page.racers(length=length, racers=chosen)
live(
    page,
    racers,
    charts=("loss", "gradient_through_time", "gradient_by_step", "largest_state"),
    below=texts(
        racers,
        racers == opening.experiments(),
        _(
            "The RNN's loss stays on the dashed line: it always guesses the average. The LSTM's loss "
            "leaves that line, passes the dotted one (one of the two numbers remembered), and the LSTM "
            "solves the task. The gradient chart shows why: the RNN's gradient fades long before it "
            "reaches the first inputs."
        ),
        _(
            "Each step back in time multiplies the RNN's gradient by a matrix. After a hundred steps "
            "almost nothing is left, so early inputs have no influence on learning. The LSTM *adds* to "
            "its cell state instead of rewriting it. While the forget gate is open, the gradient passes "
            "almost unchanged. Here the gates start open (*chrono*, in the settings)."
        ),
        _(
            "*An RNN forgets inputs that lie far back; an additive cell state is the remedy.* It holds "
            "in this race, which we checked with five seeds. But it depends on the settings. Shorten the "
            "sequence to 15 steps, and the RNN learns too. Start with a forget bias of 1, and the LSTM "
            "needs longer or fails."
        ),
    ),
)
