"""Write what is recorded of every claim into a page: `python -m docs.verdicts > docs/verdicts.md`."""

from collections.abc import Iterator, Sequence

from lstm_core.claims import CLAIMS, PUBLISHED, Claim
from lstm_core.claims.evidence import BESIDE, LIMITS
from lstm_core.claims.verdicts import recorded

ROLES = {LIMITS: " (where it ends)", BESIDE: " (context)"}


def page() -> Iterator[str]:
    """Lines of Markdown: how many statements hold, and of each its verdict, why, and what came out of each question."""
    verdicts = [recorded()[claim.name]["verdict"] for claim in CLAIMS]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    yield "# What the verdicts say"
    yield ""
    yield f"Of the article's {len(CLAIMS)} claims: {counts}. Made by `python -m docs.verdicts` from"
    yield "what is recorded; [How claims are judged](claims.md) says what the words mean."
    yield from _rows("The article", CLAIMS)
    yield from _rows("Published results", PUBLISHED)


def _rows(title: str, claims: Sequence[Claim]) -> Iterator[str]:
    yield from ("", f"## {title}")
    for claim in claims:
        row = recorded()[claim.name]
        yield from ("", f"### {claim.name}: {row['verdict']}", "", f"> {_literal(claim.said)}", "")
        yield _literal(f"{claim.takeaway} {claim.why}")
        yield from ("", "| question | seeds | verdict |", "|---|---|---|")
        for question, answer in zip(claim.questions, row["answers"], strict=True):
            sentence = _literal(f"{question.sentence}{ROLES.get(question.role, '')}")
            yield f"| {sentence} | {answer['holding']} of {len(answer['values'])} | {answer['verdict']} |"


def _literal(text: str) -> str:
    """Without a meaning for Markdown: brackets are no links, and bars no columns."""
    return text.replace("[", "\\[").replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join(page()))
