"""Does a visitor's own file become the series that he meant, is it raced on, and is it gone when he has left?"""

import gc
import math
import time
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core.reading import table
from lstm_core.reading.table import Table
from lstm_core.streams import CURRENT
from lstm_core.tasks import series
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import LEFT_OUT, Series, known
from lstm_core.ui import upload as uploads
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import SHELF, SHOWING
from lstm_core.ui.upload import OWN_LABEL
from tests.reading.test_table import BAD
from tests.test_forecast_page import experiment, texts, upload
from tests.visits import check, open_page, settled, unfolded

QUICK = {"steps": "100", "hidden": "4", "batch": "8", "activations": "tanh"}
WAVE = [math.sin(i / 7) + 0.2 * math.cos(i * i) for i in range(150)]


def csv_of(values: list[float]) -> bytes:
    return ("day,x\n" + "".join(f"{1900 + i},{value!r}\n" for i, value in enumerate(values))).encode()


def held_by(visit: AppTest) -> Series:
    held: Series | None = visit.session_state[SHELF].series
    assert held is not None
    return held


def season_of(visit: AppTest) -> Any:
    return next(box for box in visit.number_input if box.label == "Season")


def test_a_file_is_raced_on_and_its_gaps_are_told(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    assert SHOWING not in visit.session_state
    content = csv_of(WAVE).replace(b"1905,", b"1905,NA#").replace(b"NA#" + repr(WAVE[5]).encode(), b"NA")
    upload(visit, content)
    held = held_by(visit)
    assert experiment(visit).series == held.name
    assert held.values[6:] == tuple(WAVE[6:])
    assert held.values[5] == WAVE[4]
    assert [place for place, there in enumerate(held.known) if not there] == [5]
    said = "150 values. Read as UTF-8, cells separated by comma. Step: 1. Missing: 1 cell without a value."
    assert said in texts(visit)
    check(visit.segmented_control(key="gaps").set_value(LEFT_OUT).run())
    assert held_by(visit).gaps == LEFT_OUT
    assert experiment(visit).series == held_by(visit).name != held.name


def answer(visit: AppTest, option: str, choice: str) -> None:
    (asked,) = [radio for radio in visit.radio if (radio.key or "").startswith(f"{option} ")]
    check(asked.set_value(choice).run())


def test_what_was_said_of_one_column_is_asked_again_of_another(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    rows = "".join(f"{1000 + i * i % 97:,};{2000 + i * i % 89:,}\n" for i in range(60))
    upload(visit, f"x;y\n{rows}".encode())
    answer(visit, "decimal", "comma")
    assert held_by(visit).values[:2] == (1.0, 1.001)
    check(visit.selectbox(key="column").set_value("y").run())
    assert SHOWING not in visit.session_state
    answer(visit, "decimal", "point")
    assert held_by(visit).values[:2] == (2000, 2001)


def test_what_can_be_read_in_two_ways_is_asked(visits: list[AppTest]) -> None:
    """And raced on when it is answered, as it was answered."""
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    days = "".join(f"{1 + i % 12:02}/01/{2000 + i // 12};{1000 + i * i % 97:,}\n" for i in range(40))
    upload(visit, f"day;x\n{days}".encode())
    assert SHOWING not in visit.session_state
    answer(visit, "decimal", "point")
    assert SHOWING not in visit.session_state
    answer(visit, "dates", "mdy")
    assert held_by(visit).values[:3] == (1000, 1001, 1004)
    assert "Step: a month." in texts(visit)
    answer(visit, "decimal", "comma")
    assert held_by(visit).values[:3] == (1.0, 1.001, 1.004)


def test_the_first_and_last_rows_are_shown_as_they_were_read(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    upload(
        visit,
        "".join(["날짜;값\n", *(f"2024년 {1 + i // 28}월 {1 + i % 28}일;1 000,{i}\n" for i in range(60))]).encode(
            "cp949"
        ),
    )
    shown = visit.dataframe[0].value
    assert list(shown.iloc[0]) == ["2024년 1월 1일", "1 000,0", "1000"]
    assert list(shown.iloc[-1]) == ["2024년 3월 4일", "1 000,59", "1000.59"]


def test_another_column_and_a_season_are_another_series(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    content = "day,x,y\n" + "".join(f"{1900 + i},{value},{-value}\n" for i, value in enumerate(WAVE))
    upload(visit, content.encode())
    first = experiment(visit)
    check(visit.selectbox(key="column").set_value("y").run())
    second = experiment(visit)
    check(season_of(visit).set_value(7.0).run())
    third = experiment(visit)
    assert len({first.series, second.series, third.series}) == 3
    assert known(third.series).period == 7
    assert "seasonal naive" in set(unfolded(visit, "Scores").dataframe[-1].value.iloc[:, 0])


def test_a_column_beside_the_series_is_an_input_and_keeps_what_was_set(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    rows = "".join(f"{1900 + i},{value},{i * i % 17},word\n" for i, value in enumerate(WAVE))
    upload(visit, f"day,x,y,z\n{rows}".encode())
    check(season_of(visit).set_value(9.0).run())
    (further,) = visit.multiselect
    assert further.options == ["y"]
    check(further.set_value(["y"]).run())
    held = held_by(visit)
    assert [(one.label, one.values) for one in held.beside] == [("y", tuple(float(i * i % 17) for i in range(150)))]
    assert held.period == 9
    assert len(experiment(visit).problem.inputs) == 2
    settled(visit)
    unfolded(visit, "Take it home")
    (code,) = [block.value for block in visit.code if "lstm_core" in block.value]
    assert "forecaster(values, steps=10, beside=beside)" in code


def test_a_series_without_logarithms_says_which_value_has_none(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series="sines", log="true", **QUICK)
    (warning,) = visit.warning
    assert warning.value.startswith("This series cannot be used: log: column 'Two sines and noise': -0.0")
    assert SHOWING not in visit.session_state
    check(visit.toggle(key="log").set_value(False).run())
    assert SHOWING in visit.session_state


def test_a_chosen_file_is_opened_once(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[int] = []

    def opened(content: bytes) -> Table:
        times.append(len(content))
        return table.opened(content)

    monkeypatch.setattr(uploads, "opened", opened)
    upload(open_page(visits, "forecast", series=OWN_LABEL, **QUICK), csv_of(WAVE))
    assert len(times) == 1


def test_the_season_of_each_column_is_found_and_can_be_changed_for_good(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    content = "weekly,other\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(150))
    upload(visit, content.encode())
    assert season_of(visit).value == known(experiment(visit).series).period == 7
    check(season_of(visit).set_value(14.0).run())
    assert known(experiment(visit).series).period == 14
    check(visit.run())
    assert season_of(visit).value == 14
    check(visit.selectbox(key="column").set_value("other").run())
    assert season_of(visit).value == known(experiment(visit).series).period == 5


@pytest.mark.parametrize("kind", [*BAD, "one row", "constant", "dates out of order"])
def test_a_bad_file_gets_one_message_and_no_race(kind: str, visits: list[AppTest]) -> None:
    more: dict[str, str | bytes] = {
        "one row": "x\n1\n",
        "constant": "x\n" + "1\n" * 50,
        "dates out of order": "t,x\n2024-01-02,1\n2024-01-01,2\n",
    }
    content = more[kind] if kind in more else BAD[kind][0]
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    visit.file_uploader[0].upload("own.csv", content if isinstance(content, bytes) else content.encode()).run()
    if kind == "all missing" or "column 'x' is not one of" in BAD.get(kind, ("", ""))[1]:
        # Another column is there to be guessed.
        check(visit)
        return
    check(visit)
    (message,) = visit.warning
    assert message.value.startswith(("line ", "column ", "the file "))
    assert SHOWING not in visit.session_state
    assert visit.session_state[SHELF].series is None


def test_a_series_is_there_again_when_one_comes_back_to_its_page_until_it_is_let_go_of(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, stream=str(CURRENT), **QUICK)
    upload(visit, csv_of([value + 3 for value in WAVE]))
    first = experiment(visit)
    check(visit.switch_page(PAGES["depth"].path).run())
    check(visit.switch_page(PAGES["forecast"].path).run())
    assert experiment(visit) == first
    assert "Your series from before: x, 150 values." in texts(visit)
    check(visit.slider(key="horizon").set_value(2).run())
    assert experiment(visit).series == first.series
    check(visit.button(key="let go").click().run())
    assert [message.value for message in visit.warning] == ["Choose a file with a series."]


def test_after_a_bad_file_a_good_one_races(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, stream=str(CURRENT), **QUICK)
    upload(visit, b"x\nno\n")
    upload(visit, csv_of(WAVE))
    assert [message.value for message in visit.warning] == []
    assert visit.session_state[SHOWING].race.running


def test_another_file_after_a_race_leaves_no_ghosts_of_a_series_that_is_gone(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    upload(visit, csv_of([3 * value for value in WAVE]))
    settled(visit)
    check(visit.button(key="pin").click().run())
    gone = experiment(visit).series
    upload(visit, csv_of(WAVE))
    gc.collect()
    assert gone not in series._own
    assert visit.session_state[SHOWING].behind == ()
    settled(visit)


def test_a_window_that_is_too_long_for_the_series_says_what_to_lower(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", series=SERIES["us_employment"].label, length="100")
    (warning,) = visit.warning
    assert warning.value.startswith("This series cannot be used: length: 100 and a horizon of 1 need 101 values")
    assert "lower the length to at most 83, or the horizon" in warning.value
    assert SHOWING not in visit.session_state
    check(visit.slider(key="length").set_value(50).run())
    assert SHOWING in visit.session_state


def until_gone(name: str) -> bool:
    """Within a second."""
    for _ in range(20):
        if name not in series._own:
            return True
        time.sleep(0.05)
    return False


def test_what_was_uploaded_is_gone_when_the_visitor_has_left(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LEASE_SECONDS", 0.1)
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    upload(visit, csv_of([value + 1 for value in WAVE]))
    settled(visit)
    name = experiment(visit).series
    assert name in series._own
    st.cache_resource.clear()
    assert until_gone(name)
    assert visit.session_state[SHELF].file is None


def test_a_visitor_who_has_not_left_keeps_the_series_or_gets_it_back(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can clear the caches of all."""
    monkeypatch.setattr(uploads, "LEASE_SECONDS", 0.1)
    visit = open_page(visits, "forecast", series=OWN_LABEL, **QUICK)
    upload(visit, csv_of([value + 2 for value in WAVE]))
    settled(visit)
    name = experiment(visit).series
    st.cache_resource.clear()
    visit.session_state[SHELF].renew()
    assert not until_gone(name)
    check(visit.run())
    st.cache_resource.clear()
    assert until_gone(name)
    check(visit.run())
    assert experiment(visit).series == name
    assert name in series._own
