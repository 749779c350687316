"""Alerts of slots and counts: each is there while its cause is, and says with numbers what to do."""

from datetime import UTC, date, datetime

import pytest

from adserver.alerts.alert import Alert, AlertKind, is_for
from adserver.alerts.judging import MOST_ALERTS, find_alerts
from adserver.alerts.scene import OverSold, Scene
from adserver.alerts.service_alerts import find_service_alerts
from adserver.counting.losses import Losses
from adserver.domain.ids import AdvertiserId, FlightId, SlotId
from adserver.keeping.cached_embeds_file import CachedEmbed, CachedEmbeds

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
MASTHEAD = SlotId("masthead")


def over_sold(*shares: int, where: str = "", last: date = date(2026, 12, 10)) -> OverSold:
    flights = tuple(
        (FlightId(f"flight-{number}"), AdvertiserId(f"owner-{number}"), share) for number, share in enumerate(shares)
    )
    return OverSold(MASTHEAD, date(2026, 12, 1), last, flights, where)


def only(scene: Scene) -> Alert:
    [alert] = find_service_alerts(scene)
    return alert


def test_nothing_is_amiss() -> None:
    assert list(find_service_alerts(Scene(NOW))) == []


def test_an_over_booked_slot_is_one_alert_of_its_worst_days() -> None:
    alert = only(Scene(NOW, over_sold=(over_sold(60, 50), over_sold(100, 60, where="about Minnesota"))))
    assert alert.id == "over_booked:masthead"
    assert alert.title == "Slot masthead is over-booked: 160 % of it is sold"
    assert alert.text == (
        "From 2026-12-01 to 2026-12-10, sponsorships want 160 % of pages about Minnesota: flight-0 100 %, "
        "flight-1 60 %. There are 1 further such times."
    )
    assert alert.advertisers == ("owner-0", "owner-1")


def test_an_over_booked_day_is_named_alone() -> None:
    assert only(Scene(NOW, over_sold=(over_sold(60, 50, last=date(2026, 12, 1)),))).text.startswith("On 2026-12-01, ")


def test_cached_markup_is_one_alert_a_slot() -> None:
    worst = tuple(
        CachedEmbed("masthead", place, 1_795_532_400, beacons) for place, beacons in (("", 30), ("Remer", 512))
    )
    alert = only(Scene(NOW, embeds=CachedEmbeds(tokens=2, worst=worst)))
    assert (alert.id, alert.advertisers) == ("cached_embed:masthead", ())
    assert "2 tokens were each shown to over 20 readers, the worst 512 times on a page about Remer" in alert.text


@pytest.mark.parametrize(("gaps", "words"), [(1, "1 range of"), (1200, "1,200 ranges of")])
def test_gaps_are_told(gaps: int, words: str) -> None:
    alert = only(Scene(NOW, gaps=gaps))
    assert (alert.id, alert.kind) == ("gaps", AlertKind.GAPS)
    assert alert.text.startswith(words)
    assert "adserver audit --repair" in alert.advice


def test_what_was_lost_lately_is_told_by_its_causes() -> None:
    alert = only(Scene(NOW, lost_lately=Losses(gaps=9, unwritten=1500, corrupt=2)))
    assert (alert.id, alert.title) == ("drops", "1,502 events were lost in the last day")
    assert alert.text == (
        "Answered, and in no count: 1,500 could not be written: a disk was full or failed; 2 were damaged on a disk."
    )


def test_what_matters_most_comes_first() -> None:
    found, _ = find_alerts(Scene(NOW, gaps=1, over_sold=(over_sold(60, 50),), lost_lately=Losses(late=1)))
    assert [alert.id for alert in found] == ["drops", "gaps", "over_booked:masthead"]


def test_of_too_many_those_that_are_on_stay_and_the_rest_is_counted() -> None:
    sold = tuple(
        OverSold(SlotId(f"slot-{number:05}"), date(2026, 12, 1), date(2026, 12, 2), ())
        for number in range(MOST_ALERTS + 5)
    )
    held = frozenset({f"over_booked:slot-{MOST_ALERTS + 4:05}"})
    found, unlisted = find_alerts(Scene(NOW, over_sold=sold, held=held))
    assert (len(found), unlisted) == (MOST_ALERTS, 5)
    assert held <= {alert.id for alert in found}


@pytest.mark.parametrize(
    ("advertisers", "sees", "exists"),
    [
        (("qwiket",), {"qwiket"}, True),
        (("qwiket", "acme"), {"qwiket"}, False),
        (("qwiket", "acme"), {"qwiket", "acme"}, True),
        ((), {"qwiket"}, False),
    ],
)
def test_a_bound_caller_sees_what_is_about_its_advertisers_alone(
    advertisers: tuple[str, ...], sees: set[str], *, exists: bool
) -> None:
    alert = Alert(
        id="gaps",
        kind=AlertKind.GAPS,
        severity=only(Scene(NOW, gaps=1)).severity,
        title="t",
        text="t",
        advice="a",
        advertisers=advertisers,
    )
    assert is_for(alert, sees.__contains__, is_bound=True) is exists
    assert is_for(alert, lambda _: False, is_bound=False)
