"""The picture in the README: the opening race of the first page, run and drawn anew. `python -m docs.picture`"""

from pathlib import Path

import altair as alt

from lstm_core import train
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.points import Curve
from lstm_core.openings.presets import OPENINGS

curves = [
    Curve(label, experiment, list(train(experiment, record_every=3)))
    for label, experiment in OPENINGS["dashboard"].experiments().items()
]
charts = [CHARTS[name].of(curves).properties(width=360, height=240) for name in ("loss", "gradient_through_time")]
picture = alt.hconcat(*charts).resolve_scale(color="shared", strokeDash="independent")
picture.save(Path(__file__).with_name("race.png"), scale_factor=1)
