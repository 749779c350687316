"""Caps a reader: the ledger that a page sends along, and what the service makes of it. It keeps nothing itself."""

from dataclasses import replace

import pytest
from delivery_stand import Stand, make_catalog

from adserver.domain.catalog import Cap, CapPeriod, CapScope, Catalog
from adserver.domain.ledger import VISIT_SECONDS


def capped(*caps: tuple[int, CapPeriod]) -> Catalog:
    """Return the catalog, its flight with caps a reader."""
    catalog = make_catalog()
    (campaign,) = catalog.campaigns
    flight = replace(campaign.flights[0], caps=tuple(Cap(count, per, CapScope.READER) for count, per in caps))
    return replace(catalog, campaigns=(replace(campaign, flights=(flight,)),))


def stand_of(*caps: tuple[int, CapPeriod]) -> Stand:
    return Stand(capped(*caps))


def ask(stand: Stand, ledger: object = None, slots: int = 1) -> tuple[int, list[str], str | None]:
    """Ask for slots of a page; return how many were filled, the reasons of the others, and the ledger."""
    names = ("masthead", "article-top", "article-middle", "article-bottom", "sidebar")
    asked = [{"id": name, "slot": name} for name in names[:slots]]
    answer = stand.client().post("/v1/decisions", json={"location": "Remer,MN", "ledger": ledger, "slots": asked})
    assert answer.status_code == 200
    body = answer.get_json()
    return sum(map(bool, body["decisions"].values())), list(body["no_fill"].values()), body["ledger"]


def next_page(ledger: str | None) -> str:
    assert ledger is not None
    return ledger.split(".")[0]


def test_a_visit_is_shown_no_more_than_its_cap() -> None:
    stand = stand_of((2, CapPeriod.VISIT))
    filled, _, ledger = ask(stand)
    assert filled == 1
    filled, _, ledger = ask(stand, next_page(ledger))
    assert filled == 1
    filled, reasons, ledger = ask(stand, next_page(ledger))
    assert (filled, reasons) == (0, ["cap"])
    assert ask(stand, next_page(ledger))[0] == 0  # the answer of a no fill carries it on
    assert ask(stand)[0] == 1  # another reader


def test_a_page_is_shown_no_more_than_its_cap_over_its_calls_and_the_next_page_begins_anew() -> None:
    stand = stand_of((2, CapPeriod.PAGE))
    filled, reasons, ledger = ask(stand, slots=3)
    assert (filled, reasons) == (2, ["cap"])
    assert ask(stand, ledger)[:2] == (0, ["cap"])
    assert ask(stand, next_page(ledger), slots=3)[0] == 2


def test_the_narrower_of_two_caps_holds() -> None:
    stand = stand_of((3, CapPeriod.VISIT), (2, CapPeriod.PAGE))
    filled, _, ledger = ask(stand, slots=5)
    assert filled == 2
    assert ask(stand, next_page(ledger), slots=5)[0] == 1


def test_a_visit_that_is_over_counts_no_more() -> None:
    stand = stand_of((1, CapPeriod.VISIT))
    _, _, ledger = ask(stand)
    stand.pass_time(seconds=VISIT_SECONDS - 1)
    assert ask(stand, ledger)[0] == 0
    stand.pass_time(seconds=1)
    assert ask(stand, ledger)[0] == 1


@pytest.mark.parametrize("ledger", [None, "", "x", "A" * 500, "\u2028.", "AAAA.BBBB"])
def test_a_ledger_that_is_none_is_as_if_there_were_none(ledger: object) -> None:
    assert ask(stand_of((1, CapPeriod.VISIT)), ledger)[0] == 1


def test_a_ledger_that_is_no_text_is_refused_by_its_name() -> None:
    answer = stand_of().client().post("/v1/decisions", json={"ledger": 5, "slots": []})
    assert (answer.status_code, answer.get_json()["errors"][0]["path"]) == (400, "ledger")


def test_without_such_a_cap_there_is_no_ledger() -> None:
    assert ask(stand_of())[2] is None


def test_single_calls_have_no_reader_so_nobody_is_capped() -> None:
    stand = stand_of((1, CapPeriod.VISIT))
    client = stand.client()
    assert [client.get("/v1/slots/masthead?location=Remer,MN").status_code for _ in range(3)] == [200] * 3
