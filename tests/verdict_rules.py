"""
How often are the rules of verdicts wrong? `python -m tests.verdict_rules > benchmarks/rules.md`

Shares are computed exactly, from binomial distributions; medians are simulated.
"""

import datetime
import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import binom

from lstm_core.claims import ROWS
from lstm_core.claims.evidence import CONFIRMED, FIRST_LEVEL, MOSTLY, REFUTED, SECOND_LEVEL, SEEDS, YES, Finding, more
from lstm_core.measurements.intervals import exact, of_median

Draw = Callable[[np.random.Generator, int], np.ndarray]
WANTED, SIMULATED = 0.98, 20_000


def bimodal(rng: np.random.Generator, number: int) -> np.ndarray:
    """Two heaps of unequal weight, as of networks that learn and that do not."""
    return rng.standard_normal(number) * 0.1 + np.where(rng.random(number) < 0.3, 0.0, 3.0)


# Each with its median, by its quantile function or from 10 million draws.
DISTRIBUTIONS: dict[str, tuple[Draw, float]] = {
    "bimodal, 3 to 7": (bimodal, float(np.median(bimodal(np.random.default_rng(0), 10_000_000)))),
    "lognormal, sigma 2": (lambda rng, number: rng.lognormal(0, 2, number), 1.0),
    "bounded, from 0 to 1, most at the ends": (lambda rng, number: rng.beta(0.2, 0.2, number), 0.5),
    "normal": (lambda rng, number: rng.standard_normal(number), 0.0),
}


def median_coverage(draw: Draw, median: float, seeds: int, level: float, groups: int) -> float:
    """In how many of so many groups of seeds the interval contains the median."""
    rng = np.random.default_rng(1)
    ends = (of_median(draw(rng, seeds).tolist(), level) for _ in range(groups))
    return sum(low <= median <= high for low, high in ends) / groups


def share_coverage(seeds: int, level: float) -> float:
    """The least over all shares of how often the exact interval contains the share."""
    ends = [exact(some, seeds, level) for some in range(seeds + 1)]

    def of(share: float) -> float:
        chances = binom.pmf(range(seeds + 1), seeds, share)
        return float(sum(chance for chance, (low, high) in zip(chances, ends, strict=True) if low <= share <= high))

    return min(map(of, np.linspace(0.001, 0.999, 999)))


def statistical_questions() -> int:
    """How many questions of all claims are corrected together."""
    return sum(question.kind == MOSTLY for claim in ROWS.values() for question in claim.questions)


def verdict(holding: int, seeds: int, together: int, planned: int) -> str:
    """On a sentence that holds for so many seeds, where it is the strongest of so many refutations."""
    one = Finding((1.0,) * holding + (0.0,) * (seeds - holding), YES, planned=planned)
    return one.verdict(min(1.0, together * one.p_value))


def chances(share: float, together: int = 1, planned: int = SEEDS) -> tuple[float, float]:
    """How probably a sentence that holds for a share of all seeds is confirmed, and refuted, with the second chance."""
    first = binom.pmf(range(planned + 1), planned, share)
    later = binom.pmf(range(more(planned) - planned + 1), more(planned) - planned, share)
    found = {CONFIRMED: 0.0, REFUTED: 0.0}
    for held, chance in enumerate(first):
        at_once = verdict(held, planned, together, planned)
        if at_once in found:
            found[at_once] += chance
            continue
        for also, second in enumerate(later):
            at_last = verdict(held + also, more(planned), together, planned)
            if at_last in found:
                found[at_last] += chance * second
    return found[CONFIRMED], found[REFUTED]


def flips(together: int) -> float:
    """At the worst share: how probably one group of seeds confirms a sentence, and another one refutes it."""
    both = (chances(share, together) for share in np.linspace(0.3, 0.7, 41))
    return max(2 * confirmed * refuted for confirmed, refuted in both)


def needed(together: int | None = None) -> float:
    """The share of all seeds from which on a sentence is confirmed as surely as `WANTED`; or refuted, from 1 down."""
    for share in np.linspace(0.5, 1, 501):
        confirmed, _ = chances(share)
        _, refuted = chances(1 - share, together or 1)
        if (confirmed if together is None else refuted) >= WANTED:
            return float(share)
    return math.nan


def report(groups: int = SIMULATED) -> Iterator[str]:
    """Tables in Markdown."""
    asked = statistical_questions()
    plan = [(SEEDS, FIRST_LEVEL), (more(SEEDS), SECOND_LEVEL)]
    yield "# How often are verdicts wrong?"
    yield ""
    yield f"Made by `python -m tests.verdict_rules` on {datetime.datetime.now(tz=datetime.UTC).date()}."
    yield ""
    yield "## Does an interval contain the median as often as it says?"
    yield ""
    yield f"{groups:,} groups of seeds each."
    yield ""
    yield f"| values of seeds | {' | '.join(f'{seeds} seeds, {level:.0%}' for seeds, level in plan)} |"
    yield "|---|---|---|"
    for name, (draw, median) in DISTRIBUTIONS.items():
        found = [f"{median_coverage(draw, median, *one, groups):.1%}" for one in plan]
        yield f"| {name} | {' | '.join(found)} |"
    least = " | ".join(f"{share_coverage(*one):.1%}" for one in plan)
    yield f"| yes or no: the interval of the share, at the worst share | {least} |"
    yield ""
    yield "## What comes out, by the true share of seeds for which a sentence holds"
    yield ""
    yield f"{SEEDS} seeds, and {more(SEEDS)} where these leave it open. Refuted: corrected for {asked} questions, by"
    yield "the first of Holm's steps, which is the strictest, and for one."
    yield ""
    yield "| true share | confirmed | refuted, corrected | refuted, one question |"
    yield "|---|---|---|---|"
    for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 1.0):
        confirmed, refuted = chances(share, asked)
        yield f"| {share:.0%} | {confirmed:.2%} | {refuted:.2%} | {chances(share)[1]:.2%} |"
    yield ""
    yield f"- Confirmed with {WANTED:.0%} power: from a true share of {needed():.1%} on."
    yield f"- Refuted with {WANTED:.0%} power: from a true share of {1 - needed(asked):.1%} down."
    yield "- The chance that one group of seeds confirms a sentence and another one refutes it, at the worst share:"
    yield f"  {flips(1):.2%} for a single question, {flips(asked):.4%} as it is corrected."


if __name__ == "__main__":
    print("\n".join(report()))
