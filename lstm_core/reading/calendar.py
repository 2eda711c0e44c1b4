"""
Which rows are missing between a column's times? Those of a calendar: months, weekdays, hours of opening, clock changes.

A row is missing where all others of its kind are there. Where the times have no step, none is.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from lstm_core.language import _, ngettext
from lstm_core.reading.numbers import Numbers
from lstm_core.reading.times import EPOCH, Times

MINUTE, HOUR, DAY = 60, 3600, 86400
WEEK = 7 * DAY
# What a calendar has room for around it, in seconds since 1970.
FIRST, LAST = ((EPOCH.replace(year=year) - EPOCH).total_seconds() for year in (2, 9998))
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
# Where rows lie farther apart on average, nothing is told of weeks and days.
MOST_SPREAD, MOST_PLACES = 100, 2**53
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

    places: Numbers
    said: list[str]

    @property
    def missing(self) -> int:
        return int(self.places[-1]) + 1 - len(self.places)


def calendar(times: Times, cells: Sequence[str], place: Callable[[int], str]) -> Calendar:
    """Where rows are missing; ValueError that names the place of the first time that does not rise."""
    values, said = _summer_time(times.values) if times.local else (times.values, [])
    steps = np.diff(values)
    for row in np.flatnonzero(~(steps > 0))[:1] + 1:
        before = cells[row - 1][:40]
        what = "is there twice" if steps[row - 1] == 0 else f"comes after {before!r}; sort the file by time"
        raise ValueError(f"{place(row)}: {cells[row][:40]!r} {what}")
    if len(values) < 3:
        return Calendar(np.arange(len(values)), said)
    found = (_months(values) if times.dated else None) or _grid(values, times.dated)
    # Where more is missing than there is, it was no step.
    if not found or found.missing > len(values):
        said = [*said, _("The times have no regular step; no row is taken as missing.")]
        return Calendar(np.arange(len(values)), said)
    return Calendar(found.places, [*said, *found.said])


def _moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def _months(values: Numbers) -> Calendar | None:
    """One row a month, or every so many, at about the same day or near the end."""
    if np.diff(values).min() < 27 * DAY or not (values[0] > FIRST and values[-1] < LAST):
        return None
    moments = [_moment(value) for value in values]
    # Ends of months are near the first of the next one.
    for shift in (0, NEAR_DAYS):
        shifted = [moment + timedelta(days=shift) for moment in moments]
        days = [one.day for one in shifted]
        if max(days) - min(days) <= NEAR_DAYS:
            months = np.array([12 * one.year + one.month for one in shifted])
            usual = int(_usual(np.diff(months))[0])
            if not ((months - months[0]) % usual).any():
                return Calendar((months - months[0]) // usual, [_step_in_months(usual)])
    return None


def _usual(steps: Numbers) -> tuple[float, int]:
    """The most frequent one, the first of equally frequent ones, and how often it is there."""
    found, first, counts = np.unique(steps, return_index=True, return_counts=True)
    best = max(range(len(found)), key=lambda place: (counts[place], -first[place]))
    return float(found[best]), int(counts[best])


def _step_in_months(months: int) -> str:
    if months % 12 == 0:
        return ngettext("Step: a year.", "Step: {n} years.", months // 12).format(n=months // 12)
    return ngettext("Step: a month.", "Step: {n} months.", months).format(n=months)


def _grid(values: Numbers, dated: bool) -> Calendar | None:
    """One row every so many seconds, or numbers, less what is closed at that time of the week or day."""
    step = _step(values, dated)
    places = _on_grid(values, step)
    if places is None:
        return None
    said = [_step_in_seconds(step) if dated else _("Step: {step:.6g}.").format(step=step)]
    if dated and DAY % step == 0 and places[-1] < MOST_SPREAD * len(places):
        return _opened(values, places, step, said)
    return Calendar(places, said)


def _step(values: Numbers, dated: bool) -> float:
    """The most frequent difference, or, where none is frequent, the most frequent of those that loggers are set to."""
    steps, median = np.diff(values), float(np.median(np.diff(values)))
    # Numbers may be of any size, nanoseconds too.
    steps = steps.round(6) if dated else (steps / median).round(6) * median
    usual, times = _usual(steps[steps > 0])
    if 2 * times >= len(steps) or not dated:
        return usual
    loggers = np.array(STEPS)
    nearest, _times = _usual(loggers[[np.abs(np.log(loggers / step)).argmin() for step in steps]])
    return nearest if abs(median - nearest) < nearest / 10 else median


def _on_grid(values: Numbers, step: float) -> Numbers | None:
    """The place of each on a grid of this step; None where they scatter around it, or many fall on one place."""
    since, turn = values - values[0], 2 * np.pi / step
    angles = turn * np.fmod(since, step)
    exact = (since - np.arctan2(np.sin(angles).sum(), np.cos(angles).sum()) / turn) / step
    near = exact.round()
    if np.abs(near).max() > MOST_PLACES or np.sqrt(np.square(exact - near).mean()) > SCATTER:
        return None
    # Each at least one place behind the one before it.
    row = np.arange(len(near))
    places = np.maximum.accumulate(near.astype(np.int64) - row) + row
    late = int((places != near).sum())
    return places - places[0] if late <= LATE * len(places) else None


def _opened(values: Numbers, places: Numbers, step: float, said: list[str]) -> Calendar:
    """Without the places that lie in hours or on days that are always closed, and without days off."""
    a_day = round(DAY / step)
    # Since the Monday before 1970 began.
    spots = places + round((values[0] + 3 * DAY) % WEEK / step)
    span = (places[-1] + 1) // a_day
    circle = 7 * a_day if span >= 7 * WEEKS else a_day if span >= DAYS and a_day > 1 else 0
    counted = np.bincount(spots % circle, minlength=circle) if circle else np.ones(1)
    # What most days have is open; a row at another time counts as it comes.
    closed = counted < OPEN * min((places[-1] + 1) / max(circle, 1), counted.max())
    if not closed.any():
        return Calendar(places, said)
    taken, off = np.ones_like(places), 0
    for row in np.flatnonzero(np.diff(places) > 1):
        between = np.arange(spots[row] + 1, spots[row + 1])
        days = between[~closed[between % circle]] // a_day
        whole = np.unique(days[(days != spots[row] // a_day) & (days != spots[row + 1] // a_day)])
        free = whole if len(whole) <= MOST_OFF else whole[:0]
        off += len(free)
        taken[row + 1] += len(days) - np.isin(days, free).sum()
    said = [*said, _("Weekdays or hours that never have a row are closed, not missing.")]
    if off:
        free_days = ngettext("{n:,} day without rows is a day off.", "{n:,} days without rows are days off.", off)
        said.append(free_days.format(n=off))
    return Calendar(taken.cumsum() - 1, said)


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


def _summer_time(values: Numbers) -> tuple[Numbers, list[str]]:
    """
    Times on a clock that is never put forward or back, where this one was, at hours at which one of `ZONES` does so.
    """
    jumps = np.diff(values)
    step = _usual(jumps)[0] if len(jumps) else 0.0
    if not 0 < step <= HOUR or HOUR % step or not (values.min() > FIRST and values.max() < LAST):
        return values, []
    shifts = np.zeros_like(values)
    for row in np.flatnonzero(jumps == step + HOUR):
        shifts[row + 1] = -HOUR * _changes(values[row] + step, forward=True)
    for row in np.flatnonzero((step - HOUR <= jumps) & (jumps <= 0)):
        shifts[row + 1] = HOUR * _changes(values[row + 1], forward=False)
    changes = int(np.count_nonzero(shifts))
    if not changes:
        return values, []
    said = ngettext(
        "These are hours of a clock that was changed for summer time; no row is missing there.",
        "These are hours of a clock that was changed for summer time {n} times; no rows are missing there.",
        changes,
    )
    return values + shifts.cumsum(), [said.format(n=changes)]


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
