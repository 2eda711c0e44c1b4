"""Does any link, or any message to a page, do harm: break the page, or start more work than its controls offer?"""

import math
import operator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from lstm_core.experiment import CHRONO, Experiment
from lstm_core.openings.presets import OPENINGS
from lstm_core.race.limits import too_much
from lstm_core.race.race import Race
from lstm_core.ui import address
from lstm_core.ui.control import Control
from lstm_core.ui.former import FORMER
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import ADDRESS, SHOWING

ROOT = Path(__file__).parent.parent
LINKS, WORDS, MESSAGES = (
    settings(max_examples=examples, derandomize=True, deadline=None, database=None) for examples in (12, 24, 4)
)

MOST_RACERS, SEEDS = 6, 5
LIMITS = {
    "length": (10, 200),
    # Narrower than its slider allows where racers are made equal in weights.
    "hidden": (1, 128),
    "batch": (4, 128),
    "steps": (100, 3000),
    "lr": (1e-4, 10),
    "clip_at": (0.01, 100),
    "gain": (0, 3),
    "seed": (0, 2**32 - 1),
}
# The kinds of controls, and the fields of a message that carry their values.
FIELDS = {
    "slider": "double_array_value",
    "select_slider": "string_array_value",
    "selectbox": "string_value",
    "number_input": "double_value",
    "toggle": "bool_value",
    "pills": "string_array_value",
    "segmented_control": "string_array_value",
    "button": "trigger_value",
}

ODD = (
    *("", " ", ",", "0", "-0", "-1", "1e-320", "1e400", "-1e400", "NaN", "inf", "-Infinity", "0x10", "1_000"),
    *("true", "FALSE", "yes", "None", "null", "[]", "{}", "[10, 20]", "adam", "ifo", "chrono", "auto", "12:30"),
    *("'; DROP TABLE runs; --", "<script>alert(1)</script>", "$x^2$ :red[x] {y}", "%00", "\0", "../../etc/passwd"),
    *("½", "١٢", "안녕", "🏁", "\u202e\u0301", "9" * 5000, "x" * 100_000),
)
TEXTS = st.sampled_from(ODD) | st.text()
WHOLE = st.integers(-(2**63), 2**63 - 1)
EXTREMES = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0, -1.0, 2.0**32, 2.0**63)
NUMBERS = st.sampled_from(EXTREMES) | st.integers(-10, 4000).map(float) | WHOLE.map(float) | st.floats()
STRANGE = ("", "momentum", "engine", "weights", "biases", "page", "showing", "defaults", "embed", "start", "__class__")

# What the fields of a message may hold.
PAYLOADS: dict[str, SearchStrategy[Any]] = {
    "trigger_value": st.booleans(),
    "bool_value": st.booleans(),
    "int_value": WHOLE,
    "double_value": NUMBERS,
    "string_value": TEXTS,
    "double_array_value": st.lists(NUMBERS, max_size=3),
    "int_array_value": st.lists(WHOLE, max_size=3),
    "string_array_value": st.lists(TEXTS, max_size=9),
    "json_value": TEXTS,
    "bytes_value": st.binary(),
    "string_trigger_value": TEXTS,
}

Link = dict[str, list[str | bytes]]
_ANY: SearchStrategy[str | bytes] = TEXTS | NUMBERS.map(str) | st.binary(max_size=9)
ODDITIES: SearchStrategy[Any] = st.builds(operator.mul, st.lists(_ANY, max_size=3), st.sampled_from((*(1,) * 19, 200)))


@dataclass(frozen=True)
class Sent:
    """How a message names a control, the field of a message that it reads, and payloads that suit."""

    id: str
    field: str
    suits: SearchStrategy[Any]


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> list[Race]:
    """The races that ask to be trained. None is, and AppTest does not look through all packages at each visit."""
    races: list[Race] = []
    monkeypatch.setattr(Race, "renew", lambda race: races.append(race))
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda *_, **__: None)
    return races


def page(name: str, link: Link | None = None) -> AppTest:
    """A page before its first run, with an address."""
    visit = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    visit.query_params.update(link or {})
    return visit if name == "dashboard" else visit.switch_page(PAGES[name].path)


def send(visit: AppTest, *messages: WidgetState) -> None:
    """What a browser can send, and what none would: AppTest itself only sends values that it has checked."""
    visit._run(WidgetStates(widgets=messages))


@cache
def controls(name: str) -> list[Sent]:
    visit = page(name).run()
    check(visit, name)
    return [seen(widget, kind) for kind in FIELDS for widget in getattr(visit, kind)]


def seen(widget: Any, kind: str) -> Sent:
    one: SearchStrategy[Any]
    if kind in ("toggle", "button"):
        one = st.booleans()
    elif kind in ("slider", "number_input"):
        one = st.integers(math.ceil(widget.min), math.floor(widget.max)).map(float) | st.floats(widget.min, widget.max)
    else:
        one = st.sampled_from(widget.options)
    if kind == "pills":
        one = st.lists(one, unique=True)
    elif FIELDS[kind].endswith("_array_value"):
        one = one.map(lambda value: [value])
    return Sent(widget.id, FIELDS[kind], one)


@cache
def placed(name: str) -> dict[str, tuple[Control, Any]]:
    """The controls of a page, by the names that an address has for them."""
    visit = page(name).run()
    found: dict[str, tuple[Control, Any]] = visit.session_state[ADDRESS].placed
    return found


def texts(name: str, key: str) -> SearchStrategy[list[str]]:
    """What an address may say of a control: words of today, former labels, numbers, several of them, and nonsense."""
    control, default = placed(name)[key]
    known = [control.write(default), *FORMER.get(key, {}), *FORMER.get(key, {}).values(), "true", "false", "chrono"]
    numbers = st.integers(-5, 3500).map(str) | st.floats(-1, 300).map(lambda value: f"{value:.3g}")
    apt = (st.sampled_from(known) | numbers).map(lambda text: [text])
    return apt | st.lists(st.sampled_from(known), max_size=3) | ODDITIES


def links(name: str) -> SearchStrategy[Link]:
    """Any of the page's names, and a few of other pages or of none."""
    elsewhere = [key for other in OPENINGS for key in placed(other)]
    unknown = st.dictionaries(st.text() | st.sampled_from([*STRANGE, *elsewhere]), ODDITIES, max_size=3)
    known = {key: texts(name, key) for key in placed(name)}
    return st.builds(operator.or_, unknown, st.fixed_dictionaries({}, optional=known))


def message(name: str, field: str, payload: Any) -> WidgetState:
    whole = {"data": payload} if isinstance(payload, list) or field == "string_trigger_value" else payload
    fields: dict[str, Any] = {"id": name, field: whole}
    return WidgetState(**fields)


def messages_of_its_kind(control: Sent) -> SearchStrategy[WidgetState]:
    """Messages of the kind that the control reads, half of them with a value that suits."""
    return (control.suits | PAYLOADS[control.field]).map(lambda payload: message(control.id, control.field, payload))


def messages_of_any_kind(control: Sent) -> SearchStrategy[WidgetState]:
    """Messages of any kind at all."""
    return st.sampled_from(sorted(PAYLOADS)).flatmap(
        lambda field: PAYLOADS[field].map(lambda payload: message(control.id, field, payload))
    )


REFUSALS = (
    "Choose at least one racer.",
    "Choose a file with a series.",
    "This series cannot be used: ",
    "This race would take",
    "One training step of this race",
)


def check(visit: AppTest, name: str) -> None:
    """The page is whole, and shows a race or says why there is none."""
    assert [problem.value for problem in (*visit.exception, *visit.error)] == []
    assert [title.value for title in visit.title] == [PAGES[name].question]
    refusals = [shown.value for shown in (*visit.info, *visit.warning) if shown.value.startswith(REFUSALS)]
    assert (SHOWING in visit.session_state) == (not refusals)


def check_work(asking: list[Race]) -> None:
    """One race at most, with no more work than the controls offer."""
    assert len(set(asking)) <= 1
    for race in asking:
        assert len(race.racers) <= MOST_RACERS * SEEDS
        assert too_much(racer.experiment for racer in race.racers) is None
        assert [racer.experiment for racer in race.racers if not offered(racer.experiment)] == []


def offered(experiment: Experiment) -> bool:
    bias = experiment.forget_bias
    return (
        all(low <= getattr(experiment, field) <= high for field, (low, high) in LIMITS.items())
        and (bias == CHRONO or (isinstance(bias, float) and -2 <= bias <= 6))
        and (experiment.engine, experiment.momentum) == ("auto", 0.9)
    )


def follow(name: str, link: Link, asking: list[Race]) -> None:
    asking.clear()
    check(page(name, link).run(), name)
    check_work(asking)


def send_to_open_page(name: str, messages: list[WidgetState], asking: list[Race]) -> None:
    visit = page(name).run()
    asking.clear()
    send(visit, *messages)
    check(visit, name)
    check_work(asking)


@pytest.mark.parametrize("name", OPENINGS)
def test_no_link_does_harm(name: str, asking: list[Race]) -> None:
    raced = set()

    @LINKS
    @given(links(name))
    def any_link(link: Link) -> None:
        follow(name, link, asking)
        raced.add(tuple(racer.experiment for race in asking[:1] for racer in race.racers))

    any_link()
    assert len(raced) > 2, "the links hardly reach the controls"


@pytest.mark.parametrize("name", OPENINGS)
def test_whatever_an_address_says_of_a_control_is_a_value_that_it_can_say_again(name: str) -> None:
    @WORDS
    @given(st.sampled_from(sorted(placed(name))).flatmap(lambda key: st.tuples(st.just(key), texts(name, key))))
    def any_words(said: tuple[str, list[Any]]) -> None:
        key, found = said
        control, default = placed(name)[key]
        value, _fits = address.read(control, key, [str(text) for text in found] or [""], default)
        again, fits = address.read(control, key, [control.write(value)], default)
        assert (control.write(again), fits) == (control.write(value), True)

    any_words()


@pytest.mark.parametrize("name", OPENINGS)
def test_an_odd_value_is_the_default_or_one_that_a_control_can_say(name: str) -> None:
    for value in ODD:
        for key, (control, default) in placed(name).items():
            taken, fits = address.read(control, key, [value], default)
            control.write(taken)
            assert fits or taken == default or isinstance(taken, int | float)


@pytest.mark.parametrize("absurd", ["-999999999999", "1e400", "NaN", "<b>x</b>", "\0", "안녕"])
@pytest.mark.parametrize("name", OPENINGS)
def test_what_is_no_value_at_all_is_the_default(name: str, absurd: str) -> None:
    for key, (control, default) in placed(name).items():
        assert address.read(control, key, [absurd], default) == (default, False), key


@pytest.mark.parametrize("name", OPENINGS)
def test_no_odd_value_for_all_keys_at_once_does_harm(name: str, asking: list[Race]) -> None:
    for value in ODD[::8]:
        follow(name, {key: [value] for key in placed(name)}, asking)


@pytest.mark.parametrize("name", OPENINGS)
def test_no_values_sent_to_controls_do_harm(name: str, asking: list[Race]) -> None:
    @MESSAGES
    @given(st.lists(st.sampled_from(controls(name)).flatmap(messages_of_its_kind), min_size=1, max_size=20))
    def any_messages(messages: list[WidgetState]) -> None:
        send_to_open_page(name, messages, asking)

    any_messages()


@pytest.mark.parametrize("name", OPENINGS)
def test_no_number_out_of_range_sent_to_all_controls_at_once_does_harm(name: str, asking: list[Race]) -> None:
    numbers = [control for control in controls(name) if control.field in ("double_value", "double_array_value")]
    for value in EXTREMES:
        payloads = {"double_value": value, "double_array_value": [value]}
        send_to_open_page(name, [message(one.id, one.field, payloads[one.field]) for one in numbers], asking)


@pytest.mark.parametrize("name", OPENINGS)
def test_a_message_of_a_kind_that_no_browser_sends_costs_nobody_but_its_sender(name: str, asking: list[Race]) -> None:
    @MESSAGES
    @given(st.lists(st.sampled_from(controls(name)).flatmap(messages_of_any_kind), min_size=1, max_size=3))
    def strange_messages(messages: list[WidgetState]) -> None:
        sender = page(name).run()
        asking.clear()
        send(sender, *messages)
        check_work(asking)
        if not sender.exception:
            check(sender, name)
        visit = page(name).run()
        check(visit, name)
        assert dict(visit.session_state[SHOWING].experiments) == OPENINGS[name].experiments()

    strange_messages()
