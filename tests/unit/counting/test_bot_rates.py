"""How many bots are kept out and how many readers lost, on agents never used for tuning; run with -s to see both."""

from collections.abc import Collection

import pytest
from agents import MetAgents, documented_crawlers, readers_by_share

from adserver.counting.bots import BotList


@pytest.fixture(scope="module")
def programs() -> BotList:
    return BotList()


@pytest.fixture(scope="module")
def met() -> MetAgents:
    return MetAgents()


def part(programs: BotList, agents: Collection[str], of: str) -> float:
    """Return which part of the agents is taken for bots, and say so."""
    bots = sum(map(programs.is_bot, agents))
    print(f"{bots / len(agents):8.2%}  {bots:6} of {len(agents):6}  {of}")
    return bots / len(agents)


def test_at_least_94_percent_of_bots_are_kept_out(programs: BotList, met: MetAgents) -> None:
    documented = documented_crawlers()
    assert len(met.bots) > 1_000 < len(met.with_mislabelled)
    assert len(documented) > 50

    print("\nbots kept out")
    part(programs, met.with_mislabelled, "random-user-agent, bots with the readers' apps among them")
    assert part(programs, met.bots, "random-user-agent, bots") >= 0.94
    assert part(programs, documented, "ai-crawler-logs") >= 0.94


def test_at_most_one_percent_of_readers_is_lost(programs: BotList, met: MetAgents) -> None:
    shares = readers_by_share()
    assert len(shares) > 500
    assert len(met.in_app_browsers) > 1_000 < len(met.common_browsers)

    print("\nreaders lost")
    lost = sum(share for agent, share in shares.items() if programs.is_bot(agent))
    print(f"{lost:8.2%}  of the traffic of fake-useragent's readers")
    assert lost <= 0.01
    assert part(programs, shares, "fake-useragent, each agent once") <= 0.01
    assert part(programs, met.in_app_browsers, "random-user-agent, in-app browsers") <= 0.01
    readers = met.common_browsers | met.in_app_browsers | shares.keys()
    part(programs, met.common_browsers, "random-user-agent, common browsers (2018), crawlers among them")
    assert part(programs, readers, "all readers") <= 0.01
