"""Does the doctor say what is here, find what is wrong, and leave everything as it was?"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_core.__main__ import main
from lstm_core.borrowed.system import can_be_written
from lstm_core.commands import doctor
from lstm_core.history import opening
from lstm_core.history.database import store
from lstm_core.installation import version
from lstm_core.kernels import store as kernels
from lstm_core.kernels.pieces import all_pieces
from tests.histories import made_up
from tests.test_history_opening import as_nobody

# In single and in double precision.
KERNELS = 2 * len(all_pieces())


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a history with three runs."""
    address = f"sqlite:///{tmp_path}/history.sqlite"
    history = opening.open_history(address)
    store(history, [made_up(seed) for seed in range(3)])
    history.dispose()
    return address


def found(capsys: pytest.CaptureFixture[str], *options: str, status: int = 0) -> dict[str, object]:
    assert main(["doctor", "--json", *options]) == status
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_it_tells_of_a_sound_installation(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(capsys, "--history", url)
    assert (answer["sound"], answer["wrong"]) == (True, [])
    assert answer["history"] == {"address": url, "named_by": "--history", "runs": 3}
    assert answer["engine"] == {
        "auto": "fused",
        "why": f"all {KERNELS} kernels are compiled, and a training step is the same on both engines",
        "kernels": KERNELS,
        "not_compiled": 0,
    }
    versions = answer["versions"]
    assert isinstance(versions, dict)
    assert versions["gradient-highway"] == version()
    assert {"python", "torch", "numba", "streamlit"} <= set(versions)


def test_it_says_the_same_in_words(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--history", url]) == 0
    said = capsys.readouterr().out.splitlines()
    subjects = [line.split("  ")[0] for line in said if not line.startswith(" ")]
    assert subjects == ["processor", "engine", "kernel cache", "history", "versions", "threads", "Nothing is wrong."]
    assert f"{url}: 3 runs; named by --history" in "\n".join(said)


def test_it_hides_the_password_of_a_history_that_is_away_and_says_what_helps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(opening.PLACE, "postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "secret" not in said
    assert "wrong: history at postgresql://someone:***@127.0.0.1:1/nowhere: " in said
    assert "what helps: see whether the server runs" in said
    assert said.endswith("Something is wrong.\n")


def test_of_a_missing_driver_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    answer = found(capsys, "--history", "postgresql://someone@127.0.0.1:1/nowhere", status=1)
    assert answer["wrong"] == [
        {
            "subject": "history",
            "what": "history: import of psycopg halted; None in sys.modules",
            "help": 'pip install "gradient-highway[postgres]"',
        }
    ]


def test_it_makes_no_history_and_changes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(opening.PLACE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert found(capsys)["history"] == {
        "address": f"sqlite:///{tmp_path}/gradient-highway/history.sqlite",
        "named_by": "nothing, so it is the user's own",
        "runs": None,
    }
    assert list(tmp_path.iterdir()) == []
    older = (Path(__file__).parent / "old" / "history.db").read_bytes()
    (tmp_path / "older.db").write_bytes(older)
    assert found(capsys, "--history", f"sqlite:///{tmp_path}/older.db")["sound"]
    assert (tmp_path / "older.db").read_bytes() == older


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No kernel is compiled, and a user has no folder for them."""
    monkeypatch.setattr(kernels, "folders", lambda: (Path("/etc/kernels"),))
    monkeypatch.setattr(doctor, "_one_kernel", lambda precision, piece: "")
    with as_nobody():
        yield


@pytest.mark.usefixtures("nowhere")
def test_kernels_that_cannot_be_kept_are_wrong() -> None:
    parts = {part.subject: part for part in (doctor._engine(), doctor._cache())}
    assert f"{KERNELS} of {KERNELS} kernels are compiled when they are first needed" in parts["engine"].told
    assert not parts["engine"].wrong
    assert parts["kernel cache"].wrong == "kernels cannot be kept, and are compiled at each start"
    assert "NUMBA_CACHE_DIR" in parts["kernel cache"].remedy


def test_a_compiler_that_fails_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "folders", lambda: (tmp_path,))
    monkeypatch.setattr(doctor, "build_pieces", _no_compiler)
    assert doctor._engine().wrong == "kernels: RuntimeError: no compiler"
    assert doctor._engine().facts["auto"] == "reference"


def _no_compiler(*_: object, **__: object) -> None:
    raise RuntimeError("no compiler")


def test_kernels_that_compute_something_else_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([0.5, 0.6])
    monkeypatch.setattr(doctor, "train", lambda experiment: iter([type("Seen", (), {"loss": next(losses)})]))
    assert doctor._engine().wrong == "kernels: the kernels compute a loss of 0.5, and the equations one of 0.6"


def test_whether_a_folder_can_be_written_is_asked_without_writing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert can_be_written(tmp_path / "not" / "there" / "yet")
    assert not can_be_written(tmp_path / "file" / "below")
    assert os.listdir(tmp_path) == ["file"]
    with as_nobody():
        assert not can_be_written(Path("/etc"))


def test_a_history_that_is_not_there_and_cannot_be_made_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "secret", lambda name: None)
    with as_nobody():
        finding = doctor._history("sqlite:////etc/none.sqlite")
    assert finding.wrong == "history at sqlite:////etc/none.sqlite: there is none, and none can be made"
    assert opening.PLACE in finding.remedy
