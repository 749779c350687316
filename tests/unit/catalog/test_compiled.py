"""The compiled catalog comes back as it was written, or is refused; never in part."""

import base64
import hashlib
import struct
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from catalog_bench import NOON
from hypothesis import given
from hypothesis import strategies as st

from adserver.catalog.compiled import (
    Compiled,
    CompiledUnreadable,
    NotServable,
    decode_compiled,
    encode_compiled,
    open_compiled,
    read_compiled,
    read_compiled_number,
    write_compiled,
)
from adserver.catalog.files import DRAFT_SUFFIX
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Pacing,
    Price,
    RetiredCreative,
    Site,
    Slot,
    Status,
    Targeting,
    Tier,
)
from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Circle
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import Text, Variant, Variants

HEADER_BYTES = 64
GOLDEN = Path(__file__).parent / "golden" / "catalog.snapshot.base64"
GOLDEN_OF_3 = GOLDEN.with_name("catalog-3.snapshot.base64")


def full_catalog() -> Catalog:
    """Return a catalog in which every field has a value of its own."""
    creative = full_creative()
    flight = Flight(
        FlightId("f"),
        (CreativeWeight(CreativeId("c"), 2),),
        frozenset({SlotId("masthead")}),
        Status.PAUSED,
        Tier.SPONSORSHIP,
        50,
        3,
        Goal(1000, Pacing.ASAP),
        Price("USD", Decimal("12.00")),
        date(2026, 1, 1),
        date(2026, 2, 1),
        repeat=True,
        takeover=True,
        targeting=Targeting(
            frozenset({PlaceId("us-mn"), PlaceId("us-wi")}),
            frozenset({PlaceId("us-mn-remer")}),
            frozenset({Topic("sports")}),
            frozenset({Topic("obituaries")}),
            (Circle(PlaceId("us-mn-remer"), 47.06, -93.91, 96.56064),),
            (Circle(PlaceId("us-mn-ely"), 47.9, -91.86, 20.0),),
            Hours(frozenset({0, 4}), 360, 120),
        ),
    )
    return Catalog(
        (
            Site(
                SiteId("one"),
                "One",
                "https://one.example/",
                "America/Chicago",
                "Annonce",
                "fr",
                ("https://o.example",),
                ("192.0.2.0/24",),
            ),
        ),
        (Slot(SlotId("masthead"), SiteId("one"), 90, frozenset({Variant.NAME}), frozenset({"alcohol"}), False),),
        (Advertiser(AdvertiserId("a"), "Ä", frozenset({"x"}), frozenset({"y"}), "https://a.example/"),),
        (
            Campaign(
                CampaignId("s"),
                AdvertiserId("a"),
                "S",
                "Europe/Paris",
                date(2025, 6, 1),
                None,
                (creative,),
                (flight,),
                Status.PAUSED,
            ),
        ),
        (CategoryRule("betting", date(2026, 11, 1), "a law", True, (StateRule(PlaceId("us-ia"), True, "21+"),)),),
    )


def full_creative() -> Creative:
    variants = Variants(Text("QWIKET", 6, 6), Text("👩‍🌾 “ü”", 5, 6), None)
    return Creative(CreativeId("c"), "https://a.example/?s={slot}", variants, (("source", "one"),), "Paid for")


def full() -> Compiled:
    retired = (RetiredCreative(full_creative(), CampaignId("gone"), NOON + timedelta(hours=48)),)
    return Compiled(7, full_catalog(), retired, "0123456789abcdef", 16)


def test_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_compiled(tmp_path / "catalog.snapshot", full())
    assert read_compiled(tmp_path / "catalog.snapshot") == full()


def test_of_an_empty_catalog_comes_back_too(tmp_path: Path) -> None:
    write_compiled(tmp_path / "catalog.snapshot", Compiled(1, Catalog()))
    assert read_compiled(tmp_path / "catalog.snapshot") == Compiled(1, Catalog())


@given(st.data())
def test_with_any_one_byte_changed_is_refused(data: st.DataObject) -> None:
    whole = encode_compiled(full())
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes((whole[at] ^ data.draw(st.integers(1, 255)),)) + whole[at + 1 :]
    with pytest.raises(CompiledUnreadable):
        decode_compiled(changed)


def test_torn_anywhere_is_refused() -> None:
    whole = encode_compiled(full())
    for length in (0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, len(whole) - 1):
        with pytest.raises(CompiledUnreadable):
            decode_compiled(whole[:length])


def test_with_bytes_after_its_end_is_refused() -> None:
    with pytest.raises(CompiledUnreadable):
        decode_compiled(encode_compiled(full()) + b"\0")


def test_of_another_version_is_refused() -> None:
    whole = encode_compiled(full())
    assert whole[:10] == b"ADSVCTLG\x00\x04"
    with pytest.raises(CompiledUnreadable, match="version"):
        decode_compiled(whole[:9] + b"\x05" + whole[10:])


def test_that_does_not_exist_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_compiled(tmp_path / "catalog.snapshot")


def test_is_replaced_whole_so_that_a_reader_of_the_old_one_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "catalog.snapshot"
    write_compiled(path, Compiled(1, Catalog()))
    with path.open("rb") as reader:
        write_compiled(path, full())
        assert decode_compiled(reader.read()).revision == 1
    assert read_compiled(path).revision == 7
    assert list(tmp_path.iterdir()) == [path]


def test_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "catalog.snapshot"
    write_compiled(path, Compiled(1, Catalog()))
    (tmp_path / f"catalog.snapshot{DRAFT_SUFFIX}").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_compiled(path, full())
    assert read_compiled(path).revision == 1


def test_of_the_version_before_is_read_by_the_keeper_and_served_by_nobody(tmp_path: Path) -> None:
    body = msgspec.msgpack.encode(full())
    header = struct.pack(">8sHQ16s", b"ADSVCTLG", 1, len(body), hashlib.blake2b(body, digest_size=16).digest())
    path = tmp_path / "catalog.snapshot"
    path.write_bytes(header + body)
    assert read_compiled(path) == full()
    with pytest.raises(CompiledUnreadable, match="version"):
        open_compiled(path)


@pytest.mark.parametrize("version", [b"\x02", b"\x03"])
def test_of_version_2_or_3_is_read_by_the_keeper_and_served_by_nobody(tmp_path: Path, version: bytes) -> None:
    whole = base64.b64decode(GOLDEN_OF_3.read_text())
    path = tmp_path / "catalog.snapshot"
    path.write_bytes(whole[:9] + version + whole[10:])
    if sys.byteorder == "little":
        assert read_compiled(path) == full()
    with pytest.raises(CompiledUnreadable, match="version"):
        open_compiled(path)


def test_is_written_as_it_always_was_in_this_version() -> None:
    """A file of yesterday's build must be read by today's, and the other way round; the golden one is little-endian."""
    golden = base64.b64decode(GOLDEN.read_text())
    if sys.byteorder == "little":
        assert decode_compiled(golden) == full()
        assert encode_compiled(full()) == golden
    else:
        with pytest.raises(CompiledUnreadable, match="endian"):
            decode_compiled(golden)


@pytest.mark.parametrize("from_byte", [0, 10**9])
def test_serves_the_same_read_or_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_byte: int) -> None:
    monkeypatch.setattr("adserver.catalog.compiled.MAPPED_BYTES", from_byte)
    path = tmp_path / "catalog.snapshot"
    write_compiled(path, full())
    snapshot = Snapshot(open_compiled(path))
    assert (snapshot.revision, snapshot.catalog, snapshot.sites) == (7, full().catalog, full().catalog.sites)
    assert read_compiled_number(path) == 7


@pytest.mark.parametrize(
    "catalog",
    [
        replace(full_catalog(), sites=()),
        replace(full_catalog(), campaigns=(replace(full_catalog().campaigns[0], timezone="Mars/Olympus"),)),
    ],
)
def test_that_no_decision_could_be_made_of_is_not_written(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(NotServable, match="revision 2 cannot be served: "):
        write_compiled(tmp_path / "catalog.snapshot", Compiled(2, catalog))
    assert list(tmp_path.iterdir()) == []
