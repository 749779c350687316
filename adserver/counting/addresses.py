"""Whose address an event came from, as little of it as will do."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_BITS: Final = {4: 24, 6: 48}
"""What is kept of an address wherever one must be told from another: about a provider's customer, never a person."""


def parse_address(text: str) -> Address | None:
    """Return the address that a text is, IPv4 where IPv6 only carries it; None where it is none (a unix socket)."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def truncated(text: str) -> str | None:
    """Return the /24 or /48 that an address lies in, in a form of our own; None where the text is no address."""
    start, _, last = text.rpartition(".")
    if last.isdigit() and ":" not in start:  # nearly all; a parser takes ten times as long
        return start
    address = parse_address(text)
    if address is None:
        return None
    if address.version == 4:
        return str(address).rpartition(".")[0]
    return f"{int(address) >> (128 - _BITS[6]):x}:"


def network_of(address: Address) -> Network:
    """Return the /24 or /48 that an address lies in."""
    return ip_network((address, _BITS[address.version]), strict=False)
