"""
What comes next in a series? Windows of its past, each with the value that comes some steps later.

With a window of 4 and a horizon of 1, one sample of a series reads, once scaled,

    value   .1  .5  .8  .9               target at the end: the value that comes after .9
"""

from functools import lru_cache

from torch import Tensor

from lstm_core.language import _
from lstm_core.tasks import windows
from lstm_core.tasks.series import number_beside
from lstm_core.tasks.task import Task
from lstm_core.tasks.view import Question


@lru_cache(64)
def forecasting(asked: Question) -> Task:
    """
    The row of forecasting one series; its name and not the series is kept, which a visitor may have taken away. It is
    never solved: nobody knows how much of a series is noise.
    """

    def answers(length: int) -> Tensor:
        return windows.learned(asked.view, length)[0]

    def last_value_loss(length: int) -> float:
        later, last = windows.learned(asked.view, length)
        return float((later - last).square().mean())

    beside = range(1, 1 + number_beside(asked.series))
    return Task(
        "forecast",
        _("Forecasting"),
        _(
            "The network reads a part of a series, scaled to mean 0 and variance 1. At its end it must give the value "
            "some steps later; their number is the horizon."
        ),
        _("values .1 .5 .8 .9, and a horizon of 1: the answer is the value after .9"),
        inputs=(_("value"), *(_("beside {number}").format(number=number) for number in beside)),
        outputs=(_("value to come"),),
        shortest=1,
        draw=lambda length, batch, rng: windows.drawn(asked.view, length, batch, rng),
        draw_held_out=lambda length, batch, rng: windows.held_out(asked.view, length, batch, rng),
        constant=lambda length: answers(length).mean()[None],
        constant_loss=lambda length: float(answers(length).var(correction=0)),
        plateaus=lambda length: ((_("last value"), last_value_loss(length)),),
        classes=False,
        solvable=False,
        refusal=lambda length: windows.too_long(asked.view, length),
        of=forecasting,
    )
