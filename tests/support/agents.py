"""User agents that nobody here tuned anything by, from packages of data that only tests install.

- `ai-crawler-logs` (MIT, its data CC0): what the operators of 150 crawlers document, of 2026.
- `random-user-agent` (MIT): what a public collection of agents had met by 2018, each with its kind and frequency.
- `fake-useragent` (Apache 2.0): agents of real readers with their share of the traffic, of 2025.

What stands in `crawler-user-agents` as an example of its patterns is left out of all of them. Of the agents that
`random-user-agent` calls crawlers, those with `YJApp-` are readers in an app of Yahoo! JAPAN:
they are left out too; `with_mislabelled` has them.
"""

import io
import zipfile
from collections.abc import Iterator
from importlib import resources

import msgspec
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

_TUNED_BY = frozenset(agent for entry in CRAWLER_USER_AGENTS_DATA for agent in entry["instances"])
_JAPANESE_APP = "yjapp-"


class _Crawler(msgspec.Struct):
    ua_example: str = ""


class _Index(msgspec.Struct):
    crawlers: list[_Crawler]


class _Met(msgspec.Struct):
    user_agent: str
    software_type: str
    popularity: str


class _Share(msgspec.Struct):
    useragent: str
    percent: float


def documented_crawlers() -> list[str]:
    """Return the agents that operators of crawlers document."""
    text = resources.files("ai_crawler_logs").joinpath("data.json").read_bytes()
    agents = {each.ua_example for each in msgspec.json.decode(text, type=_Index).crawlers}
    return sorted(agents - _TUNED_BY - {""})


def readers_by_share() -> dict[str, float]:
    """Return the agents of readers with what part of the traffic each has; the parts sum to 1."""
    shares: dict[str, float] = {}
    for line in resources.files("fake_useragent").joinpath("data/browsers.jsonl").read_bytes().splitlines():
        share = msgspec.json.decode(line, type=_Share)
        shares[share.useragent] = shares.get(share.useragent, 0.0) + share.percent
    whole = sum(shares.values())
    return {agent: share / whole for agent, share in shares.items() if agent not in _TUNED_BY}


class MetAgents:
    """The agents of `random-user-agent`. Read once; immutable from then on."""

    def __init__(self) -> None:
        self.bots: set[str] = set()
        """Crawlers, monitors, analysers, tools."""
        self.with_mislabelled: set[str] = set()
        """Those, and what is called a crawler and is an app of readers."""
        self.common_browsers: set[str] = set()
        """Web browsers that are common or very common."""
        self.in_app_browsers: set[str] = set()
        for met in _met():
            self._sort(met)

    def _sort(self, met: _Met) -> None:
        if met.user_agent in _TUNED_BY:
            return
        if met.software_type.startswith("bot"):
            self.with_mislabelled.add(met.user_agent)
            if _JAPANESE_APP not in met.user_agent.lower():
                self.bots.add(met.user_agent)
        elif met.software_type == "browser -> in-app-browser":
            self.in_app_browsers.add(met.user_agent)
        elif met.software_type == "browser -> web-browser" and met.popularity in ("common", "very common"):
            self.common_browsers.add(met.user_agent)


def _met() -> Iterator[_Met]:
    data = io.BytesIO(resources.files("random_user_agent").joinpath("data/user_agents.zip").read_bytes())
    with zipfile.ZipFile(data) as archive, archive.open("user_agents.jl") as lines:
        for line in lines:
            if b'"bot ->' in line or b"in-app" in line or b' common"' in line or b'"common"' in line:
                yield msgspec.json.decode(line, type=_Met)
