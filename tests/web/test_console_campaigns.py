"""The console's pages of campaigns: who sees which, how the list is asked, and that a change is one revision."""

import re

import pytest
from catalog_bench import campaign, campaign_file
from console_stand import ADMIN, HOSTILE, ConsoleStand, hostile_file, said

from adserver.access.tokens import Role

LIST = "/console/campaigns"


@pytest.fixture(scope="module")
def stand() -> ConsoleStand:
    """One that nobody changes."""
    made = ConsoleStand(extra=[hostile_file()])
    made.count_weeks()
    return made


def names(page: str) -> list[str]:
    """Return the campaigns of a list, in its order."""
    return re.findall(rf'class="fw-semibold" href="{LIST}/([a-z0-9-]+)"', page)


class TestList:
    def test_it_says_of_each_whose_it_is_its_state_and_what_is_delivered_of_its_goal(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page(LIST, q="big-fork"))
        assert (
            "Winter on the Big Fork big-fork-winter · 2 flights Big Fork Outfitters live 1 Nov 2026 20 Dec 2026" in page
        )
        assert "20,690 of 52,000 (39.8 %) behind:" in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"state": "paused"}, ["tall-pines-skates"]),
            ({"state": "scheduled"}, ["tall-pines-trees"]),
            ({"advertiser": "tall-pines"}, ["tall-pines-trees", "tall-pines-skates"]),
            ({"q": "FORK-NORTH"}, ["big-fork-winter"]),
            ({"q": "thanksgiving", "state": "live"}, ["corner-bakery-pies"]),
            ({"q": "nobody's"}, []),
        ],
    )
    def test_it_is_asked_by_state_advertiser_and_words(
        self, stand: ConsoleStand, query: dict[str, str], found: list[str]
    ) -> None:
        assert names(stand.browser().page(LIST, **query)) == found

    @pytest.mark.parametrize(
        ("query", "first"),
        [
            ({"sort": "name"}, "hostile"),
            ({"sort": "name", "order": "desc"}, "big-fork-winter"),
            ({"sort": "ends"}, "corner-bakery-pies"),
            ({"sort": "starts", "order": "desc"}, "tall-pines-trees"),
            ({"sort": "goal", "order": "desc"}, "corner-bakery-pies"),
            ({"sort": "delivered", "order": "desc"}, "big-fork-winter"),
        ],
    )
    def test_it_is_sorted_either_way(self, stand: ConsoleStand, query: dict[str, str], first: str) -> None:
        assert names(stand.browser().page(LIST, **query))[0] == first

    @pytest.mark.parametrize(
        "query", [{"state": "odd"}, {"sort": "odd"}, {"page": "0"}, {"page": "9" * 30}, {"page": "²"}, {"page": "99"}]
    )
    def test_what_cannot_be_meant_shows_the_list_as_it_is(self, stand: ConsoleStand, query: dict[str, str]) -> None:
        assert len(names(stand.browser().page(LIST, **query))) == 13

    def test_more_than_a_page_are_pages(self) -> None:
        many = campaign_file(*(campaign(f"many-{number:02}") for number in range(30)), advertiser="many", name="Many")
        browser = ConsoleStand(extra=[many]).browser()
        pages = [names(browser.page(LIST, q="many", page=number)) for number in (1, 2)]
        assert [len(page) for page in pages] == [25, 5]
        assert sorted([*pages[0], *pages[1]]) == [f"many-{number:02}" for number in range(30)]
        assert 'rel="next"' in browser.page(LIST, q="many")
        assert 'rel="next"' not in browser.page(LIST, q="many", page=2)


class TestBoundTokens:
    def test_only_their_advertisers_campaigns_exist(self, stand: ConsoleStand) -> None:
        browser = stand.browser(stand.token(Role.MARKETER, "big-fork"))
        page = browser.page(LIST)
        assert names(page) == ["big-fork-winter"]
        assert "tall-pines" not in page
        assert "Tall Pines" not in page
        assert browser.get(f"{LIST}/big-fork-winter").status_code == 200
        for path in ("tall-pines-trees", "tall-pines-trees/pause", "nowhere"):
            assert browser.get(f"{LIST}/{path}").status_code == 404

    def test_they_change_nothing_of_others(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser(stand.token(Role.MARKETER, "big-fork"))
        page = browser.page(f"{LIST}/big-fork-winter/pause")
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf is not None
        answer = browser.client.post(f"{LIST}/tall-pines-trees/pause", data={"csrf_token": csrf[1]})
        assert answer.status_code == 404
        assert stand.live().revision == 2


class TestCampaign:
    def test_it_says_what_each_flight_was_sold_with(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page(f"{LIST}/big-fork-winter"))
        assert "Places Minnesota; 60 miles (96.6 km) around Fargo, ND" in page
        assert "Topics outdoors; sports" in page
        assert "Hours Mon to Fri, 06:00 to 22:00 (America/Chicago)" in page
        assert "Goal 12,000 impressions, frontloaded" in page
        assert "Price 14.00 USD a thousand" in page
        assert "Caps 3 a visit for each reader" in page
        assert "Big Fork Outfitters (19 characters)" in page

    def test_it_shows_what_was_counted_of_each_flight_and_of_the_last_days(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page(f"{LIST}/big-fork-winter"))
        assert re.search(r"Impressions [1-9],\d{3} Viewable [1-9],\d{3} Clicks \d+ CTR \d\.\d+ %", page)
        assert re.search(r"Numbers Impressions When Impressions 11 Nov \d+ 12 Nov \d+", page)

    def test_a_page_without_its_neighbours_has_no_dead_links(self, stand: ConsoleStand) -> None:
        page = stand.browser().page(f"{LIST}/big-fork-winter")
        for path in set(re.findall(r'href="(/console/[^"]*)"', page)):
            assert stand.browser().get(path.replace("&amp;", "&")).status_code == 200, path

    @pytest.mark.parametrize("role", [Role.ADMIN, Role.MARKETER])
    def test_who_may_change_it_finds_how(self, stand: ConsoleStand, role: Role) -> None:
        page = stand.browser(stand.token(role)).page(f"{LIST}/big-fork-winter")
        assert f"{LIST}/big-fork-winter/pause" in page
        assert f"{LIST}/big-fork-winter/remove" in page

    def test_an_analyst_does_not(self, stand: ConsoleStand) -> None:
        browser = stand.browser(stand.token(Role.ANALYST))
        assert "/pause" not in browser.page(f"{LIST}/big-fork-winter")
        assert browser.get(f"{LIST}/big-fork-winter/pause").status_code == 403

    @pytest.mark.parametrize(
        "path", [LIST, f"{LIST}/hostile", f"{LIST}/hostile/remove", "/console/", "/console/schedule"]
    )
    def test_texts_that_are_markup_are_shown_as_text(self, stand: ConsoleStand, path: str) -> None:
        page = stand.browser().page(path)
        assert "<script>alert" not in page
        if path != "/console/":
            assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
        assert "49" not in re.findall(r"script&gt;(\d+)", page)

    @pytest.mark.parametrize(
        "path", [f"{LIST}?q=", f"{LIST}?advertiser=", "/console/schedule?slot=", "/console/schedule?from="]
    )
    def test_what_is_typed_is_shown_as_text(self, stand: ConsoleStand, path: str) -> None:
        answer = stand.browser().client.get(path + HOSTILE.replace("#", ""))
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


class TestChanges:
    def test_pausing_and_resuming_are_revisions_with_their_reason(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser(stand.token(Role.MARKETER))
        answer = browser.send(f"{LIST}/big-fork-winter/pause", base="2", message="Ice too thin")
        assert (answer.status_code, answer.location) == (303, f"{LIST}/big-fork-winter")
        assert stand.status_of("big-fork-winter") == "paused"
        page = said(browser.page(f"{LIST}/big-fork-winter"))
        assert "big-fork-winter is paused. Revision 3 serves within a second." in page
        newest = stand.publisher.history()[0]
        assert (newest.author, newest.message, newest.number) == ("Kim", "Ice too thin", 3)
        browser.send(f"{LIST}/big-fork-winter/resume", base="3")
        assert stand.status_of("big-fork-winter") == "active"
        assert stand.publisher.history()[0].message == "Resume big-fork-winter"

    def test_removing_leads_to_the_list(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        answer = browser.send(f"{LIST}/tall-pines-trees/remove", base="2")
        assert (answer.status_code, answer.location) == (303, LIST)
        assert stand.status_of("tall-pines-trees") == "gone"
        assert browser.get(f"{LIST}/tall-pines-trees").status_code == 404

    def test_nothing_is_done_that_was_decided_on_an_older_revision(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        browser.send(f"{LIST}/big-fork-winter/pause", base="2")
        answer = browser.send(f"{LIST}/tall-pines-trees/remove", base="2")
        assert answer.location == f"{LIST}/tall-pines-trees/remove"
        assert stand.status_of("tall-pines-trees") == "active"
        assert "Nothing was changed: revision 3 was published meanwhile." in said(browser.page(answer.location))

    @pytest.mark.parametrize("reason", ["two\nlines", "x" * 501, "\u202eright to left"])
    def test_a_reason_that_no_history_can_hold_is_told(self, reason: str) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        answer = browser.send(f"{LIST}/big-fork-winter/pause", base="2", message=reason)
        assert answer.location == f"{LIST}/big-fork-winter/pause"
        assert "Nothing was changed: the reason must be" in said(browser.page(answer.location))
        assert stand.live().revision == 2

    def test_looking_changes_nothing_nor_does_a_form_of_another_site(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser()
        assert "Pause “Winter on the Big Fork”?" in browser.page(f"{LIST}/big-fork-winter/pause")
        assert browser.client.post(f"{LIST}/big-fork-winter/pause", data={"base": "2"}).status_code == 400
        assert stand.live().revision == 2

    def test_what_is_done_already_is_said(self, stand: ConsoleStand) -> None:
        page = said(stand.browser().page(f"{LIST}/tall-pines-skates/pause"))
        assert "There is nothing to do: it is paused." in page
        assert stand.browser().get(f"{LIST}/tall-pines-skates/explode").status_code == 404

    def test_an_analyst_changes_nothing(self) -> None:
        stand = ConsoleStand()
        browser = stand.browser(stand.token(Role.ANALYST))
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', browser.page("/console/"))
        assert csrf is not None
        answer = browser.client.post(f"{LIST}/big-fork-winter/pause", data={"csrf_token": csrf[1]})
        assert answer.status_code == 403
        assert stand.live().revision == 2

    def test_changes_have_a_limit_for_each_who_is_signed_in(self) -> None:
        stand = ConsoleStand(burst=1)
        browser = stand.browser()
        assert browser.send(f"{LIST}/big-fork-winter/pause", base="2").status_code == 303
        assert browser.send(f"{LIST}/big-fork-winter/resume", base="3").status_code == 429
        other = stand.browser(stand.token(Role.ADMIN))
        assert other.send(f"{LIST}/big-fork-winter/resume", base="3").status_code == 303


def test_the_admin_token_is_in_no_page(stand: ConsoleStand) -> None:
    for path in (LIST, f"{LIST}/big-fork-winter", "/console/"):
        assert ADMIN not in stand.browser().page(path)
