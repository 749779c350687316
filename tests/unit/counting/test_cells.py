"""Golden: what keys and fields look like in Redis, for ever."""

from adserver.counting.cells import (
    CLICKS,
    Family,
    Rolled,
    cell_field,
    cell_key,
    hours_member,
    index_key,
    moves_field,
    places_member,
    reach_index_key,
    reach_key,
    reader_element,
    rolled_key,
    topics_member,
)
from adserver.domain.ids import IdHash
from adserver.domain.variants import Variant

FLIGHT, CREATIVE, SLOT, PLACE, TOPIC = (IdHash(text) for text in (b"flight", b"creati", b"slot5", b"place", b"topi"))


def test_keys_and_fields_of_cells() -> None:
    hours, places = hours_member(FLIGHT, CREATIVE, SLOT), places_member(FLIGHT, CREATIVE, SLOT, PLACE)
    assert cell_key(3, Family.HOURS, hours, 83_124) == "{s3}:hours:666c69676874:637265617469:736c6f7435:83124"
    assert cell_key(3, Family.PLACES, places, 2_968).endswith(":666c69676874:637265617469:736c6f7435:706c616365:2968")
    assert topics_member(FLIGHT, SLOT, TOPIC) == "666c69676874:736c6f7435:746f7069"
    assert index_key(3, Family.TOPICS, 2_968) == "{s3}:index:topics:2968"
    assert [family.block_size for family in (Family.HOURS, Family.PLACES, Family.TOPICS)] == [6, 7, 4]
    assert cell_field(5, Variant.LONG, CLICKS) == b"\x17\x03"


def test_keys_of_what_was_moved_to_coarser_times() -> None:
    assert cell_key(3, Rolled.DAYS, hours_member(FLIGHT, CREATIVE, SLOT), 2_968).startswith("{s3}:days:666c69676874:")
    assert index_key(3, Rolled.MONTHS, 56) == "{s3}:index:months:56"
    assert (rolled_key(3), moves_field(Family.HOURS)) == ("{s3}:rolled", "hours:moves")
    assert (Rolled.DAYS.block_size, Rolled.MONTHS.block_size) == (7, 12)


def test_keys_and_elements_of_reach() -> None:
    assert reach_key(3, 20_781, FLIGHT) == "{s3}:reach:20781:666c69676874"
    assert reach_index_key(3, 20_781) == "{s3}:index:reach:20781"
    assert reader_element(0x0E0F1011) == b"\x0e\x0f\x10\x11"
