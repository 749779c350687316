"""An edge to judge events by: nobody is suspected, but for what a test asks for."""

from collections.abc import Callable

from adserver.counting.acceptance import Edge
from adserver.counting.addresses import Address
from adserver.domain.ids import IdHash
from adserver.domain.token import Token
from adserver.domain.variants import Variant


class NoLimit:
    """Sources that may send as much as they like."""

    def take(self, address: str) -> bool:
        """Take it."""
        return False


class EverySourceTooMuch:
    """Sources that have sent too much already."""

    def take(self, address: str) -> bool:
        """Refuse it."""
        return True


class OneReader:
    """Cuts that are all the same."""

    def cut(self, token: Token, address: str, user_agent: str) -> int:
        """Return the one."""
        return 7


def make_edge(
    *,
    is_internal: Callable[[IdHash, Address], bool] = lambda *_: False,
    is_bot: Callable[[str], bool] = lambda _: False,
    burst: bool = False,
    has_variant: Callable[[IdHash, Variant], bool] = lambda *_: True,
) -> Edge:
    """Return an edge."""
    return Edge(is_internal, is_bot, EverySourceTooMuch() if burst else NoLimit(), OneReader(), has_variant)
