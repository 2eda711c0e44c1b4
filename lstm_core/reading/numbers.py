"""Which numbers does a column of text mean? All its cells decide together; in doubt somebody is asked."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[Any, Any]

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
) -> Numbers:
    """
    The number in each cell, (N,), nan where it says that there is none. `decimal` is the sign before the fraction,
    where that is known; where commas separate cells, none is likely to be one.

    Raises ValueError that names the `place` of the first cell that is no number up to `LARGEST`, and AmbiguousError.
    """
    plain = [cell if cell.isascii() else cell.translate(_ALIKE) for cell in cells]
    if decimal is None and commas_separate and not any(COMMA in cell for cell in plain):
        decimal = POINT
    read = {sign: _read(plain, sign) for sign in ([decimal] if decimal else [POINT, COMMA])}
    whole = {sign: values for sign, (values, wrong) in read.items() if wrong == len(cells)}
    if len(whole) == 2 and not np.array_equal(whole[POINT], whole[COMMA], equal_nan=True):
        raise _doubt(cells, whole[POINT], whole[COMMA], place)
    for values in whole.values():
        for row in np.flatnonzero(np.abs(values) > LARGEST)[:1]:
            raise ValueError(f"{place(row)}: {cells[row][:40]!r} is not a number up to {LARGEST:g}")
        return values
    sign = max(read, key=lambda sign: read[sign][1])
    wrong = read[sign][1]
    raise ValueError(f"{place(wrong)}: {cells[wrong][:40]!r} {_complaint(plain[wrong], sign)}")


def _read(cells: Sequence[str], decimal: str) -> tuple[Numbers, int]:
    """The numbers up to the first cell that is none, and the place of that, or behind the last."""
    pattern, other = _WRITTEN[decimal], COMMA if decimal == POINT else POINT
    values = np.full(len(cells), np.nan)
    apart = ""
    for place, cell in enumerate(cells):
        if cell.casefold() in MISSING:
            continue
        found = pattern.fullmatch(cell)
        sign = (found["apart"] or "") if found else ""
        if not found or (sign and apart and sign != apart):
            return values, place
        apart = apart or sign
        text = cell.replace(" ", "").replace("'", "").replace(other, "")
        values[place] = float(text.replace(decimal, POINT))
    return values, len(cells)


def _doubt(cells: Sequence[str], point: Numbers, comma: Numbers, place: Callable[[int], str]) -> AmbiguousError:
    row = int((np.nan_to_num(point) != np.nan_to_num(comma)).argmax())
    cell, one, other = cells[row][:40], f"{point[row]:.10g}", f"{comma[row]:.10g}"
    return AmbiguousError(
        f"{place(row)}: {cell!r} is {one} or {other}; say whether a point or a comma is the decimal sign",
        Doubt("decimal", {"point": f"{cell} = {one}", "comma": f"{cell} = {other}"}),
    )


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
