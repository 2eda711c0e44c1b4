"""Which numbers does a column of text mean? All its cells decide together; in doubt somebody is asked."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LARGEST = 1e100
POINT, COMMA = ".", ","
DECIMAL_SIGNS = {"point": POINT, "comma": COMMA}
# What stands for an ordinary sign in the files of some programs: minus, blanks of fixed width, apostrophes.
_ALIKE = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})


class Doubt(NamedTuple):
    """An `option` that has to be said, and an example by each of its choices."""

    option: str
    choices: dict[str, str]


class AmbiguousError(ValueError):
    """What can be read in several ways, of which somebody has to choose."""

    def __init__(self, message: str, doubt: Doubt) -> None:
        super().__init__(message)
        self.doubt = doubt


def _written(decimal: str) -> "re.Pattern[str]":
    """Numbers with this decimal sign, of thousands apart in groups of three, by one sign throughout."""
    point, other = re.escape(decimal), re.escape(COMMA if decimal == POINT else POINT)
    whole = rf"(?:[1-9]\d{{0,2}}(?:(?P<apart>[{other} '])\d{{3}}(?:(?P=apart)\d{{3}})*)|\d+)"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


_WRITTEN = {decimal: _written(decimal) for decimal in (POINT, COMMA)}


def numbers(
    cells: Sequence[str], place: Callable[[int], str], decimal: str | None = None, commas_separate: bool = False
) -> list[float | None]:
    """
    The number in each cell, None where it says that there is none. `decimal` is the sign before the fraction, where
    that is known; where commas separate cells, none is likely to be one.

    Raises ValueError that names the `place` of the first cell that is no number up to `LARGEST`, and AmbiguousError.
    """
    plain = [cell.translate(_ALIKE) for cell in cells]
    if decimal is None and commas_separate and not any(COMMA in cell for cell in plain):
        decimal = POINT
    signs = [decimal] if decimal else [POINT, COMMA]
    read = {sign: _read(plain, sign) for sign in signs}
    whole = {sign: values for sign, (values, wrong) in read.items() if wrong is None}
    if len(whole) == 2 and whole[POINT] != whole[COMMA]:
        raise _doubt(cells, whole[POINT], whole[COMMA], place)
    for values in whole.values():
        _check_size(values, cells, place)
        return values
    sign = max(read, key=lambda sign: read[sign][1] or 0)
    wrong = read[sign][1] or 0
    raise ValueError(f"{place(wrong)}: {cells[wrong][:40]!r} {_complaint(plain[wrong], sign)}")


def _read(cells: Sequence[str], decimal: str) -> tuple[list[float | None], int | None]:
    """The numbers up to the first cell that is none, and the place of that."""
    pattern, other = _WRITTEN[decimal], COMMA if decimal == POINT else POINT
    values: list[float | None] = []
    apart = ""
    for place, cell in enumerate(cells):
        if cell.casefold() in MISSING:
            values.append(None)
            continue
        found = pattern.fullmatch(cell)
        sign = (found["apart"] or "") if found else ""
        if not found or (sign and apart and sign != apart):
            return values, place
        apart = apart or sign
        text = cell.replace(" ", "").replace("'", "").replace(other, "")
        values.append(float(text.replace(decimal, POINT)))
    return values, None


def _doubt(
    cells: Sequence[str], point: Iterable[float | None], comma: Iterable[float | None], place: Callable[[int], str]
) -> AmbiguousError:
    row, (one, other) = next(
        (row, both) for row, both in enumerate(zip(point, comma, strict=True)) if both[0] != both[1]
    )
    return AmbiguousError(
        f"{place(row)}: {cells[row][:40]!r} is {one:.10g} or {other:.10g}; say whether a point or a comma is the "
        "decimal sign",
        Doubt("decimal", {"point": f"{cells[row][:40]} = {one:.10g}", "comma": f"{cells[row][:40]} = {other:.10g}"}),
    )


def _check_size(values: Sequence[float | None], cells: Sequence[str], place: Callable[[int], str]) -> None:
    for row, value in enumerate(values):
        if value is not None and not abs(value) <= LARGEST:
            raise ValueError(f"{place(row)}: {cells[row][:40]!r} is not a number up to {LARGEST:g}")


def _complaint(cell: str, decimal: str) -> str:
    if cell.startswith("="):
        return "is a formula, not a number"
    if cell.casefold().lstrip("+-") in ("inf", "infinity"):
        return f"is not a number up to {LARGEST:g}"
    other = COMMA if decimal == POINT else POINT
    if _WRITTEN[other].fullmatch(cell):
        names = {POINT: "point", COMMA: "comma"}
        return f"has a {names[other]} as decimal sign, where other cells have a {names[decimal]}"
    return "is not a number"
