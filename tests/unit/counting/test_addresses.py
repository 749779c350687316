from ipaddress import ip_address, ip_network

import pytest

from adserver.counting.addresses import network_of, parse_address, truncated


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.254"),
        ("2001:db8:1:2::3", "2001:db8:1:ffff:1::"),
        ("::ffff:192.0.2.1", "192.0.2.77"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_what_is_kept_of_an_address_is_its_24_or_48(one: str, other: str) -> None:
    assert truncated(one) == truncated(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("192.0.2.1", "192.0.3.1"), ("2001:db8:1::", "2001:db8:2::"), ("::192.0.2.1", "192.0.2.1"), ("1.2.3.4", "::1")],
)
def test_sources_apart_stay_apart(one: str, other: str) -> None:
    assert truncated(one) != truncated(other)


@pytest.mark.parametrize("text", ["", "unix", "@", "localhost", "1.2.3.four", "%"])
def test_what_is_no_address_has_no_source(text: str) -> None:
    assert truncated(text) is None
    assert parse_address(text) is None


def test_the_network_of_an_address() -> None:
    assert network_of(ip_address("192.0.2.77")) == ip_network("192.0.2.0/24")
    assert network_of(ip_address("2001:db8:1:2::3")) == ip_network("2001:db8:1::/48")
