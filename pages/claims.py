"""Claims: is what the article says true?"""

from lstm_core.ui.page import begin

begin("claims")

import streamlit as st

from lstm_core.claims import CLAIMS, ROWS
from lstm_core.claims.verdicts import recorded
from lstm_core.language import _
from lstm_core.ui import address
from lstm_core.ui.claims import BADGES, SIGNS, counted, end, statement
from lstm_core.ui.control import radio
from lstm_core.ui.navigation import setup
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import OPEN

# The list scrolls by itself, so that what it opens begins at the top, and on a phone in sight.
LIST_HEIGHT = 400


def show() -> None:
    """Show the statement that was chosen, and put no other to the test."""
    end()


def label(name: str) -> str:
    """The statement after the sign of its recorded verdict."""
    return f"{SIGNS[recorded()[name]['verdict']]} **{name}** {ROWS[name].said}"


setup("claims")
STATEMENTS = radio(
    _("Claims, each with its verdict"),
    {name: label(name) for name in ROWS},
    _("Those that begin with P are published results from one seed each, repeated here."),
    show,
)
left, right = st.columns((1, 2), gap="medium")
with left:
    st.title(PAGES["claims"].question, anchor=False)
    said = _(
        "{number} claims of the Korean article behind this project, by rules fixed in advance: true is what holds for "
        "more than half of all seeds."
    )
    st.caption(said.format(number=len(CLAIMS)))
    verdicts = [recorded()[claim.name]["verdict"] for claim in CLAIMS]
    st.markdown(" ".join(counted(verdict, verdicts.count(verdict)) for verdict in BADGES))
    with st.container(height=LIST_HEIGHT):
        opened = address.place(STATEMENTS, OPEN, CLAIMS[0].name)
address.tell()
address.write()
with right:
    statement(ROWS[opened])
