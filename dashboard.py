"""The race: a vanilla RNN against an LSTM, live."""

from lstm_core.openings.presets import FAMILY_RACERS, OPENINGS, variants
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

page = stage("dashboard", "Both train on the same data. **Drag the length**: which one still remembers the start?")
opening = OPENINGS["dashboard"]
with page.control:
    length = controls.draw("length", opening.base)
with page.further:
    chosen = controls.several(
        "Racers", controls.same(FAMILY_RACERS), list(opening.racers), "racers", controls.FAMILY_WORDS
    )
base = page.experiment(opening.base, length=length)

racers = variants(base, {label: FAMILY_RACERS[label] for label in chosen})
live(
    page,
    racers,
    charts=("loss", "gradient_through_time", "gradient_by_step", "largest_state"),
    below=texts(
        racers,
        racers == opening.experiments(),
        "The loss of the RNN stays on the upper dashed line: it answers with the average, whatever it has read. The "
        "LSTM leaves that line, passes the lower one, and solves the task. In the chart beside it the RNN's gradient "
        "has died long before it reaches the first inputs.",
        "Going back one step multiplies the gradient of the RNN by a matrix. A hundred such products leave almost "
        "nothing, so early inputs have no influence on learning. The LSTM adds to its cell state instead of "
        "rewriting it: while a forget gate is open, the gradient of its cell passes almost unchanged on the direct "
        "path. Here the gates start open for times up to the length of the task (*chrono*, among the settings).",
        "*An RNN forgets what lies far back, and an additive cell state is the remedy.* It holds here: the claim of "
        "this page was checked for five seeds. It is not a law: make the sequence 15 steps short, and the RNN comes "
        "down from its line too; start with a forget bias of 1 (among the settings), and the LSTM needs longer or "
        "fails.",
    ),
)
