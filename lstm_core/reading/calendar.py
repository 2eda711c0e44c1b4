"""
Which rows are missing between a column's times? Those of a calendar: months, weekdays, hours of opening, clock changes.

A row is missing where all others of its kind are there. Where the times have no step, none is.
"""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lstm_core.language import _, ngettext
from lstm_core.reading.times import EPOCH, Times

MINUTE, HOUR, DAY = 60, 3600, 86400
WEEK = 7 * DAY
# Steps that loggers are set to, in seconds.
STEPS = [
    *(1, 2, 5, 10, 15, 20, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 20, 30)),
    *(HOUR * n for n in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY, WEEK),
]
# A month is told by days that lie so near each other in all of them.
NEAR_DAYS = 4
# Around regular times, in steps: more scatter than that is no regularity; that of chance alone is .29.
SCATTER, LATE = 0.22, 0.01
# What is open less often than that is closed: weekends, nights. It takes so many weeks, or days, to know.
OPEN, WEEKS, DAYS = 0.2, 3, 5
# Days off in a row; more are missing.
MOST_OFF = 14
# Where clocks change, as they do in the countries around.
ZONES = [
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Santiago", "America/Sao_Paulo"),
    *("Australia/Sydney", "Pacific/Auckland", "Asia/Jerusalem", "Asia/Tehran", "Africa/Cairo"),
]


class Calendar(NamedTuple):
    """The place of each row, with room where rows are missing, and what is to be said of the step between them."""

    places: list[int]
    said: list[str]

    @property
    def missing(self) -> int:
        return self.places[-1] + 1 - len(self.places)


def calendar(times: Times, cells: Sequence[str], place: Callable[[int], str]) -> Calendar:
    """Where rows are missing; ValueError that names the place of the first time that does not rise."""
    values, said = _summer_time(times.values) if times.local else (times.values, [])
    for row, (before, after) in enumerate(pairwise(values), start=1):
        if not after > before:
            what = (
                "is there twice" if after == before else f"comes after {cells[row - 1][:40]!r}; sort the file by time"
            )
            raise ValueError(f"{place(row)}: {cells[row][:40]!r} {what}")
    if len(values) < 3:
        return Calendar(list(range(len(values))), said)
    found = (_months(values) if times.dated else None) or _grid(values, times.dated)
    # Where more is missing than there is, it was no step.
    if not found or found.missing > len(values):
        return Calendar(
            list(range(len(values))), [*said, _("The times have no regular step; no row is taken as missing.")]
        )
    return Calendar(found.places, [*said, *found.said])


def _moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def _months(values: Sequence[float]) -> Calendar | None:
    """One row a month, or every so many, at about the same day or near the end."""
    steps = [after - before for before, after in pairwise(values)]
    if min(steps) < 27 * DAY:
        return None
    moments = [_moment(value) for value in values]
    # Ends of months are near the first of the next one.
    for shift in (0, NEAR_DAYS):
        shifted = [moment + timedelta(days=shift) for moment in moments]
        days = [one.day for one in shifted]
        if max(days) - min(days) <= NEAR_DAYS:
            months = [12 * one.year + one.month for one in shifted]
            usual = _usual([after - before for before, after in pairwise(months)])
            places = [(month - months[0]) / usual for month in months]
            if all(one.is_integer() for one in places):
                return Calendar([int(one) for one in places], [_step_in_months(usual)])
    return None


def _usual(steps: Sequence[int]) -> int:
    return Counter(steps).most_common(1)[0][0]


def _step_in_months(months: int) -> str:
    if months % 12 == 0:
        return ngettext("Step: a year.", "Step: {n} years.", months // 12).format(n=months // 12)
    return ngettext("Step: a month.", "Step: {n} months.", months).format(n=months)


def _grid(values: Sequence[float], dated: bool) -> Calendar | None:
    """One row every so many seconds, or numbers, less what is closed at that time of the week or day."""
    step = _step(values, dated)
    places = _on_grid(values, step)
    if places is None:
        return None
    said = [_step_in_seconds(step) if dated else _("Step: {step:.6g}.").format(step=step)]
    if dated and (DAY % step == 0 or step == DAY):
        return _opened(values, places, step, said)
    return Calendar(places, said)


def _step(values: Sequence[float], dated: bool) -> float:
    """The most frequent difference, or, where none is frequent, the most frequent of those that loggers are set to."""
    steps = [round(after - before, 6) for before, after in pairwise(values)]
    usual, times = Counter(steps).most_common(1)[0]
    if 2 * times >= len(steps) or not dated:
        return usual
    rounded = [min(STEPS, key=lambda one: abs(math.log(one / step))) for step in steps]
    nearest = _usual(rounded)
    median = statistics.median(steps)
    return nearest if abs(median - nearest) < nearest / 10 else median


def _on_grid(values: Sequence[float], step: float) -> list[int] | None:
    """The place of each on a grid of this step; None where they scatter around it, or many fall on one place."""
    turn = 2 * math.pi
    angles = [turn * math.fmod(value - values[0], step) / step for value in values]
    middle = math.atan2(math.fsum(map(math.sin, angles)), math.fsum(map(math.cos, angles))) / turn * step
    exact = [(value - values[0] - middle) / step for value in values]
    if math.sqrt(math.fsum((one - round(one)) ** 2 for one in exact) / len(exact)) > SCATTER:
        return None
    places = list(accumulate(map(round, exact), lambda before, now: max(before + 1, now)))
    late = sum(place != round(one) for place, one in zip(places, exact, strict=True))
    return [place - places[0] for place in places] if late <= LATE * len(places) else None


def _opened(values: Sequence[float], places: Sequence[int], step: float, said: list[str]) -> Calendar:
    """Without the places that lie in hours or on days that are always closed, and without days off."""
    a_day = round(DAY / step)
    first = round((values[0] + 4 * DAY) % WEEK / step)
    span = (places[-1] + 1) // a_day
    circle = 7 * a_day if span >= 7 * WEEKS else a_day if span >= DAYS and a_day > 1 else 0
    if not circle:
        return Calendar(list(places), said)
    counted = Counter((first + place) % circle for place in places)
    rounds = (places[-1] + 1) / circle
    # What most days have is open; a row at another time counts as it comes.
    closed = [counted[spot] < OPEN * min(rounds, max(counted.values())) for spot in range(circle)]
    if not any(closed):
        return Calendar(list(places), said)
    taken, off, place = [0], 0, 0
    for before, after in pairwise(places):
        between = [spot for spot in range(before + 1, after) if not closed[(first + spot) % circle]]
        days = Counter((first + spot) // a_day for spot in between)
        whole = [day for day in days if day not in ((first + before) // a_day, (first + after) // a_day)]
        free = whole if len(whole) <= MOST_OFF else []
        off += len(free)
        place += 1 + sum(number for day, number in days.items() if day not in free)
        taken.append(place)
    said = [*said, _("Weekdays or hours that never have a row are closed, not missing.")]
    if off:
        said.append(
            ngettext("{n:,} day without rows is a day off.", "{n:,} days without rows are days off.", off).format(n=off)
        )
    return Calendar(taken, said)


def _step_in_seconds(step: float) -> str:
    for unit, one, many in (
        (WEEK, _("Step: a week."), _("Step: {n:.6g} weeks.")),
        (DAY, _("Step: a day."), _("Step: {n:.6g} days.")),
        (HOUR, _("Step: an hour."), _("Step: {n:.6g} hours.")),
        (MINUTE, _("Step: a minute."), _("Step: {n:.6g} minutes.")),
    ):
        if step % unit == 0:
            return one if step == unit else many.format(n=step / unit)
    return _("Step: {n:.6g} s.").format(n=step)


def _summer_time(values: list[float]) -> tuple[list[float], list[str]]:
    """
    Times on a clock that is never put forward or back, where this one was, at hours at which one of `ZONES` does so.
    """
    steps = Counter(after - before for before, after in pairwise(values))
    step = steps.most_common(1)[0][0] if steps else 0.0
    if not 0 < step <= HOUR or HOUR % step:
        return values, []
    even, shift, changes = values[:1], 0.0, 0
    for before, after in pairwise(values):
        jump = after - before
        if jump == step + HOUR and _changes(before + step, forward=True):
            shift, changes = shift - HOUR, changes + 1
        elif jump == step - HOUR and _changes(after, forward=False):
            shift, changes = shift + HOUR, changes + 1
        even.append(after + shift)
    if not changes:
        return values, []
    said = ngettext(
        "These are hours of a clock that was changed for summer time; no row is missing there.",
        "These are hours of a clock that was changed for summer time {n} times; no rows are missing there.",
        changes,
    )
    return even, [said.format(n=changes)]


@cache
def _zones() -> list[ZoneInfo]:
    found = []
    for name in ZONES:
        try:
            found.append(ZoneInfo(name))
        except ZoneInfoNotFoundError:
            continue
    return found


def _changes(seconds: float, forward: bool) -> bool:
    """Whether somewhere clocks skip this time, or, put back, show it twice."""
    moment = _moment(seconds)
    for zone in _zones():
        one, other = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        assert one is not None
        assert other is not None
        if (other > one) if forward else (other < one):
            return True
    return False
