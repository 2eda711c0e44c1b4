"""What do the threads of races do beside training? Whatever somebody asks for, once for all who ask."""

import time
from collections.abc import Callable
from typing import Any

from lstm_core.fair_lock import TRAINING, held
from lstm_core.kernels.one_thread import denormal_numbers


class Job:
    """
    What `do` returns is to be in `results` under a `key`, or the exception that it raised. Jobs with the same place for
    their result are equal, and done together.
    """

    def __init__(self, results: dict[Any, Any], key: object, do: Callable[[], object]) -> None:
        self._results, self._key, self._do = results, key, do

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self._results is other._results and self._key == other._key

    def __hash__(self) -> int:
        return hash((id(self._results), self._key))

    @property
    def done(self) -> bool:
        return self._key in self._results

    def __call__(self) -> float:
        """Do it; the seconds that it took."""
        with held(TRAINING), denormal_numbers():
            started = time.perf_counter()
            try:
                self._results[self._key] = self._do()
            except Exception as error:  # noqa: BLE001 - whoever asked will see it, the others go on
                self._results[self._key] = error
            return time.perf_counter() - started
