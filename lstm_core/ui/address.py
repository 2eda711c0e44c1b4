"""
What does an address say? What is set on a page, in the words of the command line; whose random numbers it means; and
which engine has computed its race. It is read and written here alone, and remembered for pages that are come back to.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.language import _
from lstm_core.streams import CURRENT
from lstm_core.ui.control import Control
from lstm_core.ui.former import FORMER
from lstm_core.ui.session import ADDRESS, PROJECTED, PROJECTOR

STREAM, ENGINE = "stream", "engine"
# What an address may say beside settings of a page.
BESIDE = (STREAM, ENGINE, PROJECTOR)
MOST_SHOWN, LONGEST = 5, 60
AWAY = "_away"
# So long a browser may still show the address before the last one.
LAG_SECONDS = 2.0

LINK = ":material/link:"
NEWER = _("This link is older than today's random numbers: the settings are its own, the curves are new.")

Texts = dict[str, list[str]]


@dataclass
class _Book:
    """
    Of one visitor: the page he is on, the controls `placed` there with their defaults, those `drawn` now, and the keys
    of their widgets as `spots`, what is `said` of those that are not yet placed, what the address is known to say `now`
    and said `before`, `notes` on the link that he has come by, the words of each page that he has seen, the engine that
    his link names, and the words of that `link`.
    """

    page: str = ""
    placed: dict[str, tuple[Control, Any]] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    spots: dict[str, str] = field(default_factory=dict)
    said: Texts = field(default_factory=dict)
    now: Texts = field(default_factory=dict)
    before: tuple[Texts, float] = field(default_factory=lambda: ({}, -LAG_SECONDS))
    by_address: bool = False
    notes: list[str] = field(default_factory=list)
    pages: dict[str, Texts] = field(default_factory=dict)
    engine: str | None = None
    link: Texts | None = None


def _book() -> _Book:
    book: _Book = st.session_state.setdefault(ADDRESS, _Book())
    return book


def words() -> dict[str, str]:
    """What is set, other than by default, by the controls in sight, in the words of the command line."""
    book = _book()
    return _written(book, book.drawn)


def _written(book: _Book, keys: Iterable[str]) -> dict[str, str]:
    # A run that is told to stop may still be here when the next one has begun to place its own controls.
    placed = dict(book.placed)
    here = {key: book.spots[key] for key in list(keys) if key in placed}
    rows = ((key, *placed[key], spot) for key, spot in here.items() if st.session_state.get(spot) is not None)
    said = {key: (control.write(control.get(spot)), control.write(default)) for key, control, default, spot in rows}
    return {key: word for key, (word, by_default) in said.items() if word != by_default}


def arrive(page: str) -> None:
    """
    Begin a run of a page. Where the visitor has come from another page, by a link, or by his browser's back, its
    controls will be set to what the address says; if that is nothing, to what they were when he left.
    """
    book, address = _book(), _settings()
    st.session_state.setdefault(PROJECTED, st.query_params.get(PROJECTOR) == "true")
    here = book.page == page
    before, since = book.before
    lags = address == before and time.monotonic() - since < LAG_SECONDS
    stays = here and (address == book.now or lags or _texts(words()) != book.now)
    book.drawn = []
    if stays:
        return
    for key, (control, _default) in book.placed.items():
        control.forget(book.spots[key])
    # What the browser shows now was asked for, by a link or by its back: it does not lag.
    book.before = {}, -LAG_SECONDS
    said = address if address or here else book.pages.get(page, {})
    book.page, book.placed, book.now, book.said = page, {}, address, _of_today(said)
    book.spots = {}
    book.by_address, book.notes = bool(address), []
    if address and st.query_params.get(STREAM) != str(CURRENT):
        book.notes = [NEWER]
    engine = st.query_params.get(ENGINE)
    book.engine, book.link = engine if engine in (FUSED, REFERENCE_ENGINE) else None, None


def place(control: Control, key: str, default: Any, away: bool = False) -> Any:
    """
    Draw a control, with what the address says of it where the visitor has not touched it yet; its value. On a page that
    draws it in one of two places, it is `away` in the second: a browser would forget what was set in a widget that
    moves, so each place has a widget of its own, which takes over the value.
    """
    book = _book()
    spot = f"{key}{AWAY}" if away else key
    before = book.spots.get(key, spot)
    if before != spot and before in st.session_state:
        st.session_state[spot] = st.session_state.pop(before)
    elif spot not in st.session_state:
        control.put(spot, _read(control, key, default, book))
    book.placed[key], book.spots[key] = (control, default), spot
    book.drawn.append(key)
    value = control.draw(spot)
    # A message that no browser sends can take back a choice of one.
    return default if value is None else value


def _read(control: Control, key: str, default: Any, book: _Book) -> Any:
    texts = book.said.pop(key, None)
    if texts is None:
        return default
    value, fits = read(control, key, texts, default)
    if not fits:
        book.notes.append(
            _("`{said}` cannot be used, `{taken}` is taken.").format(
                said=_code("&".join(f"{key}={text}" for text in texts)), taken=_code(control.write(value))
            )
        )
    return value


def read(control: Control, key: str, texts: list[str], default: Any) -> tuple[Any, bool]:
    """The value that an address means by these texts, or the nearest one that there is; and whether it fits."""
    former = FORMER.get(key, {})
    meant = [former.get(text, text)[:1000] for text in texts]
    try:
        value = control.read(key, meant)
    except ValueError:
        return default, False
    nearest = control.fit(value)
    return nearest, nearest == value and (len(texts) == 1 or control.several)


def tell() -> None:
    """
    Say in one line what the link that the visitor has come by means otherwise, and what of it this page cannot use,
    until something else is set.
    """
    book = _book()
    if book.by_address:
        book.notes += [_("`{name}` is not set on this page.").format(name=_code(name)) for name in book.said]
        book.by_address, book.said, book.link = False, {}, _texts(words())
    more = len(book.notes) - MOST_SHOWN
    if more > 0:
        book.notes[MOST_SHOWN:] = [_("And {n} more.").format(n=more)]
    if book.notes and _texts(words()) == book.link:
        st.caption(f"{LINK} {' '.join(book.notes)}")
    else:
        book.notes = []


def write() -> None:
    """Let the address say what is set."""
    book, said = _book(), words()
    book.pages[book.page] = _texts(_written(book, book.placed))
    engine = {ENGINE: named} if (named := named_engine()) else {}
    stream = {STREAM: str(CURRENT)} if said else {}
    projector = {PROJECTOR: "true"} if st.session_state.get(PROJECTED) else {}
    wanted = {**said, **stream, **engine, **projector}
    if wanted != st.query_params.to_dict():
        book.before = book.now, time.monotonic()
        st.query_params.from_dict(wanted)
    book.now = _texts(said)


def put(values: Mapping[str, Any]) -> None:
    """Set this page's controls to these values, by their keys, all others to their defaults."""
    book = _book()
    for key, (control, default) in book.placed.items():
        control.put(book.spots[key], values.get(key, default))
    for key in values.keys() - book.placed:
        st.session_state[key] = values[key]


def exact(settings: Mapping[str, Any], engines: Iterable[str] = ()) -> dict[str, Any]:
    """The parameters of a link that gives the same numbers again, where one engine has computed them all."""
    computed_by = set(engines)
    engine = {ENGINE: computed_by.pop()} if len(computed_by) == 1 else {}
    return {**settings, STREAM: str(CURRENT), **engine}


def named_engine() -> str | None:
    """The engine that a link names, as long as what is set is what it says."""
    book, said = _book(), _texts(words())
    book.link = said if book.link is None else book.link
    return book.engine if said == book.link else None


def other_engine(engines: Iterable[str]) -> str:
    """Words on engines at work that are not the one which the link names; nothing where it is that one."""
    named = named_engine()
    if not named or all(engine == named for engine in engines):
        return ""
    return _("; the link was made on the {engine} engine, whose last digits are others").format(engine=named)


def _settings() -> Texts:
    return {name: st.query_params.get_all(name) for name in st.query_params if name not in BESIDE}


def _of_today(said: Texts) -> Texts:
    """As an address of today says it: chrono was a switch of its own."""
    if "chrono" not in said:
        return dict(said)
    spread = said["chrono"][-1].lower() == "true"
    others = {name: texts for name, texts in said.items() if name != "chrono"}
    return {**others, "forget_bias": ["chrono"]} if spread else {"forget_bias": ["1"], **others}


def _texts(said: Mapping[str, str]) -> Texts:
    return {name: [word] for name, word in said.items()}


def _code(text: str) -> str:
    """What somebody else has written, short, and as plain as it can be within Markdown's backticks."""
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return " ".join(shown.replace("`", "'").split()) or " "
