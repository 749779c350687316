"""What one call for a page shows, and who may stand beside it."""

from dataclasses import dataclass
from typing import Final

from adserver.domain.catalog import Advertiser
from adserver.domain.ids import AdvertiserId, FlightId


@dataclass(frozen=True, slots=True)
class PageSoFar:
    """The advertisers already on the page of one call. Immutable: each fill makes the next one."""

    advertisers: frozenset[AdvertiserId] = frozenset()
    labels: frozenset[str] = frozenset()
    """All `competes_with` labels of `advertisers`; no two of them share one."""
    alone: frozenset[AdvertiserId] = frozenset()
    """Those of `advertisers` whose flight may not repeat: nothing of theirs may stand beside it."""
    takeovers: frozenset[FlightId] = frozenset()
    """Flights that can have all of their slots in this call, if they are given the one that is asked for."""

    def after(self, advertiser: Advertiser, *, may_repeat: bool = False) -> "PageSoFar":
        """Return the page once this advertiser is shown on it too, by a flight that may repeat, or not."""
        alone = self.alone if may_repeat else self.alone | {advertiser.id}
        return PageSoFar(
            self.advertisers | {advertiser.id}, self.labels | advertiser.competes_with, alone, self.takeovers
        )


EMPTY_PAGE: Final = PageSoFar()


def is_competitor(advertiser: Advertiser, page: PageSoFar) -> bool:
    """Return whether a competitor is on the page.

    An advertiser's own labels do not speak against it: where it is on the page itself, no competitor of it can be.
    """
    return not advertiser.competes_with.isdisjoint(page.labels) and advertiser.id not in page.advertisers


def is_repeated(advertiser: Advertiser, page: PageSoFar, *, may_repeat: bool) -> bool:
    """Return whether the advertiser is on the page already, and this flight, or the one that is there, stands alone."""
    return advertiser.id in page.advertisers and not (may_repeat and advertiser.id not in page.alone)


def may_stand(advertiser: Advertiser, page: PageSoFar, *, may_repeat: bool) -> bool:
    """Return whether the page has neither a competitor of the advertiser nor, unless both may repeat, itself."""
    return not (is_competitor(advertiser, page) or is_repeated(advertiser, page, may_repeat=may_repeat))


def is_excluded(advertiser: Advertiser, exclude: frozenset[str]) -> bool:
    """Return whether a page names the advertiser among those it excludes: by id, category or `competes_with` label."""
    return bool(exclude) and (
        advertiser.id in exclude
        or not exclude.isdisjoint(advertiser.categories)
        or not exclude.isdisjoint(advertiser.competes_with)
    )
