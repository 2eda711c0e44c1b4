"""
What does the article say, and how is each statement put to the test?

Every statement is a row of `CLAIMS`: the networks that are looked at, the questions that are asked of them, and the
rule that turns the answers into a verdict. Rules are committed before the seeds are run that are recorded; what could
be expected was tried out on other seeds. `PUBLISHED` are results of others, put to the test in the same way.
"""

from lstm_core.claims.claim import LOOK, Claim, Question
from lstm_core.claims.densenet import DENSENET
from lstm_core.claims.fading import FADING
from lstm_core.claims.forecasting import FORECASTING
from lstm_core.claims.highway import HIGHWAY
from lstm_core.claims.published import PUBLISHED

__all__ = ["CLAIMS", "LOOK", "PUBLISHED", "ROWS", "Claim", "Question"]

CLAIMS = (*FADING, *HIGHWAY, *DENSENET, *FORECASTING)
ROWS = {claim.name: claim for claim in (*CLAIMS, *PUBLISHED)}
