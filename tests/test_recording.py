"""Does one command record everything, from rules that are committed, and stop where a part fails?"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from docs import record
from lstm_core.claims import provenance
from lstm_core.claims.provenance import Commit

LIES = "record: lstm_core has changes that are not committed"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """The commands that are run, of which the second fails; nothing is trained."""
    commands: list[tuple[str, ...]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:2] == [sys.executable, "-m"]
        commands.append(tuple(command[2:]))
        return subprocess.CompletedProcess(command, int(len(commands) == 2), "what it prints\n")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(record, "committed", lambda: Commit("0" * 40, ""))
    monkeypatch.setattr(record, "ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir()
    return commands


def test_what_a_part_prints_becomes_its_file(started: list[tuple[str, ...]], tmp_path: Path) -> None:
    assert record.main(["rules"]) == 0
    assert started == [("tests.verdict_rules",)]
    assert (tmp_path / "benchmarks" / "rules.md").read_text() == "what it prints\n"


def test_a_part_that_fails_ends_it(started: list[tuple[str, ...]]) -> None:
    assert record.main([]) == 1
    assert len(started) == 2


def test_nothing_is_recorded_by_rules_that_are_not_committed(
    started: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def changed() -> Commit:
        raise ValueError(LIES)

    monkeypatch.setattr(record, "committed", changed)
    assert record.main([]) == 2
    assert started == []
    assert LIES in capsys.readouterr().err


def test_an_unknown_part_is_refused(started: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main(["verdict"]) == 2
    assert started == []
    assert "'verdict' is not one of openings" in capsys.readouterr().err


@pytest.mark.parametrize("name", record.PARTS)
def test_every_part_is_a_module_that_is_there(name: str) -> None:
    module = record.PARTS[name].command[0].replace(".", "/")
    root = Path(__file__).parent.parent
    assert (root / module).is_dir() or (root / f"{module}.py").is_file()


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_rules_are_committed_only_where_no_source_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="is not a checkout of git"):
        provenance.committed()
    (tmp_path / "lstm_core").mkdir()
    source, recorded = tmp_path / "lstm_core" / "rules.py", tmp_path / "lstm_core" / "verdicts.json"
    source.write_text("1")
    recorded.write_text("[]")
    git(tmp_path, "init")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-m", "Rules")
    name, made = provenance.committed()
    assert len(name) == 40
    assert datetime.fromisoformat(made) <= datetime.now(tz=UTC)
    recorded.write_text("[1]")
    assert provenance.committed() == (name, made)
    source.write_text("2")
    with pytest.raises(ValueError, match="changes that are not committed"):
        provenance.committed()
