"""How often is a page drawn again while its race moves? So often that all pages together leave trainings their time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lstm_core.race.turns import crowd

FRAME_SECONDS = 0.25
# What lies below the first charts is drawn with one frame in so many.
RARELY = 4
# So much of the time of the one thread that runs Python is for frames.
SHARE = 0.5
# The part of the latest frame in the mean.
WEIGHT = 0.05


class _Frames:
    """What one has taken of a processor, in seconds, in the mean of late."""

    seconds = 0.01


@contextmanager
def timed() -> Iterator[None]:
    """Around what is drawn in one frame."""
    began = time.thread_time()
    yield
    _Frames.seconds += WEIGHT * (time.thread_time() - began - _Frames.seconds)


def every(frames: float = 1) -> float:
    """The seconds from one frame to the next, or to one in so many frames."""
    return frames * max(FRAME_SECONDS, crowd() * _Frames.seconds / SHARE)
