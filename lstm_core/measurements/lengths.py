"""What becomes of a network on sequences longer than those it was trained on? Its loss at T, 2 T and 4 T."""

from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.unseen import in_parts, unseen
from lstm_core.streams import Purpose
from lstm_core.tasks import Sample

# So many times T.
TIMES = (1, 2, 4)
# Of each length; of so many sequences that their states are about so many numbers, they are in memory at a time.
SEQUENCES, STATES = 256, 10**6


def longer(checkpoint: Checkpoint) -> dict[int, float]:
    """
    Mean loss on held-out sequences of so many times T, divided by the constant predictor's at that length; T is left
    out where a fixed training set has all there are. Of tasks of any length alone: a series has no such sequences.
    """
    experiment, network = checkpoint.experiment, checkpoint.network()
    task, units = experiment.problem, experiment.layers * experiment.hidden

    def loss(drawn: Sample, length: int) -> float:
        at_a_time = max(1, STATES // (len(drawn[0]) * units))
        return in_parts(network.loss, drawn, int(task.every_step), at_a_time) / task.constant_loss(length)

    drawn = {times: _drawn(checkpoint, times) for times in TIMES}
    return {times: loss(some, times * experiment.length) for times, some in drawn.items() if some[0].shape[1]}


def _drawn(checkpoint: Checkpoint, times: int) -> Sample:
    """Held-out sequences so many times as long; those of T are none of a fixed training set."""
    experiment = checkpoint.experiment
    if times == 1:
        return unseen(experiment, SEQUENCES)
    rng = experiment.stream_for(Purpose.HELD_OUT)
    inputs, targets = experiment.problem.draw(times * experiment.length, SEQUENCES, rng)
    return inputs.double(), targets.double() if targets.is_floating_point() else targets
