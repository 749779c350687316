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
