"""Does bad input of any kind end in one clear line, and write nothing? Two hundred inputs, made from a seed."""

import json
import math
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save

from lstm_core import Experiment
from lstm_core.__main__ import main
from lstm_core.history.database import outcomes, runs, store
from lstm_core.history.exchange import from_csv, from_parquet, to_csv, to_parquet
from lstm_core.history.opening import PLACE, UnavailableError, open_history
from lstm_core.history.records import Curves, Record, versions
from lstm_core.measurements.saved import load
from lstm_core.network import Network
from lstm_core.reading.column import column, guessed
from lstm_core.reading.table import opened
from lstm_core.sweep.grid import FIELDS
from lstm_core.tasks.series import Series
from lstm_core.ui import address
from lstm_core.ui.controls import CONTROLS, WINDOW

EACH, LONGEST = 29, 1500
Random = random.Random
Use = Callable[[], object]
Kind = Callable[[Random, Path], Use]

FORECASTER = Experiment(task="forecast", length=12, hidden=4)
RECORDS = [
    Record(
        Experiment(length=4, steps=9, seed=seed), "fused", "completed", 9, 0.5, 0.25, 1_700_000_000, versions(),
        curves=Curves((1, 9), (0.1, math.nan), (1e300, math.inf)),
    )
    for seed in range(3)
]  # fmt: skip
GRID = Path(__file__).parents[1] / "sweeps" / "small.toml"
SERIES = "".join(f"2024-01-{day:02},{math.sin(day)}\n" for day in range(1, 31)).join(["time,y\n", ""]).encode()

WORDS = (
    *("", " ", "0", "-1", "1e400", "nan", "inf", "none", "true", "[]", "{}", "chrono", "adam", "a: b", "- a", "\0"),
    *("'; DROP TABLE runs; --", "<b>x</b>", "$x$ :red[x]", "½", "안녕", "\u202e", "a\nb", "\r", "9" * 5000, "x" * 9999),
)
NUMBERS = (0, -1, 1, 2**31, 2**64, 10**400, 0.5, -0.0, 1e308, 5e-324, math.inf, -math.inf, math.nan)
FOREIGN = (
    *(b"", b"\0", b"\n", b"\xff\xfe", b"PK\x03\x04" + bytes(99), b"\x89PNG\r\n\x1a\n" + bytes(99), b"\x80\x04K\x01."),
    *(b"PAR1" + bytes(99) + b"PAR1", b"SQLite format 3\0" + bytes(99), b"\xff" * 200, b"\x08" + bytes(7) + b"{}" * 4),
)


def odd(rng: Random, depth: int = 0) -> Any:
    """A value that somebody may write into JSON."""
    kind = rng.randrange(6 if depth < 3 else 4)
    if kind < 2:
        return rng.choice(WORDS)
    if kind < 4:
        return rng.choice((*NUMBERS, None, True, False))
    members = [odd(rng, depth + 1) for _ in range(rng.randrange(3))]
    return members if kind == 4 else {rng.choice(WORDS): member for member in members}


def damaged(rng: Random, content: bytes) -> bytes:
    """The same file cut short, with other bytes or with more of them, or quite another file."""
    place = rng.randrange(len(content))
    match rng.randrange(5):
        case 0:
            return content[:place]
        case 1:
            changed = bytearray(content)
            for _ in range(rng.randrange(1, 9)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            return bytes(changed)
        case 2:
            return content[:place] + rng.randbytes(rng.randrange(1, 99)) + content[place:]
        case 3:
            return rng.randbytes(rng.randrange(2000))
    return rng.choice(FOREIGN)


def forecaster() -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    network = Network(FORECASTER)
    header = {"format": "gradient-highway forecaster 1", "experiment": FORECASTER.to_json(), "mean": "0", "scale": "1"}
    return dict(network.state_dict()), header


def a_model(rng: Random, folder: Path) -> Use:
    tensors, header = forecaster()
    match rng.randrange(4):
        case 0:
            header[rng.choice(list(header))] = json.dumps(odd(rng))
        case 1:
            fields = json.loads(header["experiment"])
            header["experiment"] = json.dumps(fields | {rng.choice(list(FIELDS)): odd(rng)})
        case 2:
            shape = [rng.randrange(4) for _ in range(rng.randrange(3))]
            dtype = rng.choice((torch.float32, torch.float16, torch.int8, torch.bool, torch.complex64))
            tensors[rng.choice((*tensors, "another"))] = torch.full(shape, math.nan).to(dtype)
        case 3:
            del tensors[rng.choice(list(tensors))]
    content = save(tensors, header)
    if rng.random() < 0.5:
        content = damaged(rng, content)
    if rng.random() < 0.1:
        content = rng.choice((2**63, 10**8, 10**6)).to_bytes(8, "little") + content[8:]
    file = folder / "it.safetensors"
    file.write_bytes(content)

    return lambda: load(file)([1.0] * 20, steps=2)


@cache
def kept() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        history = open_history(f"sqlite:///{folder}/history.sqlite")
        store(history, RECORDS)
        history.dispose()
        return Path(folder, "history.sqlite").read_bytes()


def a_history(rng: Random, folder: Path) -> Use:
    file = folder / "history.sqlite"
    file.write_bytes(damaged(rng, kept()) or b"-")

    def use() -> None:
        history = open_history(f"sqlite:///{file}")
        # What can be opened may have been written to.
        with suppress(UnavailableError):
            runs(history)
            outcomes(history)
        history.dispose()

    return use


def a_grid(rng: Random, folder: Path) -> Use:
    tables = {
        rng.choice(("base", "grid", "variants", rng.choice(WORDS))): rng.choice(
            (odd(rng), {rng.choice(list(FIELDS)): odd(rng)})
        )
        for _ in range(3)
    }
    match rng.randrange(5):
        case 0:
            content = json.dumps(tables).encode()
        case 1:
            content = yaml_of(tables).encode()
        case 2:
            content = f"a = {rng.choice(('[', '{b=')) * rng.randrange(1, 5000)}".encode()
        case 3:
            content = damaged(rng, GRID.read_bytes())
        case _:
            content = "\n".join(toml_of(tables)).encode()
    file = folder / "grid.toml"
    file.write_bytes(content)
    return lambda: main(["report", str(file), "--history", "nowhere"])


def yaml_of(tables: dict[str, Any]) -> str:
    return "".join(f"{name}:\n  - {value}\n" for name, value in tables.items())


def toml_of(tables: dict[str, Any]) -> Iterator[str]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield f"[{json.dumps(name)}]"
            yield from (f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items())
        elif name == "variants":
            yield f"[[variants]]\nname = {_toml(value)}"
        else:
            yield f"[{json.dumps(name)}]\nseed = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return {math.inf: "inf", -math.inf: "-inf", None: '"none"'}.get(value) or json.dumps(value).replace("NaN", "nan")


def a_link(rng: Random, _folder: Path) -> Use:
    key, control = rng.choice([*CONTROLS.items(), ("length", WINDOW)])
    texts = [rng.choice((*WORDS, *map(str, NUMBERS))) for _ in range(rng.randrange(1, 4))]
    default = getattr(Experiment(), key)

    def use() -> None:
        taken, _ = address.read(control, key, texts, default)
        assert control.fit(taken) == taken
        control.write(taken)

    return use


def an_upload(rng: Random, _folder: Path) -> Use:
    cells = [line.split(",") for line in SERIES.decode().splitlines()]
    cells[rng.randrange(len(cells))][rng.randrange(2)] = rng.choice((*WORDS, *map(str, NUMBERS)))
    content = rng.choice((damaged(rng, SERIES), "\n".join(map(",".join, cells)).encode()))

    def use() -> None:
        file = opened(content)
        name, times = guessed(file)
        Series(name, column(file, name, times).values)

    return use


def an_upload_of_runs(rng: Random, _folder: Path) -> Use:
    write, read = rng.choice(((to_parquet, from_parquet), (to_csv, from_csv)))
    fields = json.loads(RECORDS[0].experiment.to_json()) | {rng.choice(list(FIELDS)): odd(rng)}
    experiment = SimpleNamespace(to_json=lambda: json.dumps(fields))
    record: Any = SimpleNamespace(**vars(RECORDS[0]) | {"experiment": experiment})
    content = rng.choice((damaged(rng, write(RECORDS)), write([record])))
    return lambda: read(content)


def an_environment(rng: Random, folder: Path) -> Use:
    (folder / "file").touch()
    word = rng.choice(WORDS).replace("\0", "")[:40]
    place = rng.choice(
        (
            word,
            f"sqlite:///{folder}/file/{word}",
            f"sqlite:///{folder}/absent/{word}",
            f"sqlite://{word}@{word}/x",
            f"sqlite:///{folder}/file?{word}={word}",
            f"postgresql://u:{word}@{word}@127.0.0.1:1/x",
            f"postgresql://u:p@127.0.0.1:1/x?{word}={word}",
            f"postgresql+{word}://u@127.0.0.1:1/",
            f"{word}://x",
            "",
        )
    )

    def use() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PLACE, place)
            patch.setenv("XDG_DATA_HOME", str(folder / "file"))
            open_history().dispose()

    return use


KINDS = (a_model, a_history, a_grid, a_link, an_upload, an_upload_of_runs, an_environment)


def written(folder: Path) -> dict[Path, bytes]:
    """All but what SQLite itself lays beside a file that it opens."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.endswith(("-wal", "-shm")))
    return {file: file.read_bytes() for file in files}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_bad_input_ends_in_one_clear_line_and_writes_nothing(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rng, refused = Random(kind.__name__), 0
    for place in range(EACH):
        folder = tmp_path / str(place)
        folder.mkdir()
        use = kind(rng, folder)
        before = written(tmp_path)
        try:
            use()
            continue
        except (ValueError, UnavailableError) as error:
            said = str(error)
        except SystemExit:
            said = capsys.readouterr().err.removesuffix("\n")
        assert said.strip()
        assert said.isprintable()
        assert len(said) < LONGEST
        assert written(tmp_path) == before
        refused += 1
    assert refused > EACH / 2 or kind is a_link
