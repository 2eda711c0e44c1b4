"""How does the installed command begin? The dashboard at once, and all else with torch, which takes seconds to load."""

import sys
from importlib import import_module

from lstm_core.commands.dash import dash


def run() -> int:
    """The command of this process, and its exit status."""
    name, *further = sys.argv[1:] or [""]
    if name == dash.__name__ and not {"-h", "--help"} & set(further):
        dash(further)
    status: int = import_module("lstm_core.__main__").run()
    return status
