"""Campaign sheets: CSV and XLSX say what a campaign file says, and every fault has its row and column."""

from datetime import date, time

import pytest
from doc_pages import is_text_like
from sheets import Cell, columns, csv_bytes, row, xlsx_bytes

from adserver.catalog.documents import Documents
from adserver.catalog.sheet_columns import COLUMNS, column_of
from adserver.catalog.upload import Format, read_campaigns
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.errors import Fault, InputRefused

EVERYTHING: dict[str, Cell] = row(
    "shop-cook-county",
    categories="retail; outdoors",
    competes_with="outfitters",
    homepage="https://shop.example/",
    campaign_status="active",
    utm_source="america-one",
    utm_medium="sponsor",
    disclosure="Paid for by The Shop.",
    short="The Shop: boots that know the way home.",
    long="The Shop, Duluth: boots that know the way home, resoled for free.",
    slots="article-top, masthead",
    status="active",
    tier="standard",
    weight=3,
    goal=50000,
    pacing="even",
    cpm="9.50",
    currency="USD",
    starts="2026-02-01",
    ends="2027-02-28",
    repeat=False,
    takeover=True,
    caps="900 per day; 3 per visit",
    places="Cook County, MN; Duluth, MN; 55604; Ely, MN (40 miles); Fargo, ND (2.5 km)",
    exclude_places="Grand Marais, MN",
    topics="Outdoors; sports",
    exclude_topics="obituaries",
    days="mon, tue; wed",
    **{"from": "06:00", "to": "22:00"},
    creatives="boots (2); phone",
)
SECOND: dict[str, Cell] = {
    "campaign_id": "shop-winter",
    "creative_id": "phone",
    "click_url": "tel:+12185550177",
    "name": "The Shop",
}
AS_YAML = """
advertiser: {id: shop, name: The Shop, categories: [retail, outdoors], competes_with: [outfitters],
  homepage: "https://shop.example/"}
campaigns:
  - id: shop-winter
    name: Winter
    status: active
    starts: 2026-01-01
    ends: 2027-12-31
    timezone: America/Chicago
    creatives:
      - id: boots
        click_url: "https://shop.example/"
        utm: {source: america-one, medium: sponsor}
        disclosure: Paid for by The Shop.
        variants:
          name: The Shop
          short: "The Shop: boots that know the way home."
          long: "The Shop, Duluth: boots that know the way home, resoled for free."
      - {id: phone, click_url: "tel:+12185550177", variants: {name: The Shop}}
    flights:
      - id: shop-cook-county
        slots: [article-top, masthead]
        status: active
        tier: standard
        weight: 3
        goal: {impressions: 50000, pacing: even}
        price: {cpm: "9.50", currency: USD}
        starts: 2026-02-01
        ends: 2027-02-28
        repeat: false
        takeover: true
        caps: [{impressions: 900, per: day, scope: flight}, {impressions: 3, per: visit, scope: reader}]
        targeting:
          places: ["Cook County, MN", "Duluth, MN", "55604", {near: "Ely, MN", miles: 40}, {near: "Fargo, ND", km: 2.5}]
          exclude_places: ["Grand Marais, MN"]
          topics: [Outdoors, sports]
          exclude_topics: [obituaries]
          hours: {days: [mon, tue, wed], from: "06:00", to: "22:00"}
        creatives: [{id: boots, weight: 2}, phone]
"""


def read(data: bytes, form: Format = Format.CSV) -> Documents:
    return read_campaigns(data, form)


def faults(data: bytes, form: Format = Format.CSV) -> list[Fault]:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(data, form)
    return list(caught.value.faults)


def shown(data: bytes, form: Format = Format.CSV) -> list[tuple[int | None, int | None, str]]:
    return [(fault.line, fault.column, fault.path) for fault in faults(data, form)]


class TestTheSameWords:
    def test_as_yaml_csv_and_xlsx_are_the_same_documents(self) -> None:
        as_yaml = read_campaigns(AS_YAML.encode(), Format.YAML)
        assert read(csv_bytes(EVERYTHING, SECOND)) == as_yaml
        assert read(xlsx_bytes(EVERYTHING, SECOND), Format.XLSX) == as_yaml

    def test_have_every_column_in_this_test(self) -> None:
        unlike_others = {"share", "flat", "utm_campaign", "utm_term", "utm_content", "utm_id"}
        assert {column.name for column in COLUMNS} - unlike_others == {
            *EVERYTHING, *SECOND
        }  # fmt: skip

    def test_are_the_same_however_a_program_holds_them(self) -> None:
        plain = row(starts="2026-02-01", cpm="9.5", currency="USD", places="55604", **{"from": "06:00", "to": "22:00"})
        typed = {**plain, "starts": date(2026, 2, 1), "cpm": 9.5, "places": 55604, "from": time(6), "to": time(22)}
        assert read(xlsx_bytes(typed), Format.XLSX) == read(csv_bytes(plain))
        assert read(csv_bytes({**plain, "from": "6:00", "to": "22:00:00"})) == read(csv_bytes(plain))

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_are_the_same_with_every_separator_and_with_a_byte_order_mark(self, separator: str) -> None:
        data = csv_bytes(EVERYTHING, SECOND, separator=separator)
        expected = read(csv_bytes(EVERYTHING, SECOND))
        assert read(data) == expected
        assert read(b"\xef\xbb\xbf" + data) == expected
        assert read(f"sep={separator}\r\n".encode() + data) == expected

    def test_are_the_same_whatever_the_capitals_and_the_order_of_the_columns(self) -> None:
        lines = csv_bytes(row()).decode().splitlines()
        turned = "\n".join(",".join(reversed(line.split(","))) for line in lines)
        turned = turned.replace("campaign_name", "Campaign Name").replace("click_url", "CLICK-URL")
        assert read(turned.encode()) == read(csv_bytes(row()))

    def test_blank_rows_and_columns_do_not_count_but_rows_are_counted_as_programs_show_them(self) -> None:
        lines = csv_bytes(row(), row("other", tier="premium")).decode().splitlines()
        spread = "\n".join([lines[0], "", ",,,", lines[1], "", lines[2]])
        assert [(fault.line, fault.path) for fault in faults(spread.encode())] == [(6, "tier")]


class TestRows:
    def test_what_was_said_of_a_campaign_above_may_be_left_blank(self) -> None:
        told = read(csv_bytes(row("a"), {"campaign_id": "shop-winter", "creative_id": "boots", "flight_id": "b"}))
        [(_, _, campaign)] = told.campaigns()
        assert [one["id"] for one in campaign["flights"]] == ["a", "b"]  # type: ignore[union-attr, index, call-overload]
        assert len(campaign["creatives"]) == 1  # type: ignore[arg-type]

    def test_that_contradict_each_other_are_refused_where_they_do(self) -> None:
        rows = [row("a"), row("b", campaign_name="Summer", click_url="https://other.example/")]
        found = faults(csv_bytes(*rows))
        assert [(fault.line, fault.path) for fault in found] == [(3, "campaign_name"), (3, "click_url")]
        assert found[0].message == "is another than in row 2; write the same, or leave it blank here"

    def test_of_several_advertisers_are_a_file_each(self) -> None:
        other = row("b", advertiser_id="cafe", advertiser_name="Cafe", campaign_id="cafe-c", creative_id="cup")
        documents = read(csv_bytes(row("a"), other))
        assert list(documents.campaign_files) == ["upload (shop)", "upload (cafe)"]

    def test_of_a_campaign_under_another_advertiser_are_refused(self) -> None:
        other = row("b", advertiser_id="cafe", advertiser_name="Cafe")
        [fault] = faults(csv_bytes(row("a"), other))
        assert (fault.line, fault.path) == (3, "advertiser_id")

    @pytest.mark.parametrize(
        ("cells", "path"),
        [
            ({"campaign_id": ""}, "campaign_id"),
            ({"advertiser_id": ""}, "advertiser_id"),
            ({"creative_id": ""}, "creative_id"),
            ({"flight_id": "", "tier": "house"}, "flight_id"),
        ],
    )
    def test_that_do_not_say_what_they_are_of_are_refused(self, cells: dict[str, Cell], path: str) -> None:
        assert (2, path) in {(fault.line, fault.path) for fault in faults(csv_bytes({**row(), **cells}))}

    def test_of_one_flight_twice_are_refused(self) -> None:
        [fault] = faults(csv_bytes(row("a"), row("a")))
        assert (fault.line, fault.message) == (3, "stands already in row 2; each row is another flight")

    def test_that_add_nothing_are_refused(self) -> None:
        assert shown(csv_bytes(row(), {"campaign_id": "shop-winter"})) == [(3, 10, "flight_id")]


class TestFaults:
    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ({"share": 160, "tier": "sponsorship"}, "a whole number from 1 to 100, not the number 160"),
            ({"goal": "many"}, 'a whole number from 1 to 1,000,000,000,000, not the text "many"'),
            ({"goal": -5}, "a whole number from 1 to 1,000,000,000,000, not the number -5"),
            ({"starts": "6/1/2026"}, 'a day such as 2025-06-01, … without a time, not the text "6/1/2026"'),
            ({"starts": "2026-02-30"}, "a day such as 2025-06-01, … there is no 2026-02-30"),
            ({"repeat": "yes"}, 'true or false, not the text "yes"'),
            ({"caps": "3 per week"}, 'caps such as `3 per visit; 900 per day`, … not "3 per week"'),
            ({"places": "Fargo, ND (far)"}, 'places such as `MN; Fargo, ND (60 miles)`, … not "Fargo, ND (far)"'),
            ({"creatives": "boots (x)"}, 'ids of creatives such as `boots (2); phone`, not "boots (x)"'),
            ({"cpm": "$12", "currency": "USD"}, 'an amount of 0 or more such as "12.00", … not the text "$12"'),
            ({"click_url": "javascript:alert(1)"}, "begin with https:// … `javascript:` is not taken"),
            ({"long": "a\u202eb"}, "not hold the bidi control U+202E; …"),
            ({"timezone": "Central"}, 'the name of a time zone such as America/Chicago, not the text "Central"'),
        ],
    )
    @pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
    def test_have_sheet_row_and_column_and_the_columns_name(
        self, cells: dict[str, Cell], message: str, form: Format
    ) -> None:
        rows = [row("before"), row("faulty", campaign_id="c-2", creative_id="second", **cells)]
        [fault] = faults(csv_bytes(*rows) if form is Format.CSV else xlsx_bytes(*rows), form)
        name = next(iter(cells))
        sheet = "Campaigns" if form is Format.XLSX else None
        assert fault == Fault(name, fault.message, None, 3, columns(rows).index(name) + 1, sheet)
        assert is_text_like(f"must be {message}", fault.message) or is_text_like(f"must {message}", fault.message)

    def test_are_all_listed_in_the_order_of_the_sheet(self) -> None:
        rows = [row("a", tier="x", weight=0), row("b", status="on"), row("c", goal=0)]
        assert [(fault.line, fault.path) for fault in faults(csv_bytes(*rows))] == [
            (2, "tier"), (2, "weight"), (3, "status"), (4, "goal"),
        ]  # fmt: skip

    def test_of_a_price_without_a_currency_point_at_the_row(self) -> None:
        assert shown(csv_bytes(row(cpm="12.00"))) == [(2, 12, "currency")]


class TestColumns:
    @pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
    def test_that_are_missing_are_named(self, form: Format) -> None:
        data = csv_bytes(row(), drop="timezone")
        if form is Format.XLSX:
            data = xlsx_bytes(row(), change=lambda sheet, names: sheet.write_string(0, names.index("timezone"), " "))
        found = [fault for fault in faults(data, form) if fault.path == "timezone"]
        assert [(fault.line, fault.message) for fault in found] == [(1, "this column is missing; every sheet has it")]

    def test_that_nobody_knows_are_named_with_what_was_meant(self) -> None:
        [fault] = faults(csv_bytes(row(wieght=3)))
        assert (fault.line, fault.message) == (1, 'unknown column "wieght"; did you mean weight?')

    def test_that_stand_twice_are_refused(self) -> None:
        data = csv_bytes(row()).replace(b"flight_id", b"flight_id,flight_id")
        assert [fault.message for fault in faults(data)] == ["this column stands twice; keep one of them"]

    @pytest.mark.parametrize("data", [b"", b"\n\n", b"Spring plan\n", b"1,2,3\n"])
    def test_a_sheet_without_any_is_refused_once(self, data: bytes) -> None:
        [fault] = faults(data)
        assert fault.message.startswith("the first row must name the columns; every sheet has advertiser_id, ")

    def test_cells_beyond_them_are_refused(self) -> None:
        data = csv_bytes(row()).rstrip() + b",,note to self"
        assert [(fault.line, fault.message) for fault in faults(data)] == [(2, "stands in a column without a heading")]

    @pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
    def test_each_is_found_by_the_field_that_it_is(self, column: object) -> None:
        for known in COLUMNS:
            top = {
                "advertiser": ("advertiser",),
                "campaign": ("campaigns", 0),
                "creative": ("campaigns", 0, "creatives", 1),
                "flight": ("campaigns", 0, "flights", 2),
            }
            assert column_of((*top[known.thing], *known.path)) == known.name


def test_yaml_reads_the_expected_documents() -> None:
    assert read_yaml(AS_YAML.encode()).faults == ()
