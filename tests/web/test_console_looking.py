"""The console's overview, schedule, statistics and explain: what they say, to whom, and with a store that is away."""

import csv
import io
import re

import pytest
from console_stand import HOSTILE, ConsoleStand, hostile_file, said
from markupsafe import Markup

from adserver.access.tokens import Role
from adserver.domain.reasons import NoFillReason
from adserver.web.console.overview import make_overview
from adserver.web.console.reasons import REASONS

PAGES = ("/console/", "/console/schedule", "/console/statistics", "/console/explain?slot=masthead")


@pytest.fixture(scope="module")
def stand() -> ConsoleStand:
    """One that nobody changes."""
    made = ConsoleStand(extra=[hostile_file()])
    made.count_weeks()
    return made


class TestEveryPage:
    @pytest.mark.parametrize("path", [*PAGES, "/console/campaigns", "/console/campaigns/big-fork-winter"])
    def test_nothing_is_inline_and_nothing_comes_from_elsewhere(self, stand: ConsoleStand, path: str) -> None:
        page = stand.browser().page(path)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|javascript:", page)
        assert re.findall(r'(?:src|action)="(?!/|#)[^"]*"', page) == []

    @pytest.mark.parametrize("path", PAGES)
    def test_whoever_may_sign_in_may_look(self, stand: ConsoleStand, path: str) -> None:
        for token in (stand.token(Role.ANALYST), stand.token(Role.ANALYST, "big-fork")):
            assert stand.browser(token).get(path).status_code == 200

    @pytest.mark.parametrize("path", [*PAGES, "/console/campaigns"])
    def test_a_bound_token_reads_of_no_other_advertiser(self, stand: ConsoleStand, path: str) -> None:
        page = stand.browser(stand.token(Role.MARKETER, "big-fork")).page(path)
        for other in ("tall-pines", "Tall Pines", "corner-bakery", "qwiket", "QWIKET", "prairie"):
            assert other not in page


class TestOverview:
    def test_it_says_what_today_brought(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page("/console/"))
        assert re.search(
            r"Today in America/Chicago Impressions \d,\d{3} yesterday \d,\d{3} Clicks \d+ \d\.\d+ % of impressions "
            r"Fill rate 9\d\.\d % yesterday 9\d\.\d % Requests \d,\d{3} yesterday \d,\d{3}",
            page,
        )

    def test_who_is_bound_is_told_of_no_requests_that_nobody_filled(self, stand: ConsoleStand) -> None:
        page = said(stand.browser(stand.token(Role.MARKETER, "big-fork")).page("/console/"))
        assert re.search(r"Viewable \d+ yesterday \d+ Fills \d+ yesterday \d+", page)
        assert "Fill rate" not in page

    def test_it_shows_first_what_is_behind_plan_then_what_was_sold_by_number(self, stand: ConsoleStand) -> None:
        page = stand.browser().page("/console/")
        running = re.findall(r'fw-semibold" href="/console/campaigns/([a-z0-9-]+)"', page)
        assert running[:2] == ["big-fork-winter", "corner-bakery-pies"]
        assert "tall-pines-skates" not in running

    def test_it_says_what_ends_and_what_starts_soon(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page("/console/"))
        assert "Ends soon 26 Nov Pies for Thanksgiving corner-bakery-iowa Starts soon 1 Dec Christmas trees" in page

    def test_a_store_that_is_away_is_said(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        stand.is_away = True
        assert "What is live cannot be read just now." in said(browser.page("/console/"))
        assert browser.get("/console/campaigns").status_code == 503

    def test_counts_that_are_away_leave_what_is_live(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        stand.counts_are_away = True
        page = said(browser.page("/console/"))
        assert "The counts cannot be read just now." in page
        assert "Winter on the Big Fork" in page
        assert "cannot be read just now" in said(browser.page("/console/campaigns/big-fork-winter"))

    def test_notices_stand_above_all_for_whom_they_are(self, stand: ConsoleStand) -> None:
        overview = make_overview(
            stand.holdings(),
            stand.figures(),
            [lambda caller: Markup("<p>behind</p>") if not caller.is_bound else Markup(), lambda _: Markup("<b>a</b>")],
        )
        with stand.signed_in():
            page = overview()
        assert page.index("<p>behind</p>") < page.index("<b>a</b>") < page.index('id="today"')
        with stand.signed_in("big-fork"):
            assert "<p>behind</p>" not in overview()


class TestSchedule:
    def test_it_says_what_is_over_booked_and_what_is_free(self) -> None:
        stand = ConsoleStand()
        page = said(stand.browser().page("/console/schedule"))
        assert (
            "Over-booked: 120 % of pages about Iowa are sold, 23 Nov 2026 to 26 Nov 2026: prairie-iowa 60 %, "
            "corner-bakery-iowa 60 %." in page
        )
        assert "Free:" not in page
        later = said(
            stand.browser().page("/console/schedule", slot="weekly-masthead", **{"from": "2024-12-30", "weeks": 4})
        )
        assert "30 Dec 2024 to 31 Dec 2024 (nothing at all); 1 Jan 2025 to 26 Jan 2025 (house lines only)" in later

    def test_each_flight_says_its_part_its_places_and_its_days(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page("/console/schedule", slot="masthead"))
        assert (
            "Pies for Thanksgiving corner-bakery-iowa · Sponsorship, 60 % of its pages · Iowa 23 Nov to 26 Nov" in page
        )

    def test_one_slot_shows_alone(self, stand: ConsoleStand) -> None:
        page = stand.browser().page("/console/schedule", slot="footer")
        assert re.findall(r'<h2 class="h5 mb-0" id="slot-([a-z-]+)"', page) == ["footer"]
        assert "paused" in page

    @pytest.mark.parametrize(("asked", "days"), [("4", "28"), ("26", "182"), ("7", "91"), ("x", "91")])
    def test_it_spans_the_weeks_that_are_offered(self, stand: ConsoleStand, asked: str, days: str) -> None:
        page = stand.browser().page("/console/schedule", weeks=asked)
        assert f'viewBox="0 0 {days} 10"' in page

    @pytest.mark.parametrize("asked", ["", "0001-01-01", "9999-12-31", "2026-02-30", "<b>"])
    def test_a_day_that_is_none_or_far_away_is_no_fault(self, stand: ConsoleStand, asked: str) -> None:
        assert stand.browser().get("/console/schedule", **{"from": asked}).status_code == 200

    def test_a_bound_token_sees_its_own_lines_and_neither_gaps_nor_shares_of_others(self, stand: ConsoleStand) -> None:
        page = said(stand.browser(stand.token(Role.MARKETER, "corner-bakery")).page("/console/schedule"))
        assert "Pies for Thanksgiving" in page
        assert "Over-booked" not in page
        assert "Free:" not in page


class TestStatistics:
    PATH = "/console/statistics"

    def test_by_default_it_shows_thirty_days_with_a_chart_and_totals(self, stand: ConsoleStand) -> None:
        page = stand.browser().page(self.PATH)
        assert said(page).count("28 rows, days in America/Chicago.") == 1
        assert page.count('class="console-column"') == 28
        assert re.search(r"<tfoot>.*All", page, re.DOTALL)

    def test_totals_are_those_of_all_rows_and_a_rate_is_no_sum(self, stand: ConsoleStand) -> None:
        page = stand.browser().page(self.PATH, metrics=["impressions", "clicks", "ctr"], by="campaign", range="30d")
        rows = [
            [cell.replace(",", "") for cell in re.findall(r"<td[^>]*>([^<]+)</td>", row)]
            for row in page.split("<tr>")[2:]
        ]
        *body, total = rows
        assert int(total[0]) == sum(int(row[0]) for row in body)
        assert int(total[1]) == sum(int(row[1]) for row in body)
        assert total[2] == f"{100 * int(total[1]) / int(total[0]):.1f} %"

    def test_readers_have_no_total(self, stand: ConsoleStand) -> None:
        page = stand.browser().page(self.PATH, metrics=["reach"], by="flight", range="7d")
        assert "Nothing was counted that fits." in page or ">-</td>" in page

    def test_what_cannot_be_asked_is_said_with_the_form_as_it_was(self, stand: ConsoleStand) -> None:
        answer = stand.browser().get(self.PATH, metrics=["fill_rate"], by="campaign", range="7d")
        assert answer.status_code == 422
        assert "This cannot be asked so." in answer.text
        assert re.search(r'value="fill_rate"[^>]* checked', answer.text)

    @pytest.mark.parametrize(
        "query",
        [
            {"metrics": ["odd"]},
            {"by": "odd"},
            {"range": "odd"},
            {"range": "days", "from": "x", "to": "y"},
            {"field": "odd", "value": "x"},
        ],
    )
    def test_what_is_no_choice_of_the_form_is_refused(self, stand: ConsoleStand, query: dict[str, object]) -> None:
        assert stand.browser().get(self.PATH, **query).status_code == 422

    def test_filters_and_days_are_kept_to(self, stand: ConsoleStand) -> None:
        query = {
            "metrics": ["impressions"],
            "by": "campaign",
            "range": "days",
            "from": "2026-11-20",
            "to": "2026-11-24",
        }
        page = stand.browser().page(self.PATH, **query, field="advertiser", op="is", value="big-fork, qwiket")
        assert set(re.findall(r'href="/console/campaigns/([a-z-]+)">\1<', page)) == {"big-fork-winter", "qwiket-season"}
        assert 'value="big-fork, qwiket"' in page

    def test_the_file_holds_all_rows(self, stand: ConsoleStand) -> None:
        answer = stand.browser().get("/console/statistics.csv", metrics=["impressions"], by="flight", range="7d")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="statistics.csv"'
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows[0] == ["flight", "impressions"]
        assert len(rows) > 15

    def test_a_bound_token_gets_its_own_in_page_and_file(self, stand: ConsoleStand) -> None:
        browser = stand.browser(stand.token(Role.ANALYST, "big-fork"))
        answer = browser.get("/console/statistics.csv", metrics=["impressions"], by="advertiser", range="7d")
        assert [row[0] for row in csv.reader(io.StringIO(answer.text))] == ["advertiser", "big-fork"]
        page = browser.page(self.PATH, metrics=["impressions"], by="advertiser", range="7d")
        assert "prairie" not in page

    def test_what_is_typed_is_text(self, stand: ConsoleStand) -> None:
        query = {"field": "campaign", "value": HOSTILE, "metrics": [HOSTILE], "from": HOSTILE, "sort": HOSTILE}
        assert "<script>alert" not in stand.browser().get(self.PATH, **query).text

    def test_questions_have_a_limit(self) -> None:
        stand = ConsoleStand(burst=1)
        browser = stand.browser()
        assert browser.get(self.PATH).status_code == 200
        assert browser.get(self.PATH).status_code == 429
        assert browser.get("/console/explain", slot="masthead").status_code == 429


class TestExplain:
    PATH = "/console/explain"

    def test_it_shows_the_winner_as_rendered_and_each_chance(self, stand: ConsoleStand) -> None:
        page = stand.browser().page(self.PATH, slot="masthead", location="Remer, MN")
        words = said(page)
        assert "QWIKET wins masthead, at Remer, MN" in words
        assert '<div class="sponsor">' in page
        assert "/v1/seen" not in page
        assert re.search(r"QWIKET fantasy season qwiket-remer · QWIKET sponsorship 100 % won", words)

    def test_each_of_the_others_says_why_not_in_words(self, stand: ConsoleStand) -> None:
        words = said(stand.browser().page(self.PATH, slot="masthead", location="Remer, MN"))
        assert "big-fork-north · Big Fork Outfitters standard It runs at other topics." in words
        assert "tall-pines-rink · Tall Pines Farm standard It runs in other slots." in words

    def test_a_time_is_on_the_clock_of_the_slots_site(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page(self.PATH, slot="article-middle", at="2026-12-05T08:00"))
        assert "2026-12-05 14:00 UTC" in page

    def test_nobody_wins_is_said_with_its_reason(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        browser.send("/console/campaigns/house/remove", base="2")
        page = said(browser.page(self.PATH, slot="weekly-masthead", location="Ames, IA"))
        assert "Nobody wins weekly-masthead, at Ames, IA" in page
        assert "The flight that came furthest runs in other places." in page
        assert "In the draw Nobody." in page

    @pytest.mark.parametrize("query", [{"at": "soon"}, {"topic": "x" * 65}, {"location": "x" * 300}])
    def test_what_cannot_be_asked_is_said(self, stand: ConsoleStand, query: dict[str, str]) -> None:
        page = stand.browser().page(self.PATH, slot="masthead", **query)
        assert "This cannot be asked:" in page

    def test_before_anything_is_asked_there_is_the_form(self, stand: ConsoleStand) -> None:
        assert 'id="winner"' not in stand.browser().page(self.PATH)
        assert 'id="winner"' not in stand.browser().page(self.PATH, slot="")

    def test_a_bound_token_is_told_that_another_wins_and_not_who(self, stand: ConsoleStand) -> None:
        page = stand.browser(stand.token(Role.ANALYST, "big-fork")).page(
            self.PATH, slot="masthead", location="Remer,MN"
        )
        assert "Another sponsor wins" in page
        assert "big-fork-north" in page

    def test_every_reason_has_its_words(self) -> None:
        assert list(REASONS) == list(NoFillReason)

    def test_what_is_typed_is_text(self, stand: ConsoleStand) -> None:
        for name in ("slot", "location", "topic", "variant", "at"):
            query = {"slot": "masthead", name: HOSTILE}
            assert "<script>alert" not in stand.browser().get(self.PATH, **query).text
