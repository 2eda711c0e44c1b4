"""Which axes, greys and dashes have all charts in common? And what a picture is: a chart without data."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, ParamSpec

import altair as alt

from lstm_core.language import _

# Made when somebody looks at it: altair takes a tenth of a second for one.
Picture = Callable[[], alt.LayerChart | alt.Chart]
Given = ParamSpec("Given")

# Of all that is no racer, on light and on dark ground.
QUIET = "#8a8f98"
TEXT, KEY_TEXT, LABEL = 13, 12, 200
BY_STEP = _("training step")
DASHES = [[1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [1, 5], [14, 5], [5, 2, 1, 2, 1, 2]]
_EXPONENT = "round(log(datum.value) / LN10)"
_POWER_OF_TEN = f"abs(log(datum.value) / LN10 - {_EXPONENT}) < 1e-6"


def _digit(place: int) -> str:
    """Of the exponent, raised."""
    digit = f"floor(abs({_EXPONENT}) / {place}) % 10"
    raised = f"substring('⁰¹²³⁴⁵⁶⁷⁸⁹', {digit}, {digit} + 1)"
    return f"(abs({_EXPONENT}) >= {place} ? {raised} : '')"


# 0.01 to 100 as they are, other powers of ten as 10⁻⁶, and nothing between them.
POWERS = (
    f"!({_POWER_OF_TEN}) ? '' : abs({_EXPONENT}) <= 2 ? format(datum.value, '~g') : "
    f"'10' + ({_EXPONENT} < 0 ? '⁻' : '') + {_digit(100)} + {_digit(10)} + {_digit(1)}"
)
_AT_POWERS = {"condition": {"test": _POWER_OF_TEN, "value": 1}, "value": 0}


def when_asked(make: Callable[Given, alt.LayerChart | alt.Chart]) -> Callable[Given, Picture]:
    """The same as a picture, one for equal arguments."""
    return cache(lambda *given, **named: partial(make, *given, **named))  # type: ignore[return-value]


def axis(**options: Any) -> alt.Axis:
    """To be read from some way off."""
    return alt.Axis(labelFontSize=TEXT, titleFontSize=TEXT, **options)


def legend(**options: Any) -> alt.Legend:
    """Above the chart, close to it."""
    return alt.Legend(
        orient="top", labelFontSize=KEY_TEXT, titleFontSize=KEY_TEXT, offset=4, padding=0, labelLimit=LABEL, **options
    )


def up_axis(**options: Any) -> alt.Axis:
    """Every label beside its grid line, the first and the last one too."""
    return axis(labelFlush=False, **options)


def log_axis() -> alt.Axis:
    """Labels, ticks and grid lines at powers of ten alone."""
    return up_axis(labelExpr=POWERS, labelOverlap=False, tickCount=6, tickOpacity=_AT_POWERS, gridOpacity=_AT_POWERS)


def log_scale(ends: tuple[float, float] | None = None) -> alt.Scale:
    """From a power of ten to another, so that there are two at least; from end to end where they are given."""
    return alt.Scale(type="log", domain=ends) if ends else alt.Scale(type="log", nice=True)


def only(*conditions: str) -> alt.Chart:
    """A layer of the rows for which all of this holds."""
    return alt.Chart().transform_filter(" && ".join(f"datum.{condition}" for condition in conditions))
