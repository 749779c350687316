"""What the benchmark serves: a made-up publisher with as many flights as asked for, and the pages that ask."""

from collections.abc import Mapping
from random import Random
from typing import Final

TOWNS: Final = (
    *("Remer,MN", "Bemidji,MN", "Duluth,MN", "Ely,MN", "Brainerd,MN", "Fargo,ND", "Minot,ND", "Bismarck,ND"),
    *("Sioux Falls,SD", "Rapid City,SD", "Pierre,SD", "Madison,WI", "Eau Claire,WI", "Wausau,WI", "Ames,IA"),
    *("Dubuque,IA", "Mason City,IA", "Omaha,NE", "Kearney,NE", "Scottsbluff,NE", "Bozeman,MT", "Missoula,MT"),
    *("Butte,MT", "Boise,ID", "Moscow,ID", "Austin,TX", "Kerrville,TX", "Marfa,TX", "Amarillo,TX", "Bangor,ME"),
    *("Bar Harbor,ME", "Ellsworth,ME", "Montpelier,VT", "Concord,NH", "Santa Fe,NM", "Taos,NM", "Tulsa,OK"),
    *("Enid,OK", "Wichita,KS", "Salina,KS"),
)
STATES: Final = ("MN", "ND", "SD", "WI", "IA", "NE", "MT", "ID", "TX", "ME", "VT", "NH", "NM", "OK", "KS")
TOPICS: Final = ("sports", "politics", "farming", "weather", "community", "business", "schools", "outdoors")
SLOTS: Final = tuple(f"slot-{number}" for number in range(20))
FLIGHTS_A_CAMPAIGN: Final = 10
REGULATED: Final = 0.05
"""How many of the advertisers are of a category that has a rule."""
HOURS: Final = (
    {"days": ["mon", "tue", "wed", "thu", "fri"]},
    {"from": "06:00", "to": "22:00"},
    {"days": ["fri", "sat"], "from": "18:00", "to": "02:00"},
)
CAPPED: Final = 0.1
"""How many of the flights have a cap."""
CAPS: Final = (
    {"impressions": 3, "per": "visit", "scope": "reader"},
    {"impressions": 1_000_000, "per": "day", "scope": "flight"},
    {"impressions": 1_000_000, "per": "hour", "scope": "flight"},
)

Document = dict[str, object]


def slots_document() -> Document:
    """Return the file of sites and slots."""
    site = {"id": "paper", "name": "THE PAPER", "home": "https://paper.example/", "timezone": "America/Chicago"}
    return {"sites": [site], "slots": [{"id": slot, "site": "paper", "max_chars": 140} for slot in SLOTS]}


def rules_document() -> Document:
    """Return the file of rules: betting may run in some of the states, in some of them with a line."""
    states: dict[str, dict[str, object]] = {state: {"allow": number % 3 > 0} for number, state in enumerate(STATES)}
    states["IA"] = {"allow": True, "disclosure": "21+. Gambling problem? Call 1-800-BETS-OFF."}
    return {"rules": [{"category": "betting", "as_of": "2026-11-01", "source": "made up", "states": states}]}


def campaign_documents(flights: int, chance: Random, goal: int = 10_000_000) -> list[Document]:
    """Return campaign files with so many flights together, of all tiers, and with every kind of targeting."""
    files: list[Document] = []
    for first in range(0, flights, FLIGHTS_A_CAMPAIGN):
        count = min(FLIGHTS_A_CAMPAIGN, flights - first)
        name = f"sponsor-{first // FLIGHTS_A_CAMPAIGN}"
        campaign = {
            "id": f"{name}-season",
            "name": f"The season of {name}",
            "starts": "2025-06-01",
            "timezone": "America/Chicago",
            "creatives": [_creative(name, which) for which in "ab"],
            "flights": [_flight(name, number, chance, goal) for number in range(count)],
        }
        categories = ["betting"] if chance.random() < REGULATED else []
        advertiser = {"id": name, "name": name.title(), "categories": categories}
        files.append({"advertiser": advertiser, "campaigns": [campaign]})
    return files


def paths(count: int, chance: Random, form: str = "") -> list[str]:
    """Return addresses of slots as pages of a news site ask for them: 20 slots, 40 towns, at most two topics."""
    asked = []
    for _ in range(count):
        topics = chance.sample(TOPICS, chance.randint(0, 2))
        query = f"location={chance.choice(TOWNS).replace(' ', '+')}" + "".join(f"&topic={topic}" for topic in topics)
        asked.append(f"/v1/slots/{chance.choice(SLOTS)}{form}?{query}")
    return asked


def _creative(sponsor: str, which: str) -> Mapping[str, object]:
    brand = sponsor.replace("sponsor-", "Sponsor ")
    short = f"{brand}: everything for the house, the yard and the road."
    return {
        "id": f"{sponsor}-{which}",
        "click_url": f"https://{sponsor}.example/{which}?from={{slot}}",
        "variants": {"name": brand, "short": short, "long": f"{short} Family owned, open daily, and close to you."},
    }


def _flight(sponsor: str, number: int, chance: Random, goal: int) -> Document:
    flight: Document = {
        "id": f"{sponsor}-{number}",
        "slots": chance.sample(SLOTS, chance.randint(1, 4)),
        "tier": chance.choices(("sponsorship", "standard", "house"), (1, 7, 2))[0],
        "targeting": _targeting(chance),
    }
    if flight["tier"] == "sponsorship":
        flight["share"] = chance.choice((5, 10, 20))
    else:
        flight["weight"] = chance.randint(1, 5)
    if flight["tier"] == "standard" and chance.random() < 0.5:
        flight["goal"] = {"impressions": goal}
    if chance.random() < CAPPED:
        flight["caps"] = [chance.choice(CAPS)]
    return flight


def _targeting(chance: Random) -> Document:
    circles = [{"near": chance.choice(TOWNS), "miles": chance.choice((25, 60, 120))}]
    kinds: tuple[object, ...] = (chance.sample(TOWNS, 5), chance.sample(STATES, 2), circles, [])
    fields = {
        "places": chance.choices(kinds, (35, 35, 10, 20))[0],
        "exclude_places": chance.sample(TOWNS, 2) if chance.random() < 0.1 else [],
        "topics": chance.sample(TOPICS, 2) if chance.random() < 0.2 else [],
        "exclude_topics": chance.sample(TOPICS, 1) if chance.random() < 0.1 else [],
        "hours": chance.choice(HOURS) if chance.random() < 0.15 else {},
    }
    return {name: value for name, value in fields.items() if value}
