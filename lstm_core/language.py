"""In which language does a visitor read? In English, until there are catalogues: every text passes here whole."""


def _(text: str) -> str:
    """
    A text as a visitor reads it: one whole literal, with named places for `str.format` where numbers or names go, so
    that it can be found in the sources and looked up in a catalogue.
    """
    return text


def ngettext(one: str, many: str, number: int) -> str:
    """The text for one thing, or for another number of them, both whole literals."""
    return one if number == 1 else many
