"""The schema of slots.yaml."""

from collections.abc import Mapping

import pytest

from adserver.catalog.checking import check_slots_file
from adserver.catalog.positions import Point, Positions
from adserver.catalog.reading import Parsed, RawValue
from adserver.domain.errors import InputRefused


def parsed(site: Mapping[str, RawValue], slot: Mapping[str, RawValue]) -> Parsed:
    sites: dict[str, RawValue] = {
        "id": "america-one",
        "name": "THE AMERICA ONE NEWS",
        "home": "https://americaone.example",
        "timezone": "America/Chicago",
    }
    slots: dict[str, RawValue] = {"id": "masthead", "site": "america-one"}
    content: RawValue = {"sites": [{**sites, **site}], "slots": [{**slots, **slot}]}
    return Parsed(content, Positions(lambda: {(): Point(1, 1)}))


def faults_of(site: Mapping[str, RawValue], slot: Mapping[str, RawValue]) -> Mapping[str, str]:
    with pytest.raises(InputRefused) as caught:
        check_slots_file(parsed(site, slot))
    return {fault.path: fault.message for fault in caught.value.faults}


def test_a_site_and_its_slots_are_stored_canonical() -> None:
    origins: list[RawValue] = ["https://AmericaOne.example/"]
    document = check_slots_file(parsed({"origins": origins, "lang": "en-US"}, {"variants": ["name"], "max_chars": 90}))
    assert document == {
        "sites": [
            {
                "id": "america-one",
                "name": "THE AMERICA ONE NEWS",
                "home": "https://americaone.example/",
                "timezone": "America/Chicago",
                "origins": ["https://americaone.example"],
                "lang": "en-US",
            }
        ],
        "slots": [{"id": "masthead", "site": "america-one", "variants": ["name"], "max_chars": 90}],
    }


def test_internal_networks_are_stored_in_cidr_notation() -> None:
    networks: list[RawValue] = ["192.0.2.0/24", " 198.51.100.7 ", "2001:DB8::/48", "0.0.0.0/0"]
    document = check_slots_file(parsed({"internal_networks": networks}, {}))
    stored = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/48", "0.0.0.0/0"]
    assert document["sites"][0]["internal_networks"] == stored  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("network", "fault"),
    [
        ("office", "an address or a network such as 192.0.2.0/24"),
        ("192.0.2.0/33", "an address or a network"),
        ("192.0.2.7/24", '"192.0.2.7/24" names one address within 192.0.2.0/24'),
        ("192.0.2", "an address or a network"),
        (7, "an address or a network"),
        ("", "an address or a network"),
    ],
)
def test_an_internal_network_is_one(network: RawValue, fault: str) -> None:
    assert fault in faults_of({"internal_networks": [network]}, {})["sites[0].internal_networks[0]"]


@pytest.mark.parametrize("variant", ["auto", "tiny", 7])
def test_a_slot_takes_real_lengths_only(variant: RawValue) -> None:
    assert "one of name, short, long" in faults_of({}, {"variants": [variant]})["slots[0].variants[0]"]


@pytest.mark.parametrize("limit", [0, -1, 1_001, True, "140"])
def test_a_limit_is_a_whole_number_of_characters(limit: RawValue) -> None:
    assert "a whole number from 1 to 1,000" in faults_of({}, {"max_chars": limit})["slots[0].max_chars"]


@pytest.mark.parametrize("lang", ["english language", "e", 'en"', "", 7])
def test_a_language_is_a_tag(lang: RawValue) -> None:
    assert "language tag" in faults_of({"lang": lang}, {})["sites[0].lang"]


@pytest.mark.parametrize("home", ["http://americaone.example", "mailto:a@b.example", "/", "javascript:1"])
def test_a_home_is_an_https_link(home: str) -> None:
    assert list(faults_of({"home": home}, {})) == ["sites[0].home"]


def test_sites_and_slots_are_both_asked_for() -> None:
    with pytest.raises(InputRefused) as caught:
        check_slots_file(Parsed({}, Positions(lambda: {(): Point(1, 1)})))
    assert {fault.path for fault in caught.value.faults} == {"sites", "slots"}
