"""What do all tests of columns begin with? A way to read, and days."""

from datetime import datetime, timedelta

from lstm_core.reading.column import Choices, Column, column
from lstm_core.reading.table import opened

NOTHING = Choices()


def read(text: str | bytes, name: str = "x", time: str | None = "t", choices: Choices = NOTHING) -> Column:
    return column(opened(text if isinstance(text, bytes) else text.encode()), name, time, choices)


def rows(times: list[str]) -> str:
    return "t;x\n" + "".join(f"{time};{place}\n" for place, time in enumerate(times))


def missing(found: Column) -> int:
    return len(found.known) - sum(found.known)


DAYS = [datetime(2024, 1, 1) + timedelta(days=i) for i in range(400)]
WEEKDAYS = [day for day in DAYS if day.weekday() < 5]
MONTHS = [datetime(year, month, 1) for year in range(2018, 2024) for month in range(1, 13)]
MONTH_ENDS = [month - timedelta(days=1) for month in MONTHS]
