"""How does a test visit a page? By Streamlit's own tests of apps, and nothing that it does may raise."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from lstm_core.ui.page import PAGES

ROOT = Path(__file__).parent.parent


def open_page(visits: list[AppTest], name: str, **address: str | tuple[str, ...]) -> AppTest:
    """A first visit to a page, with what its address says, added to the `visits` of a test."""
    visit = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    visits.append(visit)
    visit.query_params.update({key: value if isinstance(value, str) else list(value) for key, value in address.items()})
    if name != "dashboard":
        visit.switch_page(PAGES[name].path)
    return check(visit.run())


def check(visit: AppTest) -> AppTest:
    """The same visit, if nothing was raised."""
    assert [error.value for error in visit.exception] == []
    return visit
