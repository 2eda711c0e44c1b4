"""Claims: is what the article says true?"""

import streamlit as st

from lstm_core.claims import CLAIMS, PUBLISHED, ROWS, Claim
from lstm_core.claims.verdicts import recorded
from lstm_core.ui.claims import BADGES, end, statement
from lstm_core.ui.page import PAGES, setup
from lstm_core.ui.session import OPEN

ADDRESS = "claim"


def toggle(name: str) -> None:
    """Open one row, and close the one that was open, or close it."""
    end()
    st.session_state[OPEN] = None if st.session_state[OPEN] == name else name
    st.query_params[ADDRESS] = st.session_state[OPEN] or "none"


def rows(claims: tuple[Claim, ...]) -> None:
    """A row for each statement with its recorded verdict, of which one can be open."""
    for claim in claims:
        opened = st.session_state[OPEN] == claim.name
        st.session_state[f"row {claim.name}"] = opened
        label = f"**{claim.name}** {claim.said} {BADGES[recorded()[claim.name]['verdict']]}"
        row = st.expander(label, key=f"row {claim.name}", on_change=toggle, args=(claim.name,))
        if opened:
            with row:
                statement(claim)


setup("claims")
st.title(PAGES["claims"].question, anchor=False)
st.markdown(
    "Eighteen statements of the article, each put to the test by a rule that was fixed beforehand, on at least five "
    "seeds. **Open a row** to see the evidence, and the test being run again."
)
if OPEN not in st.session_state:
    asked = st.query_params.get(ADDRESS, CLAIMS[0].name)
    st.session_state[OPEN] = asked if asked in ROWS else None

verdicts = [recorded()[claim.name]["verdict"] for claim in CLAIMS]
st.markdown(" ".join(f"{BADGES[verdict]} **{verdicts.count(verdict)}**" for verdict in BADGES))
rows(CLAIMS)
st.subheader("Published results")
st.markdown("What others have measured on these tasks, one seed each, and what comes out here with five.")
rows(PUBLISHED)
st.caption(
    "A statement is *confirmed* if the 95 % intervals of all its measurements lie where its sentences hold, *refuted* "
    "if one lies where its sentence does not hold, and *undecided* otherwise. Shares have Wilson's interval, other "
    "means Student's. `python -m lstm_core claims` does the same in a shell."
)
