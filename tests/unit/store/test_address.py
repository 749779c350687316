"""What an address says: hosts, login, encryption, the sentinels' service."""

import pytest

from adserver.store.address import Endpoint, Topology, parse_address


def test_a_cluster_is_named_by_some_of_its_nodes() -> None:
    address = parse_address("redis+cluster://kim:w%40rd%2C@a.example:7000,[2001:db8::1]:7001,10.0.0.9")
    assert address.topology is Topology.CLUSTER
    assert address.endpoints == (Endpoint("a.example", 7000), Endpoint("2001:db8::1", 7001), Endpoint("10.0.0.9", 6379))
    assert (address.username, address.password, address.encrypted) == ("kim", "w@rd,", False)


def test_a_primary_is_named_by_its_sentinels_and_what_they_call_it() -> None:
    address = parse_address("redis+sentinel://:word@a:26380,b/counts/3?sentinel_username=s&sentinel_password=p")
    assert address.topology is Topology.SENTINEL
    assert address.endpoints == (Endpoint("a", 26380), Endpoint("b", 26379))
    assert (address.service, address.database) == ("counts", 3)
    assert (address.username, address.password) == (None, "word")
    assert address.options == {"sentinel_username": "s", "sentinel_password": "p"}


@pytest.mark.parametrize("scheme", ["rediss+cluster", "rediss+sentinel"])
def test_an_encrypted_one_may_name_the_files_that_it_is_checked_by(scheme: str) -> None:
    address = parse_address(f"{scheme}://a/{'main' if 'sentinel' in scheme else ''}?ssl_ca_certs=/etc/ca.pem")
    assert address.encrypted
    assert address.options == {"ssl_ca_certs": "/etc/ca.pem"}


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("unix:///run/redis.sock", False),
        ("redis://127.0.0.1:6379/1", False),
        ("rediss://redis.example", True),
        ("redis+cluster://127.0.0.1:1,10.0.0.1:1", True),
        ("redis+cluster://127.0.0.1:1,localhost:2", False),
    ],
)
def test_a_store_with_any_host_elsewhere_is_remote(text: str, remote: bool) -> None:
    assert parse_address(text).is_remote is remote
