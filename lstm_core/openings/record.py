"""For how many seeds did the claim of a race hold, when that was last recorded? In `record.json`."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

RECORDED = Path(__file__).with_name("record.json")


class Held(NamedTuple):
    """Of a race by name: for how many of the first `seeds` seeds its claim held, when, and with which experiments: the
    keys of the first seed's, by label."""

    race: str
    held: int
    seeds: int
    date: str
    experiments: dict[str, str]


@cache
def recorded() -> dict[str, Held]:
    """What `record` has written, by the names of the races."""
    return {row["race"]: Held(**row) for row in json.loads(RECORDED.read_text())} if RECORDED.exists() else {}


def record(rows: Iterable[Held]) -> None:
    """Write these over all that was recorded."""
    lines = ",\n".join(json.dumps(row._asdict(), ensure_ascii=False) for row in rows)
    RECORDED.write_text(f"[\n{lines}\n]\n")
    recorded.cache_clear()
