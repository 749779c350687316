"""Which campaigns a list shows: filtered, sorted, and a page of them; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from adserver.catalog.state import CampaignState
from adserver.web.console.holdings import Holding

PAGE_ROWS: Final = 25
_TEXT_MAX_CHARS: Final = 100
_LAST_PAGE: Final = 100_000
_STATE_ORDER: Final = {
    state: number for number, state in enumerate(("live", "scheduled", "paused", "goal_met", "ended"))
}

_KEYS: Final[Mapping[str, Callable[[Holding], tuple[object, ...]]]] = {
    "name": lambda one: (one.campaign.name.casefold(),),
    "advertiser": lambda one: (one.advertiser.name.casefold(),),
    "state": lambda one: (_STATE_ORDER[one.state.value],),
    "starts": lambda one: (one.campaign.starts,),
    "ends": lambda one: (one.ends or date.max,),
    "delivered": lambda one: (one.progress.delivered,),
    "goal": lambda one: (one.progress.percent if one.progress.goal else -1.0,),
}
SORTS: Final = tuple(_KEYS)
DEFAULT_SORT: Final = "state"


@dataclass(frozen=True, slots=True)
class ListAsked:
    """What a list was asked for. Immutable."""

    state: str = ""
    """Empty: any."""
    advertiser: str = ""
    """An id; empty: any."""
    text: str = ""
    """Stands in a name or an id; empty: any."""
    sort: str = DEFAULT_SORT
    is_descending: bool = False
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.state or self.advertiser or self.text)

    def query(self, **changes: object) -> dict[str, object]:
        """Return the query of an address that asks the same, but for changes; what is left out has its default."""
        values: dict[str, object] = {
            "state": self.state,
            "advertiser": self.advertiser,
            "q": self.text,
            "sort": self.sort,
            "order": "desc" if self.is_descending else "asc",
            "page": self.page,
            **changes,
        }
        plain = {"sort": DEFAULT_SORT, "order": "asc", "page": 1}
        return {name: value for name, value in values.items() if value and value != plain.get(name)}


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. Immutable."""

    rows: tuple[Holding, ...]
    total: int
    """Of all pages."""
    page: int
    pages: int
    """At least 1."""


def read_asked(query: Mapping[str, str]) -> ListAsked:
    """Return what a query asks for; what it cannot mean is passed over, for a list has a way back."""
    state, sort = query.get("state", ""), query.get("sort", "")
    number = query.get("page", "")
    return ListAsked(
        state if state in tuple(CampaignState) else "",
        query.get("advertiser", "")[:_TEXT_MAX_CHARS],
        query.get("q", "").strip()[:_TEXT_MAX_CHARS],
        sort if sort in SORTS else DEFAULT_SORT,
        query.get("order") == "desc",
        min(int(number), _LAST_PAGE) if number.isascii() and number.isdigit() and 0 < len(number) < 10 else 1,
    )


def select(campaigns: Sequence[Holding], asked: ListAsked) -> ListPage:
    """Return the page that was asked for, the last one where there are fewer."""
    kept = [one for one in campaigns if _matches(one, asked)]
    kept.sort(key=lambda one: (one.campaign.name.casefold(), one.campaign.id))
    kept.sort(key=_KEYS[asked.sort], reverse=asked.is_descending)
    pages = max(1, -(-len(kept) // PAGE_ROWS))
    page = min(max(1, asked.page), pages)
    return ListPage(tuple(kept[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]), len(kept), page, pages)


def _matches(one: Holding, asked: ListAsked) -> bool:
    if asked.state and one.state.value != asked.state:
        return False
    if asked.advertiser and one.advertiser.id != asked.advertiser:
        return False
    words = (one.campaign.id, one.campaign.name, one.advertiser.id, one.advertiser.name)
    flights = (flight.id for flight in one.campaign.flights)
    return not asked.text or any(asked.text.casefold() in word.casefold() for word in (*words, *flights))
