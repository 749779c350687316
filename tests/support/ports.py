"""Ports that stay free until they are listened on: below those that the kernel gives to anybody's connections."""

import random
import socket
from contextlib import ExitStack
from typing import Final

_FIRST, _END = 10_240, 22_768
"""Ephemeral ports begin at 32,768; of a cluster's nodes the bus, 10,000 above, lies below them too."""
_BUS: Final = 10_000
_DRAW: Final = random.SystemRandom()  # of several test processes, none draws what another does


def free_port() -> int:
    """Return a port that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, nor on the cluster's bus beside each."""
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            port = _DRAW.randrange(_FIRST, _END)
            probe, bus = stack.enter_context(socket.socket()), stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + _BUS))
            except OSError:
                continue
            ports.append(port)
    return ports
