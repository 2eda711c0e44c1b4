"""How is the dashboard started from anywhere? As a process of Streamlit in place of this one."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from lstm_core.installation import APP


def dash(further: Sequence[str]) -> NoReturn:
    """
    Streamlit on the app, with its configuration, which lies beside it, and `further` arguments of `streamlit run`.
    Nothing is imported from the folder that the user happens to stand in.
    """
    script = str(APP / "dashboard.py")
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", script, *further])
