"""Values of filters that are nobody's id are named; those that are, or ever were, are not."""

import pytest
from statistics_world import World, order_name

from adserver.catalog.names import Names
from adserver.domain.ids import Kind, id_hash
from adserver.statistics.parsing import parse_query


def strangers(*filters: list[object], names: Names | None = None) -> tuple[str, ...]:
    world = World()
    world.names = names or world.names
    return world.service().strangers(parse_query({"metrics": ["fills"], "date_range": "all", "filters": [*filters]}))


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        ("advertiser", "qwiket"),
        ("campaign", "spring"),
        ("flight", "tools"),
        ("creative", "hammer"),
        ("slot", "forside"),
        ("site", "oslo-post"),
        ("topic", "sports"),
        ("place", "us-mn-remer"),
        ("place", "us"),
        ("county", "us-mn-cass-county"),
        ("state", "us-mn"),
        ("country", "us"),
        ("flight", "(none)"),
        ("slot", "(unknown)"),
        ("variant", "short"),
        ("time:day", "2026-11-24"),
    ],
)
def test_what_is_there_is_no_stranger(dimension: str, value: str) -> None:
    assert strangers(["is", dimension, [value]]) == ()


@pytest.mark.parametrize(
    ("dimension", "value", "words"),
    [
        ("advertiser", "quiket", "no advertiser is called quiket; did you mean qwiket?"),
        ("campaign", "sprung", "no campaign is called sprung; did you mean spring?"),
        ("flight", "zzz", "no flight is called zzz"),
        ("creative", "hamer", "no creative is called hamer; did you mean hammer?"),
        ("slot", "mastheed", "no slot is called mastheed; did you mean masthead?"),
        ("site", "america", "no site is called america; did you mean america-one?"),
        ("topic", "sport", "no topic is called sport; did you mean sports?"),
        ("state", "us-mn-remer", "no state is called us-mn-remer; places go by ids such as us-mn-remer"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_near(dimension: str, value: str, words: str) -> None:
    assert strangers(["not", ["is", dimension, [value]]]) == (words,)
    assert strangers(["is_not", dimension, [value]]) == (words,)


def test_a_part_of_an_id_is_no_stranger() -> None:
    assert strangers(["contains", "slot", ["mast"]]) == ()


def test_what_a_flight_belonged_to_once_is_no_stranger() -> None:
    moved = Names(
        flights={id_hash(Kind.FLIGHT, "tools"): order_name("tools", (0, "autumn", "timber"), (9, "spring", "hardware"))}
    )
    assert strangers(["is", "campaign", ["autumn"]], ["is", "advertiser", ["timber"]], names=moved) == ()
