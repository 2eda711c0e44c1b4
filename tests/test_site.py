"""Do the documents build as a site, without a warning, with the API on it, and what is recorded today?"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.verdicts import page

ROOT = Path(__file__).parent.parent
NAMED = re.findall(r"^::: ([\w.]+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    # Otherwise the theme advertises its successor.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_document_is_a_page_of_the_site(site: Path) -> None:
    documents = {file.stem for file in (ROOT / "docs").glob("*.md")} - {"index"}
    assert documents == {file.parent.name for file in site.glob("*/index.html")} & documents
    listed = (ROOT / "mkdocs.yml").read_text()
    assert all(f"{name}.md" in listed for name in documents)


@pytest.mark.parametrize("name", NAMED)
def test_the_api_is_written_from_docstrings(site: Path, name: str) -> None:
    assert f'id="{name}"' in (site / "api" / "index.html").read_text()


def test_the_site_asks_no_other_host_for_scripts_styles_or_fonts(site: Path) -> None:
    for file in site.rglob("*.html"):
        assert re.findall(r'<(?:script|link)[^>]+(?:src|href)="https?://[^"]+"', file.read_text()) == []


def test_the_page_of_verdicts_is_what_is_recorded() -> None:
    assert (ROOT / "docs" / "verdicts.md").read_text() == "\n".join(page()) + "\n"
