"""What one call for a page has shown so far."""

from dataclasses import dataclass
from typing import Final

from adserver.domain.catalog import Advertiser
from adserver.domain.ids import AdvertiserId


@dataclass(frozen=True, slots=True)
class PageSoFar:
    """The advertisers already on the page of one call. Immutable: each fill makes the next one."""

    advertisers: frozenset[AdvertiserId] = frozenset()
    labels: frozenset[str] = frozenset()
    """All `competes_with` labels of `advertisers`; no two of them share one."""

    def after(self, advertiser: Advertiser) -> "PageSoFar":
        """Return the page once this advertiser is shown on it too."""
        return PageSoFar(self.advertisers | {advertiser.id}, self.labels | advertiser.competes_with)


EMPTY_PAGE: Final = PageSoFar()


def is_competitor(advertiser: Advertiser, page: PageSoFar) -> bool:
    """Return whether a competitor is on the page.

    An advertiser's own labels do not speak against it: where it is on the page itself, no competitor of it can be.
    """
    return not advertiser.competes_with.isdisjoint(page.labels) and advertiser.id not in page.advertisers


def is_repeated(advertiser: Advertiser, page: PageSoFar) -> bool:
    """Return whether the advertiser is on the page already."""
    return advertiser.id in page.advertisers


def is_excluded(advertiser: Advertiser, exclude: frozenset[str]) -> bool:
    """Return whether a page names the advertiser among those it excludes: by id, category or `competes_with` label."""
    return bool(exclude) and (
        advertiser.id in exclude
        or not exclude.isdisjoint(advertiser.categories)
        or not exclude.isdisjoint(advertiser.competes_with)
    )
