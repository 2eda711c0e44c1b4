"""Is what one takes home all that was seen?"""

from lstm_core import Experiment, train
from lstm_core.charts.export import everything
from lstm_core.charts.points import Curve

EXPERIMENT = Experiment(length=12, hidden=4, batch=4, steps=30)
SNAPSHOTS = list(train(EXPERIMENT))


def test_everything_is_every_number_of_every_snapshot() -> None:
    rows = everything([Curve("it", EXPERIMENT, SNAPSHOTS)]).to_pandas()
    last = SNAPSHOTS[-1]
    of_last = rows[rows.step == last.step]
    norms = of_last[of_last.quantity == "hidden_grad_norms"]
    assert norms.value.tolist() == list(last.hidden_grad_norms)
    assert norms.part.tolist() == [str(t) for t in range(1, EXPERIMENT.length + 1)]
    assert of_last[of_last.quantity == "openness"].value.tolist() == list(last.openness.values())
    assert of_last[of_last.quantity == "loss"].value.tolist() == [last.loss]
    assert set(rows.step) == {snapshot.step for snapshot in SNAPSHOTS}
    assert everything([]).num_rows == 0


def test_norms_of_several_layers_are_told_by_layer_and_time_step() -> None:
    experiment = Experiment(length=12, hidden=4, batch=4, steps=2, layers=3)
    (first, *_) = snapshots = list(train(experiment))
    rows = everything([Curve("it", experiment, snapshots)]).to_pandas()
    of_first = rows[rows.step == 1].set_index(["quantity", "part"]).value
    assert of_first["layer_grad_norms"].to_dict() == {str(k): norm for k, norm in enumerate(first.layer_grad_norms, 1)}
    assert len(of_first["lower_grad_norms"]) == 2 * 12
    assert of_first["lower_grad_norms", "2 12"] == first.lower_grad_norms[1][11]
