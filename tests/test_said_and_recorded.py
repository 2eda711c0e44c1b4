"""Does no text say more than is recorded: of the races that pages open with, and of the claims?"""

import re
from pathlib import Path

import pytest

from lstm_core.claims import ROWS
from lstm_core.claims.evidence import CONDITIONAL, CONFIRMED, REFUTED, THEOREM, UNDECIDED
from lstm_core.claims.verdicts import findings, recorded
from lstm_core.openings.presets import (
    OPENINGS,
)
from tests.syntax import literals

ROOT = Path(__file__).parent.parent
CORE = ROOT / "lstm_core"

# How a text calls a racer, beside its label.
CALLED = {
    "RNN": "vanilla RNN",
    "ReLU with W_h = I": "ReLU, W_h = I",
    "all three gates": "your cell",
    "without the forget gate": "no forget gate",
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
    assert too_strong("The cell with no forget gate solves it.", "gates") == ["The cell with no forget gate solves it."]
    assert too_strong("The cell with no forget gate solved it for 3 of 5 seeds.", "gates") == []


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
