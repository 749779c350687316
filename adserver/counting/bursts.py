"""How many events one source sends: a bounded, sliding count in a worker's memory, never written anywhere."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

from adserver.counting.addresses import Network, network_of, parse_address, truncated

WINDOW_SECONDS: Final = 10
MOST_SOURCES: Final = 10_000
"""How many sources are remembered at once, about 4 MB; the one that has been silent longest is forgotten first."""

_LOCAL: Final = tuple(
    ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""Loopback, private and link-local addresses (RFC 1918, 3927, 4193, 4291): many readers may share one of them."""


@dataclass(slots=True)
class _Source:
    """What one source has sent. Guarded by its owner's lock."""

    is_free: bool
    """Whether it may send as many events as it likes."""
    second: int = 0
    by_second: list[int] = field(default_factory=lambda: [0] * WINDOW_SECONDS)
    total: int = 0


class Bursts:
    """Tells a source that sends more than readers do. Shared by all threads, under a lock of its own; one a process.

    A source is a /24 or /48. The window slides by whole seconds and holds the present one and the nine before it, so it
    is never longer than ten seconds, and nobody is refused for fewer events than the limit.
    """

    def __init__(self, most_events: int, free: tuple[Network, ...], monotonic: Callable[[], float]) -> None:
        """Take how many events a source may send in the window, and which sources may send any number.

        Args:
            most_events: the limit; 0: there is none.
            free: networks that stand for many readers, as trusted proxies do; so does a source that holds one of them.
            monotonic: the clock, in seconds.
        """
        self._most_events = most_events
        self._free = (*_LOCAL, *free)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    def take(self, address: str) -> bool:
        """Note one event from an address; return whether it is beyond what its source may send."""
        key = truncated(address) if self._most_events else None
        if key is None:
            return False
        second = int(self._monotonic())
        with self._lock:
            source = self._find(key, address)
            if source.is_free:
                return False
            _slide(source, second)
            source.by_second[second % WINDOW_SECONDS] += 1
            source.total += 1
            return source.total > self._most_events

    def _find(self, key: str, address: str) -> _Source:
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(self._is_free(address))
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        else:
            self._sources.move_to_end(key)
        return source

    def _is_free(self, address: str) -> bool:
        parsed = parse_address(address)
        if parsed is None:
            return True
        of = network_of(parsed)
        return any(of.version == free.version and of.overlaps(free) for free in self._free)


def _slide(source: _Source, second: int) -> None:
    """Leave out what was sent before the window that ends with a second."""
    for passed in range(source.second + 1, second + 1)[-WINDOW_SECONDS:]:
        place = passed % WINDOW_SECONDS
        source.total -= source.by_second[place]
        source.by_second[place] = 0
    source.second = max(source.second, second)
