"""Where does an address say that a history lies? Nothing of its password is ever shown, even where it is misread."""

import sqlalchemy as sa

UNREADABLE = (
    "its address is not like sqlite:////data/runs.sqlite or postgresql://user:password@host/database; "
    "in a password, write %40 for @, %2F for / and %20 for a space"
)


def place_at(address: str) -> sa.URL:
    """The place that an address in SQLAlchemy's notation names; ValueError, without a word of it, for another one."""
    try:
        place = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(UNREADABLE) from None
    on_a_server = any(part is not None for part in (place.username, place.host, place.port))
    # Behind an @ that belongs to a password, the rest of it would be taken for the host, which is shown.
    separators = address.count("@") if on_a_server else 0
    if (
        not address.isprintable()
        or separators != (place.username is not None)
        or (on_a_server and place.get_backend_name() == "sqlite")
    ):
        raise ValueError(UNREADABLE)
    if any("password" in name for name in place.query):
        raise ValueError("its address has a password behind the ?; write it before the @")
    if place.get_backend_name() == "sqlite" and place.query and "uri" not in place.query:
        raise ValueError(
            "SQLite takes what is behind the ? as in sqlite:///file:/data/runs.sqlite?mode=ro&uri=true alone"
        )
    return place
