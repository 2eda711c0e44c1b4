"""Which sequences does a training see, and which does it never see?"""

from collections.abc import Iterator
from itertools import islice

import torch

from lstm_core.experiment import Experiment
from lstm_core.streams import Purpose, Rng
from lstm_core.tasks import Draw, Sample

MOST_DRAWN, VALUES_DRAWN = 32, 2**16
MOST_TRIES = 10


def samples(experiment: Experiment) -> Iterator[Sample]:
    """
    The endless stream of training batches, new sequences, or drawn from a fixed set; it depends on task, length, batch,
    seed and the size of that set alone, and on series and horizon where it forecasts. ValueError for an experiment of
    an earlier stream.
    """
    batches = Batches(experiment)
    while True:
        yield batches.one()


def batch_of(experiment: Experiment, step: int) -> Sample:
    """The batch of one of its training steps, from 1; all before it are drawn once more."""
    return next(islice(samples(experiment), step - 1, None))


class Batches:
    """That stream, taken batch by batch, or several batches at once, in any order of both."""

    def __init__(self, experiment: Experiment) -> None:
        self._draws, self._batch = _draws(experiment), experiment.batch
        self._along = int(experiment.problem.every_step)
        self._drawn: Sample | None = None

    def one(self) -> Sample:
        """The next batch."""
        inputs, targets = self.several()
        sizes = self._batch, inputs.shape[1] - self._batch
        (chosen, others), (answers, other_answers) = inputs.split(sizes, 1), targets.split(sizes, self._along)
        self._drawn = (others, other_answers) if sizes[1] else None
        return chosen, answers

    def several(self) -> Sample:
        """The next batches side by side, as many as are drawn."""
        drawn, self._drawn = self._drawn or next(self._draws), None
        return drawn


def _draws(experiment: Experiment) -> Iterator[Sample]:
    """
    The same, several batches side by side: a draw costs as much as a training step of a small network.
    """
    task, rng, batch = experiment.problem, experiment.stream_for(Purpose.DATA), experiment.batch
    batches = min(MOST_DRAWN, 1 + VALUES_DRAWN // (experiment.time_steps * batch))
    if experiment.sequences:
        inputs, targets = _training_set(experiment)
        choosing = experiment.stream_for(Purpose.BATCHES)
        while True:
            several = torch.from_numpy(choosing.integers(0, experiment.sequences, (MOST_DRAWN, batch)))
            for chosen in several.split(batches):
                places = chosen.flatten()
                yield inputs[:, places], targets.index_select(int(task.every_step), places)
    while True:
        yield _drawn(experiment, task.draw, batch * batches, rng)


def held_out(experiment: Experiment, sequences: int) -> Sample:
    """
    So many sequences of its task that it is not trained on, in its precision; ValueError for an experiment of an
    earlier stream.

    None of them is in a fixed training set; where that leaves few others, or none, there are as many as were found. Of
    a series they are other windows of the part to train on, which may overlap those in the set; without such a set,
    which leaves no window out for ever, those whose values to come are the validation part's.
    """
    task, rng = experiment.problem, experiment.stream_for(Purpose.HELD_OUT)
    if not experiment.sequences:
        return _drawn(experiment, task.draw_held_out or task.draw, sequences, rng)
    known, along = set(_contents(_training_set(experiment))), int(task.every_step)
    parts: list[Sample] = []
    missing = sequences
    for _ in range(MOST_TRIES):
        inputs, targets = drawn = _drawn(experiment, task.draw, sequences, rng)
        new = [place for place, content in enumerate(_contents(drawn)) if content not in known]
        chosen = torch.tensor(new[:missing], dtype=torch.long)
        parts.append((inputs[:, chosen], targets.index_select(along, chosen)))
        missing -= len(chosen)
        if not missing:
            break
    return torch.cat([one for one, _ in parts], 1), torch.cat([answers for _, answers in parts], along)


def _training_set(experiment: Experiment) -> Sample:
    """The fixed one."""
    return _drawn(experiment, experiment.problem.draw, experiment.sequences, experiment.stream_for(Purpose.DATA))


def _contents(drawn: Sample) -> list[bytes]:
    """What is in the inputs of each sequence."""
    return [one.tobytes() for one in drawn[0].transpose(0, 1).contiguous().numpy()]


def _drawn(experiment: Experiment, draw: Draw, sequences: int, rng: Rng) -> Sample:
    """So many sequences, in its precision."""
    inputs, targets = draw(experiment.length, sequences, rng)
    dtype = experiment.dtype
    return inputs.to(dtype), targets.to(dtype) if targets.is_floating_point() else targets
