"""What does a strange word mean? In one sentence, shown where a text first uses it."""

import re
from collections.abc import Iterable, Iterator

from lstm_core.language import _

WORDS: dict[str, str] = {
    _("95 % interval"): _(
        "A range computed from the seeds: in 95 of 100 such tests it contains the true value, however values are "
        "distributed."
    ),
    _("95 % range"): _(
        "In about 95 of 100 such tests it contains the error over many more forecasts (estimated by repeating blocks "
        "of the test part)."
    ),
    _("activation"): _("The function that each unit applies to its weighted sum of inputs."),
    _("additive"): _("New information is added to the state; the old content stays."),
    _("ARIMA"): _("A weighted sum of the latest changes and forecast errors."),
    _("baseline"): _("A simple forecast without learning, such as repeating the last value."),
    _("BLAS"): _("The library that multiplies matrices; it has other programs for other processors."),
    _("batch"): _("The sequences that are used in one training step."),
    _("bias"): _("A constant that a unit adds to its weighted sum of inputs."),
    _("bound"): _(
        "An upper limit for the measured line: from the actual slopes, or from the largest slope γ and the largest "
        "singular value σ, (γσ)ⁿ; ρⁿ is no such limit."
    ),
    _("candidate"): _("The new content g that an LSTM may write into its cell state."),
    _("cell state"): _("The LSTM's memory c, to which each step adds."),
    _("chaotic"): _("Tiny errors grow exponentially, so the far future cannot be forecast."),
    _("chrono"): _("First forget biases that spread the units over all memory lengths up to T."),
    _("clipped"): _("Shortened to a threshold, so that one step cannot throw the weights far away."),
    _("clipping"): _("Shortening a gradient to a threshold, so that one step cannot throw the weights far away."),
    _("concatenate"): _("Write vectors one below the other into one longer vector."),
    _("confirmed"): _("True for more than half of all seeds: the whole interval of that share lies above 1/2."),
    _("constant predictor"): _("The best answer that ignores the input: the average, or equal chances."),
    _("correlation"): _("How much two features rise and fall together, from -1 to 1."),
    _("coupled gates"): _("One gate does both jobs, f = 1 - i: writing 30 % new content erases 30 % of the old."),
    _("curse of memory"): _("The longer a cell remembers, the more its state depends on how fast it forgets."),
    _("dense"): _("Each layer sees the input and the outputs of all layers below."),
    _("DenseNet"): _("A deep network in which each layer sees the outputs of all layers before it."),
    _("direct path"): _("The part of the gradient that stays inside the cell state: the product of the forget gates."),
    _("double precision"): _("Numbers with about 16 digits; networks usually compute with 7."),
    _("drift"): _("A straight line through the first and the last known value, continued."),
    _("early stopping"): _("Keeping the weights from the step with the lowest validation error."),
    _("effective rank"): _("The number of independent directions in which the features really vary."),
    _("eigenvalue"): _("The factor by which a matrix scales a direction that it does not turn."),
    _("eigenvector"): _("A direction that a matrix scales, but does not turn."),
    _("ETS"): _("A weighted sum of all values, the latest with the largest weights, plus a trend and a season."),
    _("feature"): _("A number that a network computes from its input and passes on."),
    _("forget bias"): _("The first value of the forget gate's constant b: higher keeps more of the old state."),
    _("forget gate"): _("The gate f that decides how much of the old cell state is kept: 1 all, 0 nothing."),
    _("free-running"): _("Each forecast becomes the next input; drawn when the training has ended."),
    _("Gaussian"): _("Drawn from the bell curve."),
    _("Glorot"): _("Random first weights, scaled so that signals keep their size from layer to layer."),
    _("Hadamard product"): _("Multiplying two vectors number by number."),
    _("held-out"): _("Never used for training."),
    _("hidden state"): _("The vector h that a recurrent network passes from each time step to the next."),
    _("highway stack"): _("Each layer has a gate: how much of its output is taken; the rest is what it saw."),
    _("horizon"): _("How many steps ahead the forecast lies."),
    _("identity"): _("Changes nothing: the matrix I, or the function φ(x) = x."),
    _("input gate"): _("The gate i that decides how much new content is written into the cell state."),
    _("IRNN"): _("An RNN with ReLU that starts from W_h = I."),
    _("Jacobian"): _("The matrix of all derivatives of a later state by an earlier one."),
    _("L2 norm"): _("The most that a matrix can stretch any vector; it is its largest singular value."),
    _("layer normalisation"): _("Shifting and scaling the numbers of a layer to mean 0 and variance 1, at each step."),
    _("leakage"): _("Information from the test data that slips into the training."),
    _("linear autoregression"): _("A weighted sum of the latest values, the weights chosen by least squares."),
    _("Lyapunov exponent"): _("The average growth per time step over a long run, as a logarithm."),
    _("MAE"): _("Mean absolute error."),
    _("MASE"): _(
        "Mean absolute error, divided by that of repeating the last value one step ahead in the training part; below 1 "
        "is better."
    ),
    _("naive"): _("Repeats an earlier value: the last one, or the one a season ago."),
    _("norm"): _("The length of a vector, or the most that a matrix can stretch any vector."),
    _("orthogonal"): _("A matrix that turns or mirrors vectors and keeps their length."),
    _("output gate"): _("The gate o that decides how much of the cell state is shown as hidden state."),
    _("overfit"): _("Learning the training data by heart, so that new data are predicted worse."),
    _("overflow"): _("Too large for the chart, or for the computer's numbers."),
    _("peephole"): _("A connection that lets a gate see the cell state."),
    _("plain"): _("Each layer sees only the layer directly below."),
    _("random-walk-like"): _("Each value is the last one plus pure chance."),
    _("readout"): _("The last, linear layer, which turns the hidden state into the answer."),
    _("recurrent"): _("Used again at every time step."),
    _("ReLU"): _("The function max(0, x): slope 1 above 0, slope 0 below."),
    _("refuted"): _("False for more than half of all seeds, by a test corrected for all questions on this page."),
    _("residual"): _("Each layer adds its output to what it saw, so that a copy passes unchanged."),
    _("ResNet"): _("A deep network in which each layer adds its output to its input."),
    _("RMSE"): _("Root mean square error: the typical size of a forecast's error."),
    _("saturate"): _("Reaching the flat ends of a function, where the slope is almost 0."),
    _("seed"): _("A number that fixes the random first weights and data of a run."),
    _("sigmoid"): _("An S-shaped function from 0 to 1, with slopes of at most 1/4."),
    _("single precision"): _("Numbers with about 7 digits; anything below 1e-38 becomes 0."),
    _("singular value"): _("How much a matrix stretches one of its main directions."),
    _("sLSTM"): _("An LSTM with an exponential input gate, whose state is divided by the sum of the gates."),
    _("spectral norm"): _("The most that a matrix can stretch any vector; it is its largest singular value."),
    _("spectral radius"): _("The largest absolute eigenvalue; it decides how fast powers of a matrix grow."),
    _("stabiliser"): _("A common factor, taken out of the state, that keeps exponential functions in range."),
    _("tanh"): _("An S-shaped function from -1 to 1, with slope 1 at 0."),
    _("theorem"): _("It can be proven, so measurements only show it."),
    _("time constant"): _("After so many steps about a third (1/e) of the state is left."),
    _("undecided"): _("So many seeds are for it and so many against it that it could be either."),
    _("under a condition"): _("It holds, but not everywhere that it could be taken to hold."),
    _("underflow"): _("Too small for the computer's numbers: it computes 0."),
    _("validation"): _("The part of the data that is used to choose among networks, not to train them."),
    _("vanilla"): _("Plain: the basic version, without additions."),
    _("Xavier"): _("Random first weights, scaled so that signals keep their size from layer to layer."),
    _("zoneout"): _("In training, some units keep their old state for a step, chosen by chance."),
}

# The variants of Greff and others by their names in a race, as a visitor reads them.
VARIANTS: dict[str, str] = {
    "with peepholes": _("with peepholes (V)"),
    "no input gate": _("no input gate (NIG)"),
    "no forget gate": _("no forget gate (NFG)"),
    "no output gate": _("no output gate (NOG)"),
    "no input activation": _("no input activation (NIAF)"),
    "no output activation": _("no output activation (NOAF)"),
    "coupled gates": _("coupled gates (CIFG)"),
    "no peepholes": _("no peepholes (NP)"),
}


def variants(names: Iterable[str]) -> dict[str, str]:
    """How these racers are shown where they are chosen: under their names, and what an acronym stands for."""
    return {name: VARIANTS.get(name, name) for name in names}


def used(text: str) -> Iterator[str]:
    """The keys of `WORDS` that a text uses, longer ones first; what is part of a longer one is not counted."""
    for word in sorted(WORDS, key=len, reverse=True):
        text, times = pattern(word).subn(" · ", text)
        if times:
            yield word


def pattern(word: str) -> re.Pattern[str]:
    """The word, or its plural."""
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?:s|es|d)?(?![\w-])", re.IGNORECASE)


def meanings(*texts: str) -> str:
    """What the strange words in these texts mean, a line of Markdown each, by the alphabet; "" without any."""
    words = sorted({word for text in texts for word in used(text)}, key=str.casefold)
    return "\n\n".join(f"**{word}**: {WORDS[word]}" for word in words)
