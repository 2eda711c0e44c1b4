"""What happens at every step of a training? `train` tells it, one snapshot after another."""

from collections.abc import Iterator

from lstm_core.data import held_out
from lstm_core.engine import FUSED, preparing, resolve
from lstm_core.experiment import Experiment
from lstm_core.kernels.one_thread import one_blas_thread, settled_thread
from lstm_core.training.by_turns import WIRING_CODES, ByTurns
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.standing import Standing, Trainer, standing_of
from lstm_core.training.step_by_step import StepByStep

HELD_OUT = 200


def train(experiment: Experiment, record_every: int = 1, weights_every: int | None = None) -> Iterator[Snapshot]:
    """
    Train, and yield a snapshot of the first step, of every `record_every`-th and of the last. Of these, the first, each
    at a multiple of `weights_every`, and the last have their weights with them; by default none has.

    It ends when the task is solved, which a fixed training set never shows, when loss or gradient are no longer finite
    ("diverged": a result, not an error), or after `experiment.steps` ("completed"). Equal experiments yield bitwise
    equal snapshots on the same engine. With `auto`, a training that began on the reference engine while kernels were
    being prepared goes over to them once, after the first snapshot at which they are ready. It computes on one thread
    with denormal numbers flushed to zero. Between snapshots the calling thread has its own settings of torch; BLAS has
    its threads back when the last training that is under way has ended or was closed.
    """
    steps = _train(experiment, _engine(experiment), record_every, weights_every)
    with one_blas_thread():
        while True:
            with settled_thread():
                snapshot = next(steps, None)
            if snapshot is None:
                return
            yield snapshot


def _train(experiment: Experiment, engine: str, record_every: int, weights_every: int | None) -> Iterator[Snapshot]:
    standing = standing_of(experiment)
    network, count = standing.network, sum(parameter.numel() for parameter in standing.network.parameters())
    training = _trainer(experiment, standing, engine)
    unseen = held_out(experiment, HELD_OUT) if experiment.sequences else None
    step, ended = 0, None
    while not ended:
        if training.engine != FUSED and _can_change(experiment):
            training = _trainer(experiment, standing, FUSED)
        fields = training.advance(min(record_every - step % record_every, experiment.steps - step) if step else 1)
        step, ended = fields["step"], fields["ended"]
        with_weights = weights_every is not None and (ended or step == 1 or step % weights_every == 0)
        yield Snapshot(
            held_out_loss=network.loss(*unseen) if unseen else None,
            engine=training.engine,
            weights=standing.weights[:count].clone() if with_weights else None,
            updated=standing.updated(experiment)[:count] if with_weights else None,
            **fields,
        )


def _trainer(experiment: Experiment, standing: Standing, engine: str) -> Trainer:
    """Where turns do not know the wiring, kernels compute the layers alone, one training step after the other."""
    if engine == FUSED and experiment.wiring in WIRING_CODES:
        return ByTurns(experiment, standing)
    return StepByStep(experiment, standing, engine)


def _engine(experiment: Experiment) -> str:
    """The one that computes what begins now; it may have to be waited for."""
    return resolve(experiment.engine, experiment.dtype, cell=experiment.recurrent_cell)


def _can_change(experiment: Experiment) -> bool:
    """Whether kernels can compute it by now, found without waiting."""
    waits = preparing(experiment.engine, experiment.dtype, experiment.recurrent_cell) is not None
    return not waits and _engine(experiment) == FUSED
