"""The schema of a campaign file: what is stored of a good one, and every fault of a bad one at once."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from adserver.catalog.checking import check_campaign_file
from adserver.catalog.documents import JsonObject
from adserver.catalog.positions import Point, Positions
from adserver.catalog.reading import Parsed, RawValue
from adserver.domain.errors import InputRefused


def parsed(content: RawValue) -> Parsed:
    return Parsed(content, Positions(lambda: {(): Point(1, 1)}))


def creative(**fields: RawValue) -> dict[str, RawValue]:
    return {"id": "elevate", "click_url": "https://qwiket.com/", "variants": {"name": "QWIKET"}, **fields}


def campaign(**fields: RawValue) -> dict[str, RawValue]:
    base: dict[str, RawValue] = {
        "id": "season",
        "name": "Season",
        "starts": "2025-06-01",
        "timezone": "America/Chicago",
    }
    return {**base, "creatives": [creative()], **fields}


def campaign_file(*campaigns: RawValue, **advertiser: RawValue) -> dict[str, RawValue]:
    return {"advertiser": {"id": "qwiket", "name": "QWIKET", **advertiser}, "campaigns": list(campaigns)}


def with_flight(**fields: RawValue) -> dict[str, RawValue]:
    return campaign_file(campaign(flights=[{"id": "minnesota", **fields}]))


def stored_flight(**fields: RawValue) -> JsonObject:
    document = check_campaign_file(parsed(with_flight(**fields)))
    campaigns = document["campaigns"]
    assert isinstance(campaigns, list)
    assert isinstance(campaigns[0], dict)
    flights = campaigns[0]["flights"]
    assert isinstance(flights, list)
    assert isinstance(flights[0], dict)
    return flights[0]


def faults_of(content: RawValue) -> Mapping[str, str]:
    with pytest.raises(InputRefused) as caught:
        check_campaign_file(parsed(content))
    return {fault.path: fault.message for fault in caught.value.faults}


def faults_of_flight(**fields: RawValue) -> Mapping[str, str]:
    prefix = "campaigns[0].flights[0]"
    return {
        path.removeprefix(prefix).lstrip("."): message for path, message in faults_of(with_flight(**fields)).items()
    }


def test_a_file_is_stored_in_its_own_key_order_trimmed_and_canonical() -> None:
    content: RawValue = {
        "campaigns": [campaign(creatives=[creative(click_url="https://QWIKET.com", variants={"name": " QWIKET\n"})])],
        "advertiser": {"name": "QWIKET", "id": "qwiket"},
    }
    document = check_campaign_file(parsed(content))
    assert list(document) == ["campaigns", "advertiser"]
    assert document["advertiser"] == {"name": "QWIKET", "id": "qwiket"}
    assert document["campaigns"] == [
        {
            "id": "season",
            "name": "Season",
            "starts": "2025-06-01",
            "timezone": "America/Chicago",
            "creatives": [{"id": "elevate", "click_url": "https://qwiket.com/", "variants": {"name": "QWIKET"}}],
        }
    ]


def test_a_whole_flight_is_stored_as_written() -> None:
    fields: dict[str, RawValue] = {
        "slots": ["masthead"],
        "status": "paused",
        "tier": "sponsorship",
        "share": 50,
        "goal": {"impressions": 50_000, "pacing": "asap"},
        "starts": "2025-06-01",
        "ends": None,
        "repeat": True,
        "takeover": False,
        "targeting": {"places": ["MN"], "exclude_places": [], "exclude_topics": ["obituaries"]},
        "creatives": ["elevate", {"id": "other", "weight": 2}],
    }
    assert stored_flight(**fields) == {"id": "minnesota", **fields}


def test_topics_are_stored_in_their_one_spelling() -> None:
    assert stored_flight(targeting={"topics": ["Fantasy  Sports"]})["targeting"] == {"topics": ["fantasy-sports"]}


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("12.00", "12.00"),
        ("12", "12.00"),
        (12, "12.00"),
        (Decimal("12.5"), "12.50"),
        ("0.0075", "0.0075"),
        (0, "0.00"),
        (Decimal("1e3"), "1000.00"),
        ("007.10", "7.10"),
        ("999999999999.999999", "999999999999.999999"),
    ],
)
def test_an_amount_is_stored_as_text_with_every_digit(written: RawValue, stored: str) -> None:
    assert stored_flight(price={"cpm": written, "currency": "USD"})["price"] == {"cpm": stored, "currency": "USD"}


@pytest.mark.parametrize(
    "amount",
    [
        -1,
        "-0.01",
        "NaN",
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1e999"),
        Decimal("1e-999"),
        "1e3",
        "1,000",
        "$5",
        "",
        True,
        None,
        [],
        "0.0000001",
        "1000000000000",
    ],
)
def test_what_is_no_amount_is_refused(amount: RawValue) -> None:
    assert set(faults_of_flight(price={"cpm": amount, "currency": "USD"})) <= {"price.cpm", "price"}


def test_a_price_is_either_cpm_or_flat() -> None:
    both = faults_of_flight(price={"cpm": 1, "flat": 1, "currency": "USD"})
    neither = faults_of_flight(price={"currency": "USD"})
    assert both == neither == {"price": "must have either cpm or flat"}


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "$", 840, None])
def test_a_currency_is_three_capitals(currency: RawValue) -> None:
    assert "three capitals" in faults_of_flight(price={"cpm": 1, "currency": currency})["price.currency"]


@pytest.mark.parametrize(
    "number", [True, False, "5", "1_000", "012345", "12:30", Decimal(5), Decimal("NaN"), 0, -1, [], None]
)
def test_a_weight_is_a_whole_number_of_one_or_more_and_true_is_none(number: RawValue) -> None:
    assert "a whole number from 1" in faults_of_flight(weight=number)["weight"]


@pytest.mark.parametrize("share", [0, 101, -5, True, "50", Decimal("50.5")])
def test_a_share_is_1_to_100(share: RawValue) -> None:
    assert "from 1 to 100" in faults_of_flight(tier="sponsorship", share=share)["share"]


@pytest.mark.parametrize("goal", [0, -1, True, "50000", Decimal("1e999"), 10**13])
def test_a_goal_is_a_number_of_impressions(goal: RawValue) -> None:
    assert "a whole number" in faults_of_flight(goal={"impressions": goal})["goal.impressions"]


def test_a_share_or_weight_that_the_tier_would_ignore_is_refused() -> None:
    assert "sponsorship" in faults_of_flight(share=50)["share"]
    assert "sponsorship" in faults_of_flight(tier="house", share=50)["share"]
    assert "has a share" in faults_of_flight(tier="sponsorship", weight=2)["weight"]


def test_a_wrong_tier_is_one_fault_not_two() -> None:
    assert list(faults_of_flight(tier="gold", share=50)) == ["tier"]


@pytest.mark.parametrize("flag", ["true", 1, 0, "yes", None])
def test_a_flag_is_true_or_false(flag: RawValue) -> None:
    assert faults_of_flight(repeat=flag)["repeat"].startswith("must be true or false")


@pytest.mark.parametrize(
    "day",
    [
        "2025-02-30",
        "2025-6-1",
        "01.06.2025",
        "2026-03-08T02:30:00",
        "2025-06-01 00:00",
        "0001-01-01",
        "9999-12-31",
        "",
        20250601,
        "20250601",
        "2025-W23-7",
        "2025-06-0\u0661",
    ],
)
def test_a_start_is_a_day_that_exists_without_a_time(day: RawValue) -> None:
    assert "a day such as" in faults_of(campaign_file(campaign(starts=day)))["campaigns[0].starts"]


@pytest.mark.parametrize(
    "zone", ["America/Remer", "../../etc/passwd", "localtime", "", "CST", -6, None, "america/chicago\0"]
)
def test_a_time_zone_is_one_of_the_database(zone: RawValue) -> None:
    assert "time zone" in faults_of(campaign_file(campaign(timezone=zone)))["campaigns[0].timezone"]


@pytest.mark.parametrize("id_", ["QWIKET", "", "-a", "a b", "a_b", "é", "a" * 65, "a\n", 7, None, "../x", "<b>"])
def test_an_id_is_a_slug(id_: RawValue) -> None:
    assert "1 to 64 of a-z" in faults_of(campaign_file(id=id_))["advertiser.id"]


def test_a_slug_may_have_64_characters() -> None:
    assert check_campaign_file(parsed(campaign_file(id="a" * 64)))


@pytest.mark.parametrize(
    ("scope", "taken", "other"), [("reader", ("visit", "page"), "day"), ("flight", ("day", "hour"), "page")]
)
def test_a_cap_has_a_period_that_its_scope_can_count(scope: str, taken: tuple[str, ...], other: str) -> None:
    for per in taken:
        assert check_campaign_file(parsed(with_flight(caps=[{"impressions": 3, "per": per, "scope": scope}])))
    assert faults_of_flight(caps=[{"impressions": 3, "per": other, "scope": scope}]) == {
        "caps[0].per": f"must be {' or '.join(taken)} where the scope is {scope}"
    }


@pytest.mark.parametrize("missing", ["impressions", "per", "scope"])
def test_a_cap_says_how_often_how_long_and_for_whom(missing: str) -> None:
    cap: dict[str, RawValue] = {"impressions": 3, "per": "day", "scope": "flight"}
    del cap[missing]
    (path,) = faults_of_flight(caps=[cap])
    assert path == f"caps[0].{missing}"
    assert list(faults_of_flight(caps=[{"impressions": 3, "per": "day", "scope": "flight", missing: 0}])) == [path]


def test_a_takeover_names_the_slots_that_it_takes() -> None:
    assert faults_of_flight(takeover=True) == {"takeover": "takes over the slots that it names; write `slots` too"}
    assert check_campaign_file(parsed(with_flight(takeover=True, slots=["masthead", "article-top"])))


@pytest.mark.parametrize("field", ["slots", "creatives"])
def test_an_empty_list_of_slots_or_creatives_says_nothing_clear(field: str) -> None:
    assert "leave the field out for all of them" in faults_of_flight(**{field: []})[field]


@pytest.mark.parametrize("value", ["masthead", {"masthead": True}, 7, None])
def test_a_list_is_written_as_a_list(value: RawValue) -> None:
    assert faults_of_flight(slots=value)["slots"].startswith("must be a list of slots")


def test_an_item_twice_in_a_list_is_refused_where_it_stands_again() -> None:
    assert faults_of_flight(slots=["a", "b", "a"]) == {"slots[2]": "stands twice in this list"}


def test_a_creative_of_a_flight_is_an_id_or_an_id_and_a_weight() -> None:
    faults = faults_of_flight(creatives=["elevate", {"id": "b", "weight": 0}, {"weight": 1}, 7, {"id": "c", "part": 1}])
    assert set(faults) == {"creatives[1].weight", "creatives[2].id", "creatives[3]", "creatives[4].part"}


def test_unknown_fields_are_refused_everywhere_and_the_known_ones_named() -> None:
    content = campaign_file(
        campaign(colour=1, creatives=[creative(size="a", utm={"sauce": "b"}, variants={"name": "x", "tiny": "y"})])
        | {"flights": [{"id": "f", "wieght": 2, "targeting": {"place": []}, "goal": {"impressions": 1, "clicks": 2}}]},
        logo="x",
    ) | {"extra": 1}
    faults = faults_of(content)
    assert set(faults) == {
        "extra",
        "advertiser.logo",
        "campaigns[0].colour",
        "campaigns[0].creatives[0].size",
        "campaigns[0].creatives[0].utm.sauce",
        "campaigns[0].creatives[0].variants.tiny",
        "campaigns[0].flights[0].wieght",
        "campaigns[0].flights[0].targeting.place",
        "campaigns[0].flights[0].goal.clicks",
    }
    assert ", weight," in faults["campaigns[0].flights[0].wieght"]


def test_everything_that_is_required_is_asked_for_at_once() -> None:
    faults = faults_of({"advertiser": {}, "campaigns": [{"creatives": [{"variants": {}}], "flights": [{}]}]})
    assert set(faults) == {
        "advertiser.id",
        "advertiser.name",
        "campaigns[0].id",
        "campaigns[0].name",
        "campaigns[0].starts",
        "campaigns[0].timezone",
        "campaigns[0].creatives[0].id",
        "campaigns[0].creatives[0].click_url",
        "campaigns[0].creatives[0].variants.name",
        "campaigns[0].flights[0].id",
    }
    assert all(message.startswith("is missing; it must be ") for message in faults.values())


@pytest.mark.parametrize("content", [None, [], "x", 7, True, {"advertiser": []}, {"advertiser": "x", "campaigns": {}}])
def test_a_document_of_another_shape_says_what_shape_is_due(content: RawValue) -> None:
    assert any("must be a mapping with the fields" in message for message in faults_of(content).values())


def test_numbers_where_text_is_due_ask_for_quotes() -> None:
    assert faults_of(campaign_file(name=7))["advertiser.name"].endswith("not the number 7; put it in quotes")


def test_utm_with_markup_is_refused_and_so_is_utm_without_a_page_to_go_to() -> None:
    faults = faults_of(
        campaign_file(
            campaign(
                creatives=[
                    creative(id="a", utm={"source": "<b>"}),
                    creative(id="b", utm={"source": "x"}, click_url="tel:+12185550100"),
                ]
            )
        )
    )
    assert set(faults) == {"campaigns[0].creatives[0].utm.source", "campaigns[0].creatives[1].utm"}


def test_a_bad_link_is_refused_with_its_path() -> None:
    faults = faults_of(
        campaign_file(campaign(creatives=[creative(click_url="javascript:alert(1)")]), homepage="http://x")
    )
    assert set(faults) == {"campaigns[0].creatives[0].click_url", "advertiser.homepage"}


def test_hostile_field_names_are_named_in_plain_ascii() -> None:
    content = campaign_file() | {"\ud800": 1, "<script>": 2, "x" * 500: 3}
    assert all(path.isascii() and len(path) < 100 for path in faults_of(content))


def test_no_more_than_1000_faults_are_listed_and_the_rest_is_counted() -> None:
    with pytest.raises(InputRefused) as caught:
        check_campaign_file(parsed(campaign_file() | {f"x{number}": 1 for number in range(1_500)}))
    assert len(caught.value.faults) == 1_001
    assert caught.value.faults[-1].message == "and 500 more faults"
