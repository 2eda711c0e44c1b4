"""Do the documents say what is there? Their commands, links, module names, tables and lists."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_core.claims import CLAIMS
from lstm_core.ui.page import PAGES

ROOT = Path(__file__).parent.parent
TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/python -m pytest"
MOST_LINES, MOST_TERMS, MOST_BYTES = 130, 30, 60_000
WALK = "## The way of one number"
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE = re.compile(r"\b(?:lstm_core|tests|docs)(?:\.[A-Za-z_]\w*)+")
PATH = re.compile(r"(?<![\w/.-])(?:lstm_core|pages|tests|docs|benchmarks|sweeps)(?:/[\w.-]+)*/[\w-]+\.[a-z]+\b")
STEP = re.compile(r"^(\d+)\. `([^`]+)`: \S", re.MULTILINE)


def _is_ours(file: Path) -> bool:
    """Not of an environment or a cache that lies in the folder."""
    return not any(part.startswith(".") for part in file.relative_to(ROOT).parts)


DOCUMENTS = [file for file in sorted(ROOT.rglob("*.md")) if _is_ours(file)]
every_document = pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))


def _text(name: str) -> str:
    return (ROOT / name).read_text()


def _anchors(file: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of the rows of all tables, without their heads."""
    lines = text.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    for number, line in enumerate(lines):
        if line.startswith("|") and not line.startswith("|---") and number not in heads:
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or something that one has; modules that are scripts are not run."""
    module, _, attribute = name.rpartition(".")
    return _is_module(name) or (_is_module(module) and hasattr(importlib.import_module(module), attribute))


def test_the_readme_is_short() -> None:
    assert len(_text("README.md").splitlines()) <= MOST_LINES


def test_the_readme_has_all_pages_in_their_order_with_their_questions() -> None:
    table = _text("README.md").partition("## The pages\n")[2].partition("\n## ")[0]
    assert [(label, question) for label, question, *_ in _rows(table)] == [
        (page.label, page.question) for page in PAGES.values()
    ]


def test_there_is_a_small_picture_of_every_page_under_its_question() -> None:
    shown = re.findall(r"^## (.+)\n\n(.+)\n\n!\[.+\]\((.+)\)$", _text("docs/pictures.md"), re.MULTILINE)
    assert shown == [(page.label, page.question, f"pictures/{page.name}.png") for page in PAGES.values()]
    sizes = {path: (ROOT / "docs" / path).stat().st_size for *_, path in shown}
    assert {path: size for path, size in sizes.items() if size > MOST_BYTES} == {}


def test_the_first_line_about_pytest_is_the_command_that_runs_the_tests() -> None:
    """It is what .ci/run looks for, and executes."""
    first = next(line for line in _text("README.md").splitlines() if "pytest" in line)
    assert first == TEST_COMMAND


@every_document
def test_every_relative_link_leads_to_a_file_and_a_heading(file: Path) -> None:
    for link in LINK.findall(file.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@every_document
def test_every_module_that_is_named_exists(file: Path) -> None:
    assert [name for name in MODULE.findall(file.read_text()) if not _exists(name)] == []


@every_document
def test_every_path_that_is_named_exists(file: Path) -> None:
    """Relative to the root; of links, which are relative to their document, the test above takes care."""
    text = LINK.sub("]", file.read_text())
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("requirements*.txt")), ids=lambda file: file.name)
def test_every_pinned_package_has_a_line_that_says_what_it_is_for(file: Path) -> None:
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", file.read_text(), re.MULTILINE)
    explained = {name for name, purpose in _rows(_text("docs/dependencies.md")) if purpose}
    assert pinned
    assert set(pinned) <= explained


def test_the_way_of_one_number_names_every_module_once_and_all_exist() -> None:
    walk = _text("CONTRIBUTING.md").partition(WALK)[2].partition("\n## ")[0]
    steps = STEP.findall(walk)
    modules = [module for _, module in steps]
    assert [int(number) for number, _ in steps] == list(range(1, 1 + len(re.findall(r"^\d+\. ", walk, re.MULTILINE))))
    assert len(modules) == len(set(modules)) > 0
    assert [module for module in modules if not (ROOT / module).is_file()] == []


def test_the_glossary_is_short_and_sorted() -> None:
    terms = [term for term, _ in _rows(_text("docs/glossary.md"))]
    assert 0 < len(terms) <= MOST_TERMS
    assert terms == sorted(terms, key=str.casefold)


def test_every_statement_of_the_article_has_a_claim_or_a_reason_why_not() -> None:
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", _text("docs/claims.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 29))
    named = [name for _, tested in rows for name in re.findall(r"A\d+", tested)]
    assert set(named) == {claim.name for claim in CLAIMS}
    assert all(re.search(r"A\d+", tested) or tested.startswith("nothing: ") for _, tested in rows)


def test_as_many_claims_are_named_as_there_are() -> None:
    assert f"any of its {len(CLAIMS)} claims" in _text("README.md")
    assert f"The article's {len(CLAIMS)} claims" in _text("CHANGELOG.md")
