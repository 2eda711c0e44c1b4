"""Can racers be told apart, by everybody, on light and on dark ground, and does each keep its colour?"""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_core.charts.colours import HUES, PREFERRED, SHAPES, SYMBOLS, slots
from lstm_core.openings.presets import (
    ACTIVATION_RACERS,
    COMPARISONS,
    FAMILY_RACERS,
    GATE_SETS,
    OPENINGS,
    WIRING_RACERS,
)

THEME = tomllib.loads((Path(__file__).parent.parent / ".streamlit" / "config.toml").read_text())["theme"]
GROUNDS = ("backgroundColor", "secondaryBackgroundColor")
LEAST_DISTANCE, LEAST_CONTRAST, LEAST_CONTRAST_OF_TEXT = 12, 3, 4.5
# Machado, Oliveira and Fernandes 2009, severity 1, in linear sRGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])

Colour = NDArray[np.float64]


def linear(colour: str) -> Colour:
    """The light of "#rrggbb"."""
    values = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: Colour) -> Colour:
    x = TO_XYZ @ light / WHITE
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    darker, lighter = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def ciede2000(one: Colour, other: Colour) -> float:
    """By the formulas of Sharma, Wu and Dalal 2005, in their order."""
    mean_chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    stretched = 1 + 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a = np.array([one[1], other[1]]) * stretched
    b = np.array([one[2], other[2]])
    (c1, c2), (h1, h2) = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    turn = 180.0 if turn == -180 and h2 > h1 else turn
    lightness, chroma = other[0] - one[0], c2 - c1
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean, h_sum = (one[0] + other[0]) / 2, (c1 + c2) / 2, h1 + h2
    if c1 * c2 == 0:
        h_mean = h_sum
    elif abs(h1 - h2) <= 180:
        h_mean = h_sum / 2
    else:
        h_mean = (h_sum + 360) / 2 if h_sum < 360 else (h_sum - 360) / 2
    cos = [np.cos(np.radians(k * h_mean + off)) for k, off in ((1, -30), (2, 0), (3, 6), (4, -63))]
    t = 1 - 0.17 * cos[0] + 0.24 * cos[1] + 0.32 * cos[2] - 0.20 * cos[3]
    rotation = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    r = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * np.sin(np.radians(rotation))
    l_part = lightness / (1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2))
    c_part, h_part = chroma / (1 + 0.045 * c_mean), hue / (1 + 0.015 * c_mean * t)
    return float(np.sqrt(l_part**2 + c_part**2 + h_part**2 + r * c_part * h_part))


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_is_that_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], published: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_two_racers_are_told_apart(theme: str, sight: str) -> None:
    seen = [lab((SIGHT[sight] @ linear(colour)).clip(0, 1)) for colour in THEME[theme]["chartCategoricalColors"]]
    assert len(seen) == len(HUES)
    assert min(ciede2000(one, other) for one, other in itertools.combinations(seen, 2)) >= LEAST_DISTANCE


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_words_stand_out_from_the_ground(theme: str, ground: str) -> None:
    colours = THEME[theme]
    assert min(contrast(colours[ground], line) for line in colours["chartCategoricalColors"]) >= LEAST_CONTRAST
    words = ("primaryColor", *(f"{hue}TextColor" for hue in HUES))
    assert min(contrast(colours[ground], colours[name]) for name in words) >= LEAST_CONTRAST_OF_TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dot_in_words_has_the_hue_of_the_line(theme: str) -> None:
    colours = THEME[theme]
    assert [colours[f"{hue}Color"] for hue in HUES] == colours["chartCategoricalColors"]
    for hue in HUES:
        line, word = (lab(linear(colours[f"{hue}{kind}"])) for kind in ("Color", "TextColor"))
        turn = abs(np.degrees(np.arctan2(line[2], line[1]) - np.arctan2(word[2], word[1])))
        assert min(turn, 360 - turn) < 12, hue


def test_every_slot_has_a_symbol_of_its_own() -> None:
    assert len(set(SYMBOLS)) == len(set(SHAPES)) == len(HUES)


@pytest.mark.parametrize("name", OPENINGS)
def test_the_racers_of_an_opening_have_the_slots_that_are_theirs(name: str) -> None:
    racers = list(OPENINGS[name].racers)
    assert slots(racers) == {label: PREFERRED[label] for label in racers}


@pytest.mark.parametrize(
    "racers", [FAMILY_RACERS, ACTIVATION_RACERS, GATE_SETS, WIRING_RACERS, *COMPARISONS.values()], ids=list
)
def test_racers_that_come_and_go_have_a_slot_of_their_own(racers: dict[str, object]) -> None:
    assert set(racers) <= set(PREFERRED)


@pytest.mark.parametrize("extra", ["GRU", "a fourth", "sigmoid"])
def test_a_racer_keeps_its_colour_when_another_comes_or_goes(extra: str) -> None:
    before = slots(["LSTM", "vanilla RNN"])
    assert slots(["LSTM", "vanilla RNN", extra]) | before == slots(["LSTM", "vanilla RNN", extra])
    assert slots(["vanilla RNN"]).items() <= before.items()


def test_no_two_of_six_racers_share_a_slot_whatever_they_are_called() -> None:
    names = [*PREFERRED, "a", "b", "c", "d", "e", "f"]
    for start in range(len(names) - 5):
        assert sorted(slots(names[start : start + 6]).values()) == list(range(6))


def test_an_unknown_racer_leaves_the_others_their_slots() -> None:
    assert slots(["unknown", "vanilla RNN", "LSTM"]) == {"unknown": 2, "vanilla RNN": 0, "LSTM": 1}


def test_more_racers_than_slots_share_them_evenly() -> None:
    labels = [f"k{k}" for k in range(12)]
    assert sorted(slots(labels).values()) == sorted([*range(6)] * 2)
