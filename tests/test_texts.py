"""Can a visitor read every text, and can it be translated? Whole literals, short captions, known words, true claims."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.words import VARIANTS, WORDS, meanings, pattern, used
from lstm_core.claims import ROWS
from lstm_core.openings.presets import (
    ACTIVATION_RACERS,
    COMPARISONS,
    FAMILY_RACERS,
    GATE_SETS,
    OPENINGS,
    WIRING_RACERS,
)
from tests.syntax import TRANSLATED, called, is_no_text, is_translated, literals, nodes

ROOT = Path(__file__).parent.parent
CORE = ROOT / "lstm_core"
# What is said in them does not come through `_` yet.
SHOWN = [
    ROOT / "dashboard.py",
    *sorted(ROOT.glob("pages/*.py")),
    *(file for folder in ("ui", "charts", "claims") for file in sorted((CORE / folder).glob("*.py"))),
]
FILES = [ROOT / "dashboard.py", *sorted(ROOT.glob("pages/*.py")), *sorted(CORE.rglob("*.py"))]
MOST_WORDS = 25

# Options that are names of their own, in addresses too.
OPTIONS = {"Stacks of layers", "Dense in time", "equal hidden size", "equal number of weights"}
RACERS = {
    *FAMILY_RACERS,
    *ACTIVATION_RACERS,
    *GATE_SETS,
    *WIRING_RACERS,
    *COMPARISONS,
    *(name for racers in COMPARISONS.values() for name in racers),
    *(name for opening in OPENINGS.values() for name in opening.racers),
    *(name for claim in ROWS.values() for name in (*claim.racers, *claim.drawn)),
}
MARKUP = re.compile(
    r"""
      :[a-z-]+\[            # a colour of Streamlit's
    | :material/\w+:
    | &\w+;                 # an entity
    | <[^>]*>
    | \\(?:begin|end)\{\w+\} | \\[A-Za-z]+
    | [?&]\w+=\w*           # a part of an address
    | \w+\( | \bdatum\.\w* | \w+\s==\s | (?<!\w)'[^']*'(?!\w)   # an expression of Vega's
    """,
    re.VERBOSE,
)
# The name of a file without its end, or the end.
FILE = re.compile(r"\.\w+|\w+\.")
PLACE = re.compile(r"\{[^{}]*\}")
UNNAMED = re.compile(r"\{(?:\}|[:!\d])")


def words(text: str) -> list[str]:
    """What counts as a word: anything with a letter or a digit."""
    return [word for word in text.split() if re.search(r"\w", word)]


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


every_shown_file = pytest.mark.parametrize("file", SHOWN, ids=named)
every_file = pytest.mark.parametrize("file", FILES, ids=named)


@every_shown_file
def test_no_text_is_glued_together_in_an_f_string(file: Path) -> None:
    glued = []
    for place in nodes(file):
        is_format = any(field == "format_spec" for _node, field in place.inside)
        if isinstance(place.node, ast.JoinedStr) and not is_format and not is_no_text(place):
            parts = [str(part.value) for part in place.node.values if isinstance(part, ast.Constant)]
            text = " ".join(MARKUP.sub(" ", part) for part in parts if not FILE.fullmatch(part))
            glued += [f"{place.node.lineno}: {text}"] if re.search(r"[^\W\d_]{3,}", text) else []
    assert glued == []


@every_file
def test_what_is_translated_is_one_literal_whose_places_have_names(file: Path) -> None:
    wrong = []
    for place in nodes(file):
        if called(place.node) in TRANSLATED and isinstance(place.node, ast.Call):
            texts = place.node.args[: 1 if called(place.node) == "_" else 2]
            whole = all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts)
            fit = len(place.node.args) == (1 if called(place.node) == "_" else 3) and not place.node.keywords
            unnamed = whole and any(UNNAMED.search(str(ast.literal_eval(text))) for text in texts)
            wrong += [] if whole and fit and not unnamed else [place.node.lineno]
    assert wrong == []


@every_shown_file
def test_a_text_of_several_words_is_translated(file: Path) -> None:
    plain = []
    for place in nodes(file):
        text = place.node.value if isinstance(place.node, ast.Constant) else None
        if not isinstance(text, str) or is_translated(place) or is_no_text(place):
            continue
        in_f_string = isinstance(place.inside[0][0], ast.JoinedStr)
        several = " " in text.strip() and len(re.findall(r"[^\W\d_]{2,}", MARKUP.sub(" ", text))) >= 2
        if several and not in_f_string and text not in RACERS | OPTIONS:
            plain.append(f"{place.node.lineno}: {text}")  # type: ignore[attr-defined]
    assert plain == []


# What Streamlit shows by its first argument.
WIDGET = re.compile(
    "button|caption|download_button|error|expander|file_uploader|info|markdown|number_input|popover|selectbox|slider|"
    "subheader|success|text_area|text_input|title|toast|toggle|warning"
)


@every_shown_file
def test_a_widget_and_a_charts_title_are_translated_even_where_they_are_one_word(file: Path) -> None:
    plain = []
    for place in nodes(file):
        name = called(place.node)
        if isinstance(place.node, ast.Call) and (name == "chart" or WIDGET.fullmatch(name)):
            shown = place.node.args[name == "chart" :][:1]
            texts = [text.value for text in shown if isinstance(text, ast.Constant)]
            plain += [text for text in texts if re.search(r"[^\W\d_]{2,}", MARKUP.sub(" ", str(text)))]
    assert plain == []


def _said_in(node: ast.AST, names: dict[str, list[str]]) -> Iterator[str]:
    """The literals in an argument, and those that stand behind the names in it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name):
            yield from names.get(part.id, ())


def short_ones(file: Path) -> Iterator[str]:
    """What stands in captions and helps."""
    names: dict[str, list[str]] = {}
    for place in nodes(file):
        if isinstance(place.node, ast.Assign) and isinstance(place.node.targets[0], ast.Name):
            inside = ast.walk(place.node.value)
            said = [
                str(one.args[0].value)
                for one in inside
                if called(one) == "_" and isinstance(one, ast.Call) and isinstance(one.args[0], ast.Constant)
            ]
            names.setdefault(place.node.targets[0].id, []).extend(said)
    for place in nodes(file):
        if called(place.node) == "caption" and isinstance(place.node, ast.Call) and place.node.args:
            yield from _said_in(place.node.args[0], names)
        if isinstance(place.node, ast.keyword) and place.node.arg == "help":
            yield from _said_in(place.node.value, names)


@every_file
def test_a_caption_and_a_help_are_short(file: Path) -> None:
    assert [text for text in short_ones(file) if len(words(text)) > MOST_WORDS] == []


@pytest.mark.parametrize("name", CHARTS)
def test_what_is_said_of_a_chart_is_short(name: str) -> None:
    assert len(words(CHARTS[name].said)) <= MOST_WORDS


def _plain(text: str) -> str:
    """Without places for numbers and names, code, and markup, and without the words that are explained."""
    text = MARKUP.sub(" ", PLACE.sub(" ", re.sub(r"`[^`]*`", " ", text)))
    for word in sorted(WORDS, key=len, reverse=True):
        text = pattern(word).sub(" ", text)
    return text


def unexplained(text: str) -> set[str]:
    """Its words of three letters and more that are not among `WORDS`, in lower case."""
    return {word.casefold() for word in re.findall(r"(?<![\w.])[^\W\d_]{3,}(?![\w])", _plain(text))}


def common() -> set[str]:
    """What a first-year student knows, and names."""
    return set((ROOT / "tests" / "words.txt").read_text().split())


@every_file
def test_every_word_is_a_common_one_or_is_explained(file: Path) -> None:
    strange = {word for text in literals(file) for word in unexplained(text)} - common()
    assert sorted(strange) == []


def test_the_common_words_are_sorted_and_all_in_use() -> None:
    listed = (ROOT / "tests" / "words.txt").read_text().split()
    used = {word for file in FILES for text in literals(file) for word in unexplained(text)}
    assert listed == sorted(set(listed))
    assert sorted(set(listed) - used) == []


@pytest.mark.parametrize("word", WORDS)
def test_a_strange_word_is_explained_in_one_sentence_and_used(word: str) -> None:
    assert WORDS[word].endswith(".")
    assert not re.search(r"[.!?] ", WORDS[word])
    said = [text for file in FILES for text in literals(file) if text != WORDS[word]]
    assert sum(bool(pattern(word).search(text)) for text in said) > 1


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_explains_the_strange_words_in_its_title_and_in_what_is_said_of_it(name: str) -> None:
    chart = CHARTS[name]
    assert chart.caption in chart.help
    explained = {word for text in (chart.title, chart.reading, chart.why) for word in used(text)}
    assert {word for word in explained if f"**{word}**: {WORDS[word]}" not in chart.help} == set()


def test_what_is_part_of_a_longer_word_is_not_explained() -> None:
    assert meanings("the spectral norm") == f"**spectral norm**: {WORDS['spectral norm']}"
    assert meanings("of Jacobians") == f"**Jacobian**: {WORDS['Jacobian']}"
    assert meanings("nothing strange here") == ""


def test_the_variants_acronyms_are_spelt_out() -> None:
    assert set(VARIANTS) == set(GATE_SETS) - {"no gates"}
    assert all(shown.startswith(f"{name} (") for name, shown in VARIANTS.items())
