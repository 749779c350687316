"""The publication that the fault suite serves: two slots with sponsors, one without, and a flight with a goal."""

import json
from pathlib import Path
from typing import Any, Final

ZONE: Final = "America/Chicago"
CLOCK_SLOT: Final = "clock"
"""Of it only a test of clocks asks."""
SLOTS: Final = ("masthead", "article-top", "article-top", "footer")
"""What readers ask for; the footer has nobody."""
LOCATIONS: Final = ("Remer,MN", "Fargo,ND", "Kyiv,UA", "")
TOPICS: Final = ("sports", "politics", "gardening", "")
VARIANTS: Final = ("name", "short", "long")
GOAL: Final = 60
"""Impressions, of one flight of four; met while the suite runs."""

_SITE: Final = {
    "sites": [{"id": "paper", "name": "THE PAPER", "home": "https://paper.example/", "timezone": ZONE}],
    "slots": [
        {"id": slot, "site": "paper", "max_chars": 140} for slot in ("masthead", "article-top", "footer", "clock")
    ],
}


def _creative(name: str) -> dict[str, Any]:
    variants = {
        "name": name.title(),
        "short": f"{name.title()}: a short line.",
        "long": f"{name.title()}: a long line.",
    }
    return {"id": name, "click_url": f"https://{name}.example/", "variants": variants}


def sponsors(change: int = 0) -> dict[str, Any]:
    """Return the campaign file; `change` tells one revision of it from another."""
    slots = ["masthead", "article-top"]
    return {
        "advertiser": {"id": "acme", "name": "Acme"},
        "campaigns": [
            {
                "id": "season",
                "name": f"Season {change}",
                "starts": "2026-01-01",
                "timezone": "UTC",
                "creatives": [_creative("anvil"), _creative("rocket")],
                "flights": [
                    {"id": "everywhere", "slots": slots, "weight": 3 + change % 5},
                    {"id": "local", "slots": slots, "weight": 2, "targeting": {"places": ["MN"]}},
                    {"id": "sports", "slots": ["article-top"], "weight": 2, "targeting": {"topics": ["sports"]}},
                    {
                        "id": "bounded",
                        "slots": slots,
                        "weight": 3,
                        "goal": {"impressions": GOAL, "pacing": "asap"},
                    },
                ],
            }
        ],
    }


def write_world(campaigns: Path) -> None:
    """Write the campaigns folder; JSON is YAML."""
    campaigns.mkdir(parents=True)
    (campaigns / "slots.yaml").write_text(json.dumps(_SITE))
    (campaigns / "acme.yaml").write_text(json.dumps(sponsors()))
