"""What the ways out are called. Standard library only."""

from enum import StrEnum


class WayName(StrEnum):
    """As the book, `/metrics` and the console name them."""

    WEBHOOK = "webhook"
    MAIL = "mail"
