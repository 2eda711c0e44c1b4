"""Can a visitor read every text, and can it be translated? Whole literals, short captions, known words, true claims."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.words import VARIANTS, WORDS, meanings, pattern, used
from lstm_core.claims import ROWS
from lstm_core.claims.evidence import CONDITIONAL, CONFIRMED, REFUTED, THEOREM, UNDECIDED
from lstm_core.claims.verdicts import findings, recorded
from lstm_core.openings.presets import (
    ACTIVATION_RACERS,
    COMPARISONS,
    FAMILY_RACERS,
    GATE_SETS,
    OPENINGS,
    WIRING_RACERS,
)

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
TRANSLATED = ("_", "ngettext")

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
# Names of what holds keys, code, or what an address says.
CODE = {"key", "css", "FOR_FINGERS", "FRAME", "_STAR", "_NEAREST", "_ON_THE_RACE", "snippet"}
# Of arguments that are no texts.
NO_TEXTS = {"key", "address", "shape"}
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


class Node(NamedTuple):
    """A node of a syntax tree, and what it stands in, from the inside out, each with the name of its field."""

    node: ast.AST
    inside: tuple[tuple[ast.AST, str], ...]


@cache
def nodes(file: Path) -> tuple[Node, ...]:
    """All of a file, but for what an error says, and docstrings."""

    def below(node: ast.AST, inside: tuple[tuple[ast.AST, str], ...]) -> Iterator[Node]:
        yield Node(node, inside)
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                if isinstance(child, ast.AST) and not isinstance(child, ast.Raise | ast.Assert) and not is_docstring:
                    yield from below(child, ((node, field), *inside))

    return tuple(below(ast.parse(file.read_text()), ()))


def called(node: ast.AST) -> str:
    """The last part of the name of what is called; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_no_text(place: Node) -> bool:
    """Whether it stands where keys and code do: an index, a name in a table, a comparison, `key=`."""
    for node, field in place.inside:
        if isinstance(node, ast.keyword) and node.arg in NO_TEXTS:
            return True
        if (isinstance(node, ast.Dict) and field == "keys") or (isinstance(node, ast.DictComp) and field == "key"):
            return True
        if (
            called(node) == "html"
            or isinstance(node, ast.Compare)
            or (isinstance(node, ast.Subscript) and field == "slice")
        ):
            return True
        if isinstance(node, ast.FunctionDef) and node.name in CODE:
            return True
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id in CODE for to in node.targets):
            return True
    return False


def is_translated(place: Node) -> bool:
    return any(called(node) in TRANSLATED and isinstance(node.func, ast.Name) for node, _field in place.inside)  # type: ignore[attr-defined]


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


@cache
def literals(file: Path) -> tuple[str, ...]:
    """All that is translated in a file."""
    if "lstm_core.language" not in file.read_text():
        return ()
    calls = [place.node for place in nodes(file) if called(place.node) in TRANSLATED]
    arguments = [text for call in calls if isinstance(call, ast.Call) for text in call.args]
    return tuple(str(text.value) for text in arguments if isinstance(text, ast.Constant))


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
    assert all(shown.startswith(f"{name}: ") for name, shown in VARIANTS.items())


# How a text calls a racer, beside its label.
CALLED = {
    "RNN": "vanilla RNN",
    "ReLU with W_h = I": "ReLU, W_h = I",
    "all three gates": "your cell",
    "coupled gates": "CIFG",
    "without the forget gate": "NFG",
    "without any gate": "no gates",
}
SOLVES = re.compile(r"\b(solve[sd]?|solving)\b", re.IGNORECASE)
NOT_SO = re.compile(r"\b(not|never|cannot|no network|none)\b", re.IGNORECASE)
ALWAYS = re.compile(r"\b(always|never|every time)\b", re.IGNORECASE)


def outcomes(page: str) -> dict[str, tuple[int, int]]:
    """Of each racer of a page's opening: of how many seeds it solved the task, and how many there are, as recorded."""
    record = (ROOT / "benchmarks" / "openings.md").read_text()
    section = record.partition(f"## {page}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {label: (sum(cell.startswith("**") for cell in cells), len(cells)) for label, *cells in rows[2:-1]}


def held(page: str) -> tuple[int, int]:
    """For how many seeds a page's claim held, of how many."""
    record = (ROOT / "benchmarks" / "openings.md").read_text()
    section = record.partition(f"## {page}\n")[2].partition("\n## ")[0]
    found = re.search(r"Held for (\d+) of (\d+) seeds", section)
    assert found
    return int(found[1]), int(found[2])


def racers_named(sentence: str, page: str) -> list[str]:
    """The racers of a page's opening that a sentence names; of names within names the longest."""
    names = {label: label for label in OPENINGS[page].racers} | {
        name: label for name, label in CALLED.items() if label in OPENINGS[page].racers
    }
    found = []
    for name in sorted(names, key=len, reverse=True):
        sentence, times = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", "·", sentence, flags=re.IGNORECASE)
        found += [names[name]] if times else []
    return found


def too_strong(text: str, page: str) -> list[str]:
    """Sentences on a page's opening that say more than is recorded, or of nobody in particular."""
    wrong = []
    for sentence in re.split(r"(?<=[.!?]) ", text):
        all_held = held(page)[0] == held(page)[1]
        if ALWAYS.search(sentence) and not all_held:
            wrong.append(sentence)
        if not SOLVES.search(sentence):
            continue
        racers = racers_named(sentence, page)
        for solved, seeds in (outcomes(page)[racer] for racer in racers):
            all_of_them = 0 if NOT_SO.search(sentence) else seeds
            if solved != all_of_them and f"{solved} of {seeds}" not in sentence:
                wrong.append(sentence)
        wrong += [] if racers else [sentence]
    return wrong


@pytest.mark.parametrize("page", OPENINGS)
def test_a_page_says_solved_only_where_every_recorded_seed_was(page: str) -> None:
    file = ROOT / ("dashboard.py" if page == "dashboard" else f"pages/{page}.py")
    assert [sentence for text in literals(file) for sentence in too_strong(text, page)] == []


def test_sentences_that_are_too_strong_are_found() -> None:
    assert too_strong("The LSTM solves it.", "dashboard") == []
    assert too_strong("The RNN solves it.", "dashboard") == ["The RNN solves it."]
    assert too_strong("The task is solved.", "dashboard") == ["The task is solved."]
    assert too_strong("NFG does not solve it.", "gates") == ["NFG does not solve it."]
    assert too_strong("NFG solved it for 3 of 5 seeds.", "gates") == []


BEGIN = {
    CONFIRMED: ("True", "Reproduced"),
    CONDITIONAL: ("True", "Reproduced"),
    THEOREM: ("A theorem",),
    REFUTED: ("False", "Not reproduced"),
    UNDECIDED: ("Undecided",),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_to_take_away_begins_with_the_recorded_verdict(name: str) -> None:
    assert re.match("|".join(BEGIN[recorded()[name]["verdict"]]), ROWS[name].takeaway)


@pytest.mark.parametrize("name", ROWS)
def test_what_to_take_away_counts_seeds_as_they_are_recorded(name: str) -> None:
    claim = ROWS[name]
    counted = {(one.holding, len(one.values)) for one in findings(claim)}
    text = f"{claim.takeaway} {claim.why}"
    said = {(int(some), int(seeds)) for some, seeds in re.findall(r"(\d+) of (\d+) seeds", text)}
    said |= {(int(seeds), int(seeds)) for seeds in re.findall(r"all (\d+) seeds", text)}
    assert said <= counted
    assert not re.search(r"\b(every|each|all) seeds?\b", text)
