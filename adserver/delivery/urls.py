"""Where a fill's link and beacon point."""

from dataclasses import dataclass
from typing import Self

from adserver.domain.variants import Variant


@dataclass(frozen=True, slots=True)
class Urls:
    """The two addresses of one fill, without the length on screen. Immutable."""

    click: str
    seen: str

    @classmethod
    def of(cls, base: str, token: str) -> Self:
        """Return the addresses under `base`, the service's address without a slash at its end, or a relative one."""
        return cls(f"{base}/go/{token}", f"{base}/v1/seen/{token}.gif")

    def showing(self, variant: Variant) -> Self:
        """Return the same addresses, saying which length is on screen."""
        return type(self)(f"{self.click}?v={variant}", f"{self.seen}?variant={variant}")
