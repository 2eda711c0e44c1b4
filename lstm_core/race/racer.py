"""What has one visitor seen of a run?"""

from lstm_core.experiment import Experiment
from lstm_core.race.runs import FAILED, Run
from lstm_core.training.snapshot import Snapshot


class Racer:
    """
    A run in somebody's race, under a name: what that visitor has seen of it, which stands still while the race is
    paused, whatever others do with the run.
    """

    def __init__(self, label: str, run: Run) -> None:
        self.label, self.run = label, run
        self._shown: int | None = 0

    @property
    def experiment(self) -> Experiment:
        return self.run.experiment

    @property
    def snapshots(self) -> list[Snapshot]:
        return self.run.snapshots[: self._shown]

    @property
    def durations(self) -> list[float]:
        return self.run.durations[: self._shown]

    @property
    def error(self) -> str | None:
        return self.run.error

    @property
    def steps(self) -> int:
        seen = self.snapshots
        return seen[-1].step if seen else 0

    @property
    def ended(self) -> str | None:
        if self.error:
            return FAILED
        seen = self.snapshots
        return seen[-1].ended if seen else None

    @property
    def seconds(self) -> float:
        """Training time so far, without the turns of others."""
        return sum(self.durations)

    @property
    def seconds_left(self) -> float:
        """
        Training time up to the last step, at the speed so far of the engine that computes now, without its first
        snapshot, for which all had to be set up; 0 at the end, and as long as it has shown no second one.
        """
        seen, engine = self.snapshots, self.run.engine
        steps = [snapshot.step for snapshot in seen if snapshot.engine == engine]
        if self.ended or len(steps) < 2:
            return 0.0
        pace = sum(self.durations[len(seen) - len(steps) + 1 : len(seen)]) / (steps[-1] - steps[0])
        return pace * (self.experiment.steps - steps[-1])

    @property
    def wants_turn(self) -> bool:
        """Whether there is a snapshot to come that the visitor waits for."""
        return not self.run.ended and (self._shown is None or self._shown > len(self.run.snapshots))

    def follow(self) -> None:
        """Show all that there is, and is to come."""
        self._shown = None

    def stand(self) -> None:
        """Show what there is now and nothing more."""
        self._shown = len(self.snapshots)

    def step(self) -> None:
        """Show one snapshot more, to be trained if need be."""
        self._shown = len(self.snapshots) + 1
