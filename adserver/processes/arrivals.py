"""Which connections have something to say: each is told to one of the threads that wait, and once."""

import select
import sys
from typing import Final

if sys.platform == "linux":
    _ONCE: Final = select.EPOLLONESHOT

    class Arrivals:
        """Connections that are waited for. Shared by all threads; the system wakes one for each that is ready."""

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def add(self, descriptor: int) -> None:
            """Wait for the first bytes of a connection."""
            self._epoll.register(descriptor, select.EPOLLIN | _ONCE)

        def again(self, descriptor: int, *, at_once: bool = False) -> None:
            """Wait for the next bytes of one that was told, or (`at_once`) only for its turn."""
            self._epoll.modify(descriptor, (select.EPOLLOUT if at_once else select.EPOLLIN) | _ONCE)

        def forget(self, descriptor: int) -> None:
            """Wait no longer."""
            self._epoll.unregister(descriptor)

        def next(self) -> int:
            """Return the next that is ready, waiting for it without end. It is told again only after `again`."""
            while not (ready := self._epoll.poll(None, 1)):
                pass
            return ready[0][0]

else:

    class Arrivals:
        """Connections that are waited for. Shared by all threads; the system wakes one for each that is ready."""

        def __init__(self) -> None:
            self._kqueue = select.kqueue()

        def add(self, descriptor: int) -> None:
            """Wait for the first bytes of a connection."""
            self.again(descriptor)

        def again(self, descriptor: int, *, at_once: bool = False) -> None:
            """Wait for the next bytes of one that was told, or (`at_once`) only for its turn."""
            what = select.KQ_FILTER_WRITE if at_once else select.KQ_FILTER_READ
            once = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
            self._kqueue.control([select.kevent(descriptor, what, once)], 0)

        def forget(self, descriptor: int) -> None:
            """Do nothing: the system forgets what was told, and what is closed."""

        def next(self) -> int:
            """Return the next that is ready, waiting for it without end. It is told again only after `again`."""
            while not (ready := self._kqueue.control(None, 1, None)):
                pass
            return ready[0].ident
