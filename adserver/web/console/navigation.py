"""What the console's navigation shows: one entry a page that people open, in order. Values only."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint

from adserver.web.auth import Principal, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation. Immutable."""

    title: str
    endpoint: str
    """Flask's, such as `console_campaigns.listing`; its blueprint is what is marked as open."""
    icon: str
    """Of Bootstrap Icons, without `bi-`."""
    about: str = ""
    """What one does there, in a sentence; on the overview."""
    roles: frozenset[Role] = frozenset(Role)
    """Who sees it."""
    for_bound: bool = True
    """Whether a token that is bound to advertisers sees it."""
    count: Callable[[Principal], int] = lambda _: 0
    """How many things there a caller should look at, beside its title; 0: none. Must answer at once, and not raise."""

    def is_for(self, caller: Principal) -> bool:
        """Tell whether a caller sees it."""
        return caller.role in self.roles and (self.for_bound or not caller.is_bound)


@dataclass(frozen=True, slots=True)
class Section:
    """Pages of the console that belong together: a blueprint, and its entries. Immutable.

    The blueprint is registered under `/console`, so that all of its routes are for people who have signed in; it
    renders templates that extend `console/page.html`.
    """

    blueprint: Blueprint
    entries: tuple[Entry, ...] = field(default=())
    max_body_bytes: int | None = None
    """The largest form that its pages take, of people who have signed in; None: what any address takes."""
