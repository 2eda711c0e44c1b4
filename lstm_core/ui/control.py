"""What is a control? A widget, and the word that an address has for each of its values."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from lstm_core.cells import choose
from lstm_core.experiment import Experiment, checked, parsed

# Controls that are hidden for a while keep their values as long as the visitor stays on the page.
KEPT: Final = "page"
FIELDS = {spec.name: spec for spec in dataclasses.fields(Experiment)}

Names = Mapping[Any, str]
Words = Mapping[Any, str]


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Control:
    """
    A widget to `draw` under a key of the session state, with its value from there. `read` is the value of the texts
    that an address has under a name, or raises ValueError; `fit` the nearest value that the widget offers; `write` the
    word of a value. One of `several` values may stand in an address more than once.
    """

    draw: Callable[[str], Any]
    read: Callable[[str, Sequence[str]], Any]
    write: Callable[[Any], str]
    fit: Callable[[Any], Any] = _itself
    several: bool = False

    def get(self, key: str) -> Any:
        """The value that is set."""
        return st.session_state[key]

    def put(self, key: str, value: Any) -> None:
        """Set it to a value, before it is drawn."""
        st.session_state[key] = value

    def forget(self, key: str) -> None:
        """Leave no value."""
        st.session_state.pop(key, None)


def said(value: Any) -> str:
    """A value in the words of the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else str(value)


def of_field(name: str, texts: Sequence[str]) -> Any:
    """A value of a field of `Experiment`, as the command line reads it."""
    return checked(FIELDS[name], parsed(FIELDS[name], texts[-1]))


def slider(label: str, low: float, high: float, step: float, about: str | None = None) -> Control:
    return Control(
        lambda key: st.slider(label, low, high, step=step, key=key, help=about, persist_state=KEPT),
        of_field,
        said,
        lambda value: min(max(value, low), high),
    )


def ordered(label: str, names: Names, about: str | None = None) -> Control:
    """One of many that have an order."""

    def draw(key: str) -> Any:
        return st.select_slider(
            label, list(names), format_func=names.__getitem__, key=key, help=about, persist_state=KEPT
        )

    def nearest(value: Any) -> Any:
        return value if value in names else min(names, key=lambda option: abs(option - value))

    return Control(draw, of_field, said, nearest)


def choice(label: str, names: Names, about: str | None = None, words: Words | None = None) -> Control:
    """One of a few, all of them in sight; a field's value, unless there are `words` of its own."""

    def draw(key: str) -> Any:
        return st.segmented_control(
            label,
            list(names),
            required=True,
            wrap=True,
            format_func=names.__getitem__,
            key=key,
            help=about,
            persist_state=KEPT,
        )

    return _of_words(draw, words)


def select(
    label: str,
    names: Names,
    about: str | None = None,
    words: Words | None = None,
    changed: Callable[[], None] | None = None,
) -> Control:
    """One of many; a field's value, unless there are `words` of its own; what is done when it has `changed`."""

    def draw(key: str) -> Any:
        return st.selectbox(
            label,
            list(names),
            format_func=names.__getitem__,
            key=key,
            help=about,
            persist_state=KEPT,
            on_change=changed,
        )

    return _of_words(draw, words)


def radio(label: str, names: Names, about: str, changed: Callable[[], None]) -> Control:
    """One of many, all of them in sight, by its own name; what is done when it has `changed`."""

    def draw(key: str) -> Any:
        options = list(names)
        return st.radio(label, options, key=key, format_func=names.__getitem__, on_change=changed, help=about)

    return _of_words(draw, dict(zip(names, names, strict=True)))


def text(label: str, longest: int) -> Control:
    """A few letters to type."""
    return Control(
        lambda key: st.text_input(label, key=key, max_chars=longest), lambda name, texts: texts[-1][:longest], str
    )


def _of_words(draw: Callable[[str], Any], words: Words | None) -> Control:
    if words is None:
        return Control(draw, of_field, said)
    values = {word: value for value, word in words.items()}

    def read(name: str, texts: Sequence[str]) -> Any:
        choose(name, texts[-1], values)
        return values[texts[-1]]

    return Control(draw, read, words.__getitem__)


def toggle(label: str, about: str | None = None) -> Control:
    def read(name: str, texts: Sequence[str]) -> bool:
        choose(name, texts[-1].lower(), ("true", "false"))
        return texts[-1].lower() == "true"

    return Control(lambda key: st.toggle(label, key=key, help=about, persist_state=KEPT), read, said)


@dataclass(frozen=True)
class _WholeNumber(Control):
    """A float inside, because a whole-number input raises OverflowError at a message that says inf."""

    def put(self, key: str, value: Any) -> None:
        super().put(key, float(value))


def seed(label: str, about: str) -> Control:
    """A seed to type."""
    low, high = (float(FIELDS["seed"].metadata[end]) for end in ("low", "high"))

    def draw(key: str) -> int:
        return int(st.number_input(label, low, high, step=1.0, format="%.0f", key=key, help=about, persist_state=KEPT))

    return _WholeNumber(draw, of_field, lambda value: f"{value:.0f}")


def pills(label: str, names: Names, words: Words, about: str | None = None, between: str = ",") -> Control:
    """Any of a few, in the order of `names`; their words stand `between` commas."""

    def draw(key: str) -> list[Any]:
        chosen = st.pills(
            label,
            list(names),
            selection_mode="multi",
            format_func=names.__getitem__,
            key=key,
            help=about,
            persist_state=KEPT,
        )
        return [option for option in names if option in chosen]

    values = {word: value for value, word in words.items()}

    def read(name: str, texts: Sequence[str]) -> list[Any]:
        parts = [part for text in texts for part in (text.split(between) if between else text) if part]
        for part in parts:
            choose(name, part, values)
        return [option for option in names if words[option] in parts]

    def write(chosen: Sequence[Any]) -> str:
        return between.join(words[option] for option in names if option in chosen)

    return Control(draw, read, write, several=True)


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A word for each of these names: small letters, digits and underscores."""
    return {name: re.sub(r"\W+", "_", name.lower()).strip("_") for name in names}
