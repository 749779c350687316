"""Caps a reader, in a browser: the tag keeps what it is given in its tab, where there is need, and sends it along."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from browser_stand import Pages
from delivery_stand import Stand, make_catalog
from paper import TAG, Paper, await_that, open_paper
from playwright.sync_api import Browser, expect

from adserver.domain.catalog import Cap, CapPeriod, CapScope, Catalog

KEPT = "() => Object.entries(sessionStorage)"


def capped(times: int, per: CapPeriod) -> Catalog:
    catalog = make_catalog()
    (campaign,) = catalog.campaigns
    flight = replace(campaign.flights[0], caps=(Cap(times, per, CapScope.READER),))
    return replace(catalog, campaigns=(replace(campaign, flights=(flight,)),))


def papers(browser: Browser, catalog: Catalog) -> Iterator[Paper]:
    pages = Pages()
    yield from open_paper(browser, Stand(catalog, extra=(pages.blueprint(),)), pages)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Paper]:
    yield from papers(browser, capped(2, CapPeriod.VISIT))


@pytest.fixture
def by_page(browser: Browser) -> Iterator[Paper]:
    yield from papers(browser, capped(1, CapPeriod.PAGE))


@pytest.fixture
def free(browser: Browser) -> Iterator[Paper]:
    yield from papers(browser, make_catalog())


def test_the_third_page_of_a_visit_is_not_shown_what_shows_twice_and_another_tab_is(visit: Paper) -> None:
    for _ in range(2):
        page = visit.open(TAG)
        expect(page.locator("sponsor-slot a")).to_be_visible()
    page = visit.open(TAG)
    visit.wait_until(lambda: len(visit.asked) == 3)
    page.wait_for_load_state("networkidle")
    expect(page.locator("sponsor-slot")).to_have_text("fallback")
    [[key, ledger]] = page.evaluate(KEPT)
    assert key == "sponsor-ledger"
    assert "." not in ledger
    visit.page = visit.page.context.browser.new_context().new_page()  # type: ignore[union-attr]  # it has one
    expect(visit.open(TAG).locator("sponsor-slot a")).to_be_visible()


def test_slots_that_come_later_to_a_page_know_what_it_was_shown(by_page: Paper) -> None:
    page = by_page.open(TAG)
    expect(page.locator("sponsor-slot a")).to_be_visible()
    page.evaluate(
        """() => {
          document.addEventListener('empty', (event) => { window.why = event.detail.reason; });
          document.querySelector('main').insertAdjacentHTML('beforeend',
            '<sponsor-slot name="sidebar" location="Remer,MN">later</sponsor-slot>');
        }"""
    )
    await_that(page, "window.why === 'cap'")
    expect(by_page.open(TAG).locator("sponsor-slot a")).to_be_visible()  # the next page


def test_without_such_a_cap_nothing_is_kept(free: Paper) -> None:
    page = free.open(TAG)
    expect(page.locator("sponsor-slot a")).to_be_visible()
    assert page.evaluate(KEPT) == []


def test_a_browser_that_keeps_nothing_shows_the_sponsor(visit: Paper) -> None:
    visit.page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no'); } })"
    )
    expect(visit.open(TAG).locator("sponsor-slot a")).to_be_visible()
    assert visit.complaints == []
