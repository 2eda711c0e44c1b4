"""Are the tasks what the literature says, and are their baselines right?"""

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core.streams import Purpose, stream
from lstm_core.tasks import TASKS, Sample, Task

SAMPLES, CHUNK = 100_000, 1_000
BLANK, DELIMITER, CUE = 8, 9, 9

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
marking_tasks = pytest.mark.parametrize("name", ["adding", "multiplication"])

PUBLISHED = [
    ("adding", 20, 1 / 6),
    ("multiplication", 20, 7 / 144),
    ("copy", 20, 0.5199),
    ("copy", 50, 0.2971),
    ("copy", 100, 0.1733),
    ("copy", 200, 0.0945),
    ("temporal_order", 20, math.log(4)),
    ("latch", 20, math.log(2)),
    ("recall", 20, math.log(8)),
    ("parity", 20, math.log(2)),
    ("running_parity", 20, math.log(2)),
    ("parity_varied", 20, math.log(2)),
    ("selective_copying", 20, 0.2310),  # 4 ln 4 / 24
    ("associative_recall", 20, 0.1890),  # 2 ln 8 / 22
    ("mnist1d", 40, math.log(10)),
]


def drawn(task: Task, length: int = 20, batch: int = 1000, seed: int = 0) -> Sample:
    return task.draw(length, batch, stream(seed, Purpose.DATA))


def mean_loss(task: Task, length: int, predict: Callable[[Tensor], Tensor]) -> float:
    """The loss of `predict` (inputs -> answer) over `SAMPLES` samples."""
    rng = stream(1, Purpose.DATA)
    samples = [task.draw(length, CHUNK, rng) for _ in range(SAMPLES // CHUNK)]
    return sum(float(task.loss(predict(inputs), targets)) for inputs, targets in samples) / len(samples)


def constant_answer(task: Task, length: int, batch: int) -> Tensor:
    """The constant predictor's outputs, (B, O) or (steps, B, O)."""
    constant = task.constant(length)
    return constant[:, None].expand(-1, batch, -1) if task.every_step else constant.expand(batch, -1)


def marked(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Where the two marks are, and which values they mark, both (2, B)."""
    values, marks = inputs.unbind(2)
    assert ((marks == 0) | (marks == 1)).all()
    assert (marks.sum(0) == 2).all()
    steps = marks.t().nonzero()[:, 1].view(-1, 2).t()
    return steps, values.gather(0, steps)


def relevant(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Where the two symbols A or B are, and which they are (A is 0, B is 1), both (2, B)."""
    symbols = inputs.argmax(2)
    marked = symbols < 2
    assert (marked.sum(0) == 2).all()
    steps = marked.t().nonzero()[:, 1].view(-1, 2).t()
    return steps, symbols.gather(0, steps)


@pytest.mark.parametrize(("name", "length", "loss"), PUBLISHED)
def test_the_table_states_the_published_baseline(name: str, length: int, loss: float) -> None:
    assert TASKS[name].constant_loss(length) == pytest.approx(loss, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "length"), [*((name, 20) for name in TASKS), ("copy", 50), ("copy", 100), ("copy", 200)]
)
def test_the_constant_predictor_has_the_stated_loss(name: str, length: int) -> None:
    task = TASKS[name]
    answer = constant_answer(task, length, CHUNK)
    assert mean_loss(task, length, lambda inputs: answer) == pytest.approx(task.constant_loss(length), rel=0.02)


@every_task
def test_no_constant_predictor_does_better(task: Task) -> None:
    """The best constant's loss is the targets' variance, or the entropy of the classes at each step."""
    targets = drawn(task, batch=SAMPLES)[1]
    if task.classes:
        shares = [torch.bincount(step) / SAMPLES for step in targets.view(-1, SAMPLES)]
        best = sum(float(torch.special.entr(share).sum()) for share in shares) / len(shares)
    else:
        best = float(targets.var(-2).mean())
    assert best == pytest.approx(task.constant_loss(20), rel=0.02)


def test_adding_counts_as_solved_below_a_hundredth() -> None:
    assert TASKS["adding"].solved_below(50) == pytest.approx(0.01)


def _adding_half_remembered(inputs: Tensor) -> Tensor:
    return (marked(inputs)[1][0] + 0.5)[:, None]


def _multiplication_half_remembered(inputs: Tensor) -> Tensor:
    return (marked(inputs)[1][0] * 0.5)[:, None]


def _temporal_order_half_remembered(inputs: Tensor) -> Tensor:
    first = relevant(inputs)[1][0]
    possible = torch.tensor([0, 0, 1, 1]) == first[:, None]
    return torch.where(possible, 0.0, -50.0)


def _copy_half_remembered(inputs: Tensor) -> Tensor:
    answer = constant_answer(TASKS["copy"], len(inputs) - 20, inputs.shape[1]).clone()
    answer[-10:-5] = 50 * inputs[:5, :, :9]
    return answer


def _selective_copying_half_remembered(inputs: Tensor) -> Tensor:
    """The first two symbols."""
    shown = inputs.argmax(2)
    answer = constant_answer(TASKS["selective_copying"], len(inputs) - 4, inputs.shape[1]).clone()
    symbols = torch.stack([sequence[sequence < 4] for sequence in shown.t()], 1)
    answer[-4:-2] = 50 * F.one_hot(symbols[:2], 5)
    return answer


def _associative_recall_without_keys(inputs: Tensor) -> Tensor:
    """Every value that was shown alike."""
    answer = constant_answer(TASKS["associative_recall"], len(inputs) - 2, inputs.shape[1]).clone()
    answer[-2:, :, :8] = 50 * inputs[:, :, 2:10].sum(0)
    return answer


HALF_REMEMBERED = {
    "adding": _adding_half_remembered,
    "multiplication": _multiplication_half_remembered,
    "temporal_order": _temporal_order_half_remembered,
    "copy": _copy_half_remembered,
    "selective_copying": _selective_copying_half_remembered,
    "associative_recall": _associative_recall_without_keys,
    "forecast": lambda inputs: inputs[-1],
}
PLATEAUS = {
    "adding": 1 / 12,
    "multiplication": 1 / 36,
    "temporal_order": math.log(2),
    "copy": 5 * math.log(8) / 40,
    "selective_copying": 2 * math.log(4) / 24,
    "associative_recall": 2 * math.log(2) / 22,
    "forecast": 0.0211336832,  # the mean square of the steps over the variance, by numpy
}


@every_task
def test_the_table_states_the_published_plateau(task: Task) -> None:
    published = [PLATEAUS[task.name]] if task.name in PLATEAUS else []
    assert [loss for _, loss in task.plateaus(20)] == pytest.approx(published)


@pytest.mark.parametrize("name", HALF_REMEMBERED)
def test_a_predictor_that_remembers_one_half_sits_on_the_plateau(name: str) -> None:
    ((_, plateau),) = TASKS[name].plateaus(20)
    assert mean_loss(TASKS[name], 20, HALF_REMEMBERED[name]) == pytest.approx(plateau, rel=0.02)


def test_parity_without_one_of_its_bits_is_a_coin_toss() -> None:
    inputs, targets = drawn(TASKS["parity"], batch=SAMPLES)
    for known in range(2):
        odd = targets[inputs[:-1, :, 0].sum(0) % 2 == known].double().mean()
        assert float(odd) == pytest.approx(0.5, abs=0.01)


@every_task
@pytest.mark.parametrize("length", ["shortest", 20, 31])
def test_inputs_and_targets_have_the_documented_shapes(task: Task, length: int | str) -> None:
    length = task.shortest if isinstance(length, str) else length
    steps, batch = length + task.extra_steps, 7
    inputs, targets = drawn(task, length, batch)
    assert inputs.shape == (steps, batch, len(task.inputs))
    answers = (steps, batch) if task.every_step else (batch,)
    assert targets.shape == (answers if task.classes else (*answers, len(task.outputs)))
    assert (inputs.dtype, targets.dtype) == (torch.float32, torch.int64 if task.classes else torch.float32)
    assert constant_answer(task, length, batch).shape[-1] == len(task.outputs)


@every_task
def test_the_same_seed_gives_the_same_sample(task: Task) -> None:
    for once, again in zip(drawn(task, seed=3), drawn(task, seed=3), strict=True):
        assert torch.equal(once, again)


@every_task
def test_the_next_draw_is_a_fresh_sample(task: Task) -> None:
    rng = stream(3, Purpose.DATA)
    assert not torch.equal(task.draw(20, 100, rng)[0], task.draw(20, 100, rng)[0])


@every_task
def test_drawing_leaves_the_global_rng_alone(task: Task) -> None:
    before = torch.get_rng_state()
    drawn(task)
    assert torch.equal(before, torch.get_rng_state())


@marking_tasks
@pytest.mark.parametrize("length", [2, 7, 20, 50])
def test_one_mark_lies_anywhere_in_each_half(name: str, length: int) -> None:
    first, second = marked(drawn(TASKS[name], length, 5000)[0])[0]
    assert set(first.tolist()) == {t for t in range(length) if t < length / 2}
    assert set(second.tolist()) == {t for t in range(length) if t >= length / 2}


@marking_tasks
def test_values_are_uniform_between_0_and_1(name: str) -> None:
    values = drawn(TASKS[name], batch=5000)[0][:, :, 0].double()
    assert 0 <= float(values.min()) < 0.001
    assert 0.999 < float(values.max()) <= 1
    assert torch.histc(values, 10, 0, 1).div(values.numel()).tolist() == pytest.approx([0.1] * 10, abs=0.005)


def test_adding_asks_for_the_sum_of_the_marked_values() -> None:
    inputs, targets = drawn(TASKS["adding"])
    torch.testing.assert_close(targets[:, 0], marked(inputs)[1].sum(0))


def test_multiplication_asks_for_the_product_of_the_marked_values() -> None:
    inputs, targets = drawn(TASKS["multiplication"])
    torch.testing.assert_close(targets[:, 0], marked(inputs)[1].prod(0))


@pytest.mark.parametrize("length", [1, 20])
def test_copy_shows_ten_symbols_then_blanks_and_one_delimiter(length: int) -> None:
    shown = drawn(TASKS["copy"], length)[0].argmax(2)
    assert set(shown[:10].flatten().tolist()) == set(range(8))
    expected = [BLANK] * (length - 1) + [DELIMITER] + [BLANK] * 10
    assert (shown[10:] == torch.tensor(expected)[:, None]).all()


def test_copy_asks_for_blanks_and_then_the_symbols_in_order() -> None:
    inputs, targets = drawn(TASKS["copy"])
    assert (targets[:-10] == BLANK).all()
    assert torch.equal(targets[-10:], inputs[:10].argmax(2))


@pytest.mark.parametrize("length", [10, 23, 50, 100])
def test_temporal_order_places_its_symbols_in_the_published_ranges(length: int) -> None:
    early, late = relevant(drawn(TASKS["temporal_order"], length, 2000)[0])[0]
    assert set(early.tolist()) == {t for t in range(length) if length <= 10 * t < 2 * length}
    assert set(late.tolist()) == {t for t in range(length) if 5 * length <= 10 * t < 6 * length}


def test_temporal_order_asks_which_two_symbols_came_in_which_order() -> None:
    inputs, targets = drawn(TASKS["temporal_order"])
    names = ["".join("AB"[symbol] for symbol in pair) for pair in relevant(inputs)[1].t().tolist()]
    assert [TASKS["temporal_order"].outputs[target] for target in targets] == names


def test_latch_asks_for_the_sign_of_the_first_input() -> None:
    inputs, targets = drawn(TASKS["latch"])
    assert torch.equal(inputs[0, :, 0], torch.where(targets == 1, 1.0, -1.0))


def test_latch_goes_on_with_noise_of_variance_a_fifth_whatever_the_class() -> None:
    inputs, targets = drawn(TASKS["latch"], batch=10_000)
    for target in range(2):
        noise = inputs[1:, targets == target]
        assert float(noise.var()) == pytest.approx(0.2, rel=0.02)
        assert float(noise.mean()) == pytest.approx(0, abs=0.01)


def test_recall_asks_at_the_cue_for_the_first_symbol() -> None:
    inputs, targets = drawn(TASKS["recall"])
    shown = inputs.argmax(2)
    assert torch.equal(shown[0], targets)
    assert (shown[1:-1] == BLANK).all()
    assert (shown[-1] == CUE).all()


def test_parity_asks_whether_the_number_of_ones_is_odd() -> None:
    inputs, targets = drawn(TASKS["parity"])
    odd = torch.zeros(targets.shape, dtype=torch.bool)
    for bits in inputs[:, :, 0]:
        odd ^= bits == 1
    assert torch.equal(targets == 1, odd)


def test_running_parity_asks_at_every_step_whether_the_ones_so_far_are_odd() -> None:
    inputs, targets = drawn(TASKS["running_parity"])
    odd = torch.zeros(targets.shape[1:], dtype=torch.bool)
    for bits, asked in zip(inputs[:, :, 0], targets, strict=True):
        odd ^= bits == 1
        assert torch.equal(asked == 1, odd)


def test_parity_of_many_lengths_begins_at_any_step_and_counts_from_there() -> None:
    inputs, targets = drawn(TASKS["parity_varied"], 12, 5000)
    lengths = inputs.sum(2).sum(0)
    assert torch.equal(inputs.sum(2), (torch.arange(12)[:, None] >= 12 - lengths).float())
    assert torch.bincount(lengths.long(), minlength=13)[2:].div(5000).tolist() == pytest.approx([1 / 11] * 11, abs=0.02)
    odd = torch.zeros(targets.shape, dtype=torch.bool)
    for ones in inputs[:, :, 1]:
        odd ^= ones == 1
    assert torch.equal(targets == 1, odd)


@pytest.mark.parametrize("length", [4, 20])
def test_selective_copying_scatters_four_symbols_and_asks_for_them_in_order(length: int) -> None:
    inputs, targets = drawn(TASKS["selective_copying"], length)
    shown, blank, cue = inputs.argmax(2), 4, 5
    assert (shown[length:] == cue).all()
    assert (targets[:length] == blank).all()
    for sequence, asked in zip(shown[:length].t().tolist(), targets[length:].t().tolist(), strict=True):
        assert [symbol for symbol in sequence if symbol != blank] == asked


def test_selective_copying_uses_every_place_and_every_symbol_alike() -> None:
    shown = drawn(TASKS["selective_copying"], 10, SAMPLES)[0][:10].argmax(2)
    assert (shown < 4).double().mean(1).tolist() == pytest.approx([0.4] * 10, abs=0.01)
    counts = torch.bincount(shown[shown < 4])
    assert counts.div(4 * SAMPLES).tolist() == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize("length", [4, 20])
def test_associative_recall_asks_for_the_value_that_stood_after_each_key(length: int) -> None:
    inputs, targets = drawn(TASKS["associative_recall"], length)
    shown, blank = inputs.argmax(2), 10
    assert (shown[4:length] == blank).all()
    assert (targets[:length] == 8).all()
    for sequence, asked in zip(shown.t().tolist(), targets[length:].t().tolist(), strict=True):
        values = {sequence[0]: sequence[1] - 2, sequence[2]: sequence[3] - 2}
        assert len(set(values.values())) == 2
        assert sorted(sequence[length:]) == sorted(values) == [0, 1]
        assert [values[key] for key in sequence[length:]] == asked


def test_neither_the_place_of_a_key_nor_that_of_a_value_tells_what_is_asked_for_first() -> None:
    inputs, targets = drawn(TASKS["associative_recall"], 10, SAMPLES)
    shown = inputs.argmax(2)
    for first in (shown[0] == shown[10], shown[0] == 0, shown[1] - 2 == targets[10]):
        assert float(first.double().mean()) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", ["copy", "temporal_order", "recall", "selective_copying", "associative_recall"])
def test_symbols_are_one_hot(name: str) -> None:
    inputs = drawn(TASKS[name])[0]
    assert torch.equal(inputs, F.one_hot(inputs.argmax(2), inputs.shape[2]).float())


@every_task
def test_accuracy_is_1_for_right_classes_and_none_without_classes(task: Task) -> None:
    targets = drawn(task)[1]
    answer = F.one_hot(targets, len(task.outputs)).float() if task.classes else targets
    assert task.accuracy(answer, targets) == (1.0 if task.classes else None)


def test_copys_accuracy_counts_the_copied_symbols_alone() -> None:
    targets = drawn(TASKS["copy"])[1]
    blanks = F.one_hot(torch.full_like(targets, BLANK), 9).float()
    assert TASKS["copy"].accuracy(blanks, targets) == 0


def test_how_many_answers_count_may_depend_on_the_length() -> None:
    """Of five answers the first three have none that could be known; extra steps are no part of the length."""
    echo = dataclasses.replace(TASKS["copy"], counted_steps=lambda length: length - 3)
    targets = torch.zeros(5 + echo.extra_steps, 7, dtype=torch.long)
    answer = F.one_hot(targets, 9).float()
    answer[:-2] = answer[:-2].flip(-1)
    assert echo.accuracy(answer, targets) == 1
    answer[-1] = answer[-1].flip(-1)
    assert echo.accuracy(answer, targets) == 0.5
