"""
Which charts are there, what is seen in them, why is it so, and who found it? The same on a page and in a notebook.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import altair as alt
import pyarrow as pa

from lstm_core.charts import depth, flow, outlook, tables
from lstm_core.charts.marks import BY_STEP, Picture, ablations, lines, plane, ruler, states
from lstm_core.charts.points import Curve

BY_TIME = "time step t of the sequence"
BY_PLACE = "place in the series"


@dataclass(frozen=True)
class Paper:
    """One row of `PAPERS`: who and when, and where to read it."""

    label: str
    address: str


PAPERS = {
    "bengio": Paper("Bengio, Simard, Frasconi 1994", "https://doi.org/10.1109/72.279181"),
    "hochreiter": Paper("Hochreiter, Schmidhuber 1997", "https://doi.org/10.1162/neco.1997.9.8.1735"),
    "gers": Paper("Gers, Schmidhuber, Cummins 2000", "https://doi.org/10.1162/089976600300015015"),
    "pascanu": Paper("Pascanu, Mikolov, Bengio 2013", "https://proceedings.mlr.press/v28/pascanu13.html"),
    "le": Paper("Le, Jaitly, Hinton 2015", "https://arxiv.org/abs/1504.00941"),
    "greff": Paper("Greff and others 2017", "https://arxiv.org/abs/1503.04069"),
    "tallec": Paper("Tallec, Ollivier 2018", "https://arxiv.org/abs/1804.11188"),
    "he": Paper("He and others 2016", "https://arxiv.org/abs/1512.03385"),
    "huang": Paper("Huang and others 2017", "https://arxiv.org/abs/1608.06993"),
    "zhang": Paper("Zhang and others 2016", "https://arxiv.org/abs/1602.08210"),
    "hyndman": Paper("Hyndman, Koehler 2006", "https://doi.org/10.1016/j.ijforecast.2006.03.001"),
    "mackey": Paper("Mackey, Glass 1977", "https://doi.org/10.1126/science.267326"),
    "makridakis": Paper("Makridakis and others 2018", "https://doi.org/10.1371/journal.pone.0194889"),
    "vogt": Paper("Vogt and others 2022", "https://arxiv.org/abs/2006.14123"),
}


@dataclass(frozen=True)
class Chart:
    """
    One row of `CHARTS`: a title, the table it draws, what to see in it and why, the row of `PAPERS` it comes from;
    `description` for those who cannot see. With `of_one_step`, it shows the training as it was at a step that the
    visitor goes back to. `stretched` to the width of its column, or as wide as its picture says.
    """

    title: str
    table: Callable[[Sequence[Curve]], pa.Table]
    picture: Picture
    reading: str
    why: str
    paper: str
    description: str
    of_one_step: bool = False
    stretched: bool = True

    @property
    def caption(self) -> str:
        """What to look for, why, and the paper, in Markdown."""
        paper = PAPERS[self.paper]
        return f"{self.reading} *Why:* {self.why} [{paper.label}]({paper.address})"

    def of(self, curves: Sequence[Curve]) -> alt.LayerChart | alt.Chart:
        """The chart of these curves, to show in a notebook or to save."""
        return self.picture().properties(data=self.table(curves), title=self.title)


CHARTS = {
    "loss": Chart(
        "Loss",
        tables.loss_by_step,
        lines(BY_STEP, "loss, mean of 20 steps", zero=True),
        "A curve on the upper dashed line has learned nothing but the average answer. ●: solved, ▲: above this chart.",
        "whoever cannot carry what it read to the end can do no better.",
        "bengio",
        "Line chart of the training loss of every racer by training step, with the constant predictor's loss dashed.",
    ),
    "gradient_through_time": Chart(
        "Gradient through time",
        tables.gradient_through_time,
        lines("time step of the sequence", "gradient norm", log=True, parts="gradient of"),
        "How much of the gradient reaches each time step: from nothing, nothing is learned. ▼: 0 to the computer.",
        "each step back multiplies by a Jacobian; a hundred of them leave next to nothing, or far too much.",
        "bengio",
        "Line chart on a log axis: norm of the gradient with respect to hidden and cell state at every time step.",
        of_one_step=True,
    ),
    "gradient_by_step": Chart(
        "Gradient by training step",
        tables.grad_norm_by_step,
        lines(BY_STEP, "gradient norm", log=True),
        "Peaks are explosions; whatever rises above the dashed line is shortened to it, in the same direction.",
        "now and then the product of Jacobians is large, and one step would throw the weights far away.",
        "pascanu",
        "Line chart on a log axis: norm of the gradient of all weights by training step, with the clipping threshold.",
    ),
    "gate_activation": Chart(
        "Gate openness",
        tables.mean_gate_activation_by_step,
        lines(BY_STEP, "mean gate value", parts="gate"),
        "1 lets everything through, 0 nothing: a forget gate near 1 keeps, near 0 erases.",
        "what is kept after k steps is the product of k forget gates.",
        "gers",
        "Line chart of the mean value of every learned gate, between 0 and 1, by training step.",
        of_one_step=True,
    ),
    "largest_state": Chart(
        "Largest state",
        tables.largest_state_by_step,
        lines(BY_STEP, "largest |c| or |h|", log=True),
        "The largest number in the cell state, or in the hidden state of cells without one: it should not run away.",
        "without a forget gate every step adds up to 1 and nothing is taken away.",
        "gers",
        "Line chart on a log axis: the largest absolute value of the cell state by training step.",
    ),
    "block_gradients": Chart(
        "Gradient of each gate",
        tables.block_grad_norms_by_step,
        lines(BY_STEP, "gradient norm", log=True, parts="rows of"),
        "A gate whose line lies far below the others is hardly being trained. ▼: below this chart.",
        "a gate in saturation has no slope, and passes no gradient to its weights.",
        "greff",
        "Line chart on a log axis: norm of the gradient in the weights of each gate by training step.",
    ),
    "accuracy": Chart(
        "Accuracy",
        tables.accuracy_by_step,
        lines(BY_STEP, "share of right answers"),
        "The share of right answers in each training batch; guessing gives one over the number of classes.",
        "part of an answer can be known from part of the memory.",
        "hochreiter",
        "Line chart of the share of right answers by training step.",
    ),
    "difference": Chart(
        "Difference of the two",
        tables.loss_difference,
        lines(BY_STEP, "difference of losses", log=True),
        "1e-16 is the last digit of a double; training magnifies it, as in any two runs that differ by a digit.",
        "both compute the same sums in another order.",
        "greff",
        "Line chart on a log axis: absolute difference between the losses of the first two racers by training step.",
    ),
    "reach": Chart(
        "How far back: ‖∂h_T/∂h_t‖ of the RNN",
        flow.reach_by_time_step,
        lines(BY_TIME, "spectral norm", log=True, long_names=True),
        "The measured line lies far below both bounds. Grey: before training. ▼: 0 in single precision.",
        "each step multiplies by diag(φ'(a)) W_h; slopes are mostly below their maximum, and no direction is stretched "
        "at every step.",
        "pascanu",
        "Line chart on a log axis: norm of the Jacobian of the last hidden state by time step, with two bounds.",
        of_one_step=True,
    ),
    "growth": Chart(
        "Growth per step",
        flow.growth_by_training_step,
        lines(BY_STEP, "log of the factor per time step", parts="measured"),
        "Below 0 gradients fade by that factor a step, above 0 they grow; an LSTM that remembers is near 0.",
        "on its own input a network has one rate for long times, the largest Lyapunov exponent, and the measured slope "
        "is that rate over one sequence.",
        "vogt",
        "Line chart of the largest Lyapunov exponent and the measured slope of every racer by training step.",
    ),
    "eigenvalues": Chart(
        "Eigenvalues of W_h",
        flow.eigenvalues,
        plane,
        "Points outside the circle are modes that a linear network would amplify.",
        "the powers of a matrix grow or die, in the long run, with its spectral radius ρ, the largest distance from 0.",
        "pascanu",
        "The eigenvalues of the recurrent matrix in the complex plane, with the unit circle.",
        of_one_step=True,
        stretched=False,
    ),
    "singular_values": Chart(
        "Singular values beside eigenvalues",
        flow.singular_values,
        lines("rank", "value", zero=True),
        "The two lines differ at the left: the norm is not the largest eigenvalue, unless W_h is normal.",
        "a singular value is what one multiplication can stretch, an eigenvalue what stays of it under repetition.",
        "pascanu",
        "Line chart of the singular values and the absolute eigenvalues of the recurrent matrix, largest first.",
        of_one_step=True,
    ),
    "powers": Chart(
        "Powers: ‖Wⁿ‖",
        flow.powers,
        lines("n", "spectral norm", log=True),
        "Aⁿ, A = [[.5, 10], [0, .5]], first stands twentyfold over ρ and then dies; W_h is between ρⁿ and σ_maxⁿ.",
        "both eigenvalues of A are .5, but its norm is 10: off the diagonal it shears before it shrinks.",
        "pascanu",
        "Line chart on a log axis: norms of the powers of the recurrent matrix and of a sheared example.",
        of_one_step=True,
    ),
    "highway": Chart(
        "The highway, and what else is there",
        flow.highway_by_time_step,
        lines(BY_TIME, "spectral norm", log=True, long_names=True),
        "The direct path is the product of the forget gates: exactly 1 without them. ∂c_T/∂c_t is that and the rest.",
        "c' = f c + i g has a factor f on the cell's own path; everything else goes through gates and hidden state.",
        "hochreiter",
        "Line chart on a log axis: norm of the cell's Jacobian, of its direct part and of the rest, by time step.",
        of_one_step=True,
    ),
    "state_growth": Chart(
        "The largest |c_t|",
        flow.state_growth,
        lines(BY_TIME, "max |c_t|", zero=True),
        "With the forget gate held at 1 the state climbs along the sequence; with the gate it levels off.",
        "up to 1 is added at every step; the highway at full width has no way of forgetting.",
        "gers",
        "Line chart of the largest cell state by time step, as set and with the forget gate held at 1.",
        of_one_step=True,
    ),
    "memory_ruler": Chart(
        "Memory ruler",
        flow.memory_ruler,
        ruler,
        "Units right of the dashed line keep longer than the sequence; the last bin holds all that keep for ever.",
        "a forget gate at f keeps 1/e of the state for about 1/(1 - f) steps; chrono spreads the units over all.",
        "tallec",
        "Histogram of the time constants of the LSTM's units, with the length of the sequence.",
        of_one_step=True,
    ),
    "states": Chart(
        "Transform or add: the states",
        flow.states,
        states,
        "Where a mark comes, the RNN's rows flare up and fall back; the cell's rows take a step and keep it.",
        "an RNN computes its state anew from W_h h, an LSTM adds to the state that is there.",
        "hochreiter",
        "Heat map of the first units' hidden state of the RNN and cell state of the LSTM by time step.",
        of_one_step=True,
    ),
    "state_change": Chart(
        "Transform or add: the change per step",
        flow.state_change,
        lines(BY_TIME, "‖s_t - s_(t-1)‖ / ‖s_t‖", zero=True),
        "The RNN moves at every step, and back again after a mark; the LSTM moves little, and what it added stays.",
        "what a step changes is what the next steps can no longer read.",
        "hochreiter",
        "Line chart of the relative change of each racer's state by time step.",
        of_one_step=True,
    ),
    "clipping": Chart(
        "Clipping: the norm",
        flow.clipping,
        lines(BY_STEP, "gradient norm", log=True, parts="clipping"),
        "After clipping the line stays under the threshold; where it was under it already, nothing changes.",
        "clipping by norm multiplies the whole gradient by one factor of at most 1.",
        "pascanu",
        "Line chart on a log axis: norm of the whole gradient before and after clipping by training step.",
    ),
    "direction": Chart(
        "Clipping: the direction",
        flow.direction,
        lines(BY_STEP, "cosine of the angle", zero=True),
        "By norm it is 1: the step is shorter and leads the same way. By value it leads elsewhere.",
        "one factor for all keeps the direction, cutting each number apart does not.",
        "pascanu",
        "Line chart of the cosine between the gradient before and after clipping by training step.",
    ),
    "clipped_through_time": Chart(
        "Clipping does not cure vanishing",
        flow.clipped_through_time,
        lines(BY_TIME, "‖∂L/∂h_t‖", log=True, parts="clipping"),
        "At the last step that was clipped: one factor between before and after, what had vanished stays vanished.",
        "a factor cannot change the ratio between near and far.",
        "pascanu",
        "Line chart on a log axis: gradient norm by time step, before and after clipping by norm.",
        of_one_step=True,
    ),
    "ablation": Chart(
        "Lesion or retrain",
        flow.ablations,
        ablations,
        "The farther right of *as trained*, the more the cell leans on that gate; compare a racer that never had it.",
        "the other weights were trained beside it, and a racer that never had it found a way of its own, or did not.",
        "greff",
        "Dots on a log axis: loss of each LSTM as trained and with each learned gate held at 1.",
        of_one_step=True,
    ),
    "gradient_by_layer": Chart(
        "Gradient by layer",
        depth.gradient_by_layer,
        lines("layer, the first at the left", "gradient norm", log=True),
        "A line that falls to the left is a gradient that fades on its way down through the layers.",
        "a plain layer multiplies it by one more matrix; a sum or a concatenation hands it down unchanged as well.",
        "he",
        "Line chart on a log axis: norm of the gradient with respect to the hidden states of each layer.",
        of_one_step=True,
    ),
    "first_layer": Chart(
        "The first layer's share",
        depth.first_layer_by_step,
        lines(BY_STEP, "first layer / last layer", log=True),
        "On the dashed line the first layer gets as much gradient as the last, far below it hardly any.",
        "what the readout sees of a layer directly comes back to it directly.",
        "huang",
        "Line chart on a log axis: gradient norm of the first layer over that of the last by training step.",
    ),
    "loss_by_weights": Chart(
        "What the weights buy",
        depth.loss_by_weights,
        lines("number of weights", "loss, mean of 20 steps", zero=True),
        "Lower is better, farther left is cheaper: compare at equal hidden size, then at equal numbers of weights.",
        "dense wiring makes every layer's input wider, and so every matrix.",
        "huang",
        "Scatter chart: the training loss of each racer at its number of weights.",
        of_one_step=True,
    ),
    "effective_rank": Chart(
        "Effective rank of the features",
        depth.effective_rank,
        lines(BY_STEP, "effective rank", zero=True),
        "How many independent directions the readout has to choose from; dense wiring shows it all layers at once.",
        "features of several layers differ, and widths add up.",
        "huang",
        "Line chart of the effective rank of the features that the readout sees by training step.",
    ),
    "correlation": Chart(
        "Correlation of the features",
        depth.correlation,
        lines(BY_STEP, "mean |correlation|", zero=True),
        "Near 0 features say different things, near 1 all say the same.",
        "a feature that repeats another one adds to the width and not to what can be read.",
        "huang",
        "Line chart of the mean absolute correlation of pairs of features by training step.",
    ),
    "readout_by_layer": Chart(
        "Which layers the readout uses",
        depth.readout_by_layer,
        lines("source: 0 the input, then the layers", "norm of its weights", zero=True),
        "Weight on low layers is use of simple features; a plain stack shows its top, a residual one the sum of all.",
        "only dense wiring lets the readout choose among layers.",
        "huang",
        "Line chart of the norm of the readout's weights by the layer that they read.",
        of_one_step=True,
    ),
    "held_out_loss": Chart(
        "Training set against held-out sequences",
        depth.held_out_loss,
        lines(BY_STEP, "loss", parts="on", zero=True),
        "Where the two lines of a racer part, it learns its few sequences by heart.",
        "a small fixed set can be remembered without its rule; without such a set there is one line.",
        "huang",
        "Line chart of the loss on the training set and on held-out sequences by training step.",
    ),
    "forecasts": Chart(
        "Forecast against truth",
        outlook.forecasts,
        lines(BY_PLACE, "value"),
        "The beginning of the test part, grey. Whoever lies on it forecasts well; a line late by the horizon copies.",
        "each forecast sees the true values up to the horizon, so errors do not add up.",
        "makridakis",
        "Line chart of the test part of the series, the forecast of every racer, and the baselines dashed.",
        of_one_step=True,
    ),
    "residuals": Chart(
        "Residuals",
        outlook.residuals,
        lines(BY_PLACE, "forecast - truth"),
        "Noise around 0 is what cannot be known; a wave that is left over could have been learned.",
        "a forecast that misses nothing but chance leaves errors without a pattern.",
        "hyndman",
        "Line chart of forecast minus truth for every racer, in the test part.",
        of_one_step=True,
    ),
    "free_running": Chart(
        "Free-running",
        outlook.free_running,
        lines(BY_PLACE, "value"),
        "Fed with their own forecasts from the end of the validation part: how long do they stay on the truth, dashed? "
        "Drawn for those that have ended.",
        "each error is an input of the next forecast, and where the series is chaotic it grows exponentially.",
        "mackey",
        "Line chart of the test part of the series and of every racer's forecasts from its own forecasts.",
    ),
    "validation": Chart(
        "Error on the validation part",
        outlook.validation_by_step,
        lines(BY_STEP, "RMSE", log=True),
        "Below a dashed line a racer beats that baseline; the step where it is lowest is the one whose weights count.",
        "a network that goes on learning its own part by heart gets worse on what comes after.",
        "makridakis",
        "Line chart on a log axis: RMSE of every racer on the validation part by training step, baselines dashed.",
    ),
    "shortest_path": Chart(
        "The shortest way back",
        depth.shortest_path,
        lines(BY_TIME, "Jacobians on the way to T"),
        "A cell that sees its last k states reaches back in a k-th of the steps.",
        "each of them is one Jacobian away, so the shortest path has ceil((T - t)/k) of them.",
        "zhang",
        "Line chart of the least number of Jacobians between each time step and the last, for every racer.",
    ),
}
