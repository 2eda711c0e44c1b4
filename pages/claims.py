"""Claims: is what the article says true?"""

import streamlit as st

from lstm_core.claims import CLAIMS, ROWS
from lstm_core.claims.verdicts import recorded
from lstm_core.language import _
from lstm_core.ui.claims import BADGES, SIGNS, end, statement
from lstm_core.ui.page import PAGES, setup
from lstm_core.ui.session import OPEN

ADDRESS = "claim"
# The list scrolls by itself, so that what it opens begins at the top, and on a phone in sight.
LIST_HEIGHT = 460


def show() -> None:
    """Show the statement that was chosen, and put no other to the test."""
    end()
    st.query_params[ADDRESS] = st.session_state[OPEN]


def label(name: str) -> str:
    """The statement after the sign of its recorded verdict."""
    return f"{SIGNS[recorded()[name]['verdict']]} **{name}** {ROWS[name].said}"


setup("claims")
if OPEN not in st.session_state:
    asked = st.query_params.get(ADDRESS, CLAIMS[0].name)
    st.session_state[OPEN] = asked if asked in ROWS else None

left, right = st.columns((1, 2), gap="medium")
with left:
    st.title(PAGES["claims"].question, anchor=False)
    verdicts = [recorded()[claim.name]["verdict"] for claim in CLAIMS]
    st.markdown(" ".join(f"{BADGES[verdict]} **{verdicts.count(verdict)}**" for verdict in BADGES))
    with st.container(height=LIST_HEIGHT):
        about = _("P1 to P5 are published results from one seed each, repeated here with five.")
        opened = st.radio(
            _("Claims, each with its verdict"), list(ROWS), key=OPEN, format_func=label, on_change=show, help=about
        )
with right:
    if opened:
        statement(ROWS[opened])
    else:
        st.info(_("Choose a claim: its evidence appears here, and its test runs again."))
st.caption(
    _(
        "We tested {number} claims of the Korean article from RNN to LSTM and DenseNet behind this project by rules "
        "fixed in advance, on five seeds."
    ).format(number=len(CLAIMS))
)
