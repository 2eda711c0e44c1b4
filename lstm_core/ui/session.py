"""
What does a session remember of its visitor? Under these keys of Streamlit's session state, and no others.

Beside them, each widget keeps its value under a key of its own: the field that it sets, or what it is called.
"""

# What is looked at, see `ui.showing`; whether the next race is to be trained anew; the training step gone back to.
SHOWING, ANEW, STEP_SHOWN = "showing", "anew", "moment"
PINS = "pins"
# Whether pages are shown to a class, and the switch of it.
PROJECTED, PROJECTOR = "projected", "projector"
# Which of the tabs below a race is open.
TAB = "tab"
# What the address says and has said, see `ui.address`.
ADDRESS = "address"
# The statement that is open, and the one under test.
OPEN, AGAIN = "claim", "again"
# What is held of an uploaded file.
SHELF = "own_series"
# A small grid: its text, its race, and which of its runs are stored.
TEXT, UNDER_WAY, STORED = "grid_text", "grid", "grid_stored"
# Which runs were left out of the file that was exported last.
LEFT_OUT = "left_out"
# How often a race to start from was chosen; by page, what was raced there and the visitor's guess at what comes out.
STARTED, GUESSED = "starts", "guessed"
# By page, what was raced there, and paused, when the visitor left it.
PAUSED = "paused"
