import time

import pytest
from is_bot import Bots

from adserver.counting import bots
from adserver.counting.bots import AGENT_BYTES, AGENT_MOST_BYTES, BotList

CHROME = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
)


@pytest.fixture(scope="module")
def programs() -> BotList:
    return BotList()


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "curl/8.5.0",
        "python-requests/2.32.3",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
        "Go-http-client/2.0",
        "Mozilla/5.0 (Windows NT 10.0) Java/17.0.1",
        "BBC-news fetcher",
    ],
)
def test_programs_that_say_so_are_bots(programs: BotList, agent: str) -> None:
    assert programs.is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.3.1 Mobile/15E148 Safari/604.1"
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/360.1.7 "
            "Mobile/15E148 Safari/604.1"
        ),
        "Mozilla/5.0 (Linux; Android 14; CUBOT X90) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Mobile/21F79 [FBAN/FBIOS;FBAV/465.0.0.35.103;FBBV/603165231;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;"
            "FBSV/17.5;FBSS/3;FBCR/;FBID/phone;FBLC/en_US;FBOP/80]"
        ),
    ],
)
def test_readers_are_none(programs: BotList, agent: str) -> None:
    assert not programs.is_bot(agent)


def test_an_agent_longer_than_any_readers_is_a_bot(programs: BotList) -> None:
    assert programs.is_bot(CHROME + "a" * AGENT_MOST_BYTES)
    assert programs.is_bot((CHROME + " Googlebot").ljust(AGENT_MOST_BYTES))
    assert not programs.is_bot(CHROME.ljust(AGENT_BYTES) + " Googlebot"), "the lists look at the first 512 bytes"


@pytest.mark.parametrize("filler", ["a", "java ", "google", "(", "1.", " http", "\xe9", "news/1.0 ", "bot_"])
def test_eight_kilobytes_are_judged_in_under_5_ms(filler: str) -> None:
    fresh = BotList()
    fresh.is_bot(CHROME)
    agent = (CHROME + filler * 8_192)[:8_192]

    start = time.thread_time()
    verdict = fresh.is_bot(agent)
    fresh.is_bot(agent[:AGENT_MOST_BYTES])
    assert time.thread_time() - start < 0.005
    assert verdict


def test_memory_of_verdicts_is_bounded(programs: BotList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bots, "_REMEMBERED", 10)
    few = BotList()
    for number in range(100):
        few.is_bot(f"{CHROME} {number}")

    assert few._remembered.cache_info().currsize == 10  # type: ignore[attr-defined]  # of functools' wrapper


def test_every_pattern_of_the_lists_is_asked(programs: BotList) -> None:
    plain, looking = bots._split(Bots().patterns)

    assert set(plain) | set(looking) == Bots().patterns
    assert all("(?!" in pattern or "(?<!" in pattern for pattern in looking)


def test_a_pattern_without_its_assertions_finds_all_that_the_whole_finds() -> None:
    assert bots._without_looking(r"(?<! channel/|google/)google(?!(?:wv|app|/google| pixel))") == "google"
    assert bots._without_looking(r"(?<! cu)bots?(?:\b|_)") == r"bots?(?:\b|_)"
    assert bots._without_looking("(?:^|[^g])news(?!sapphire)") == "(?:^|[^g])news"
