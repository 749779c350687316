"""What is right, yet worth saying before publishing: missing files, old rules, and what falls to a default."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject, mapping, objects
from adserver.catalog.positions import FieldPath, path_text

RULE_AGE: Final = timedelta(days=366)
"""How long after it was read a rule is taken as it stands without a word."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing worth knowing about documents that are taken. Immutable."""

    file: str
    path: str
    """Field path; empty for the file itself."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.message}" if self.path else f"{self.file}: {self.message}"


def list_notices(documents: Documents, today: date) -> tuple[Notice, ...]:
    """Return everything worth saying about these documents on a day, by file."""
    return (
        *_missing_files(documents),
        *_old_rules(documents, today),
        *_goals_without_pacing(documents),
    )


def _missing_files(documents: Documents) -> Iterator[Notice]:
    if documents.slots is None:
        yield Notice(SLOTS_FILE, "", "there is none; without it nothing is published")
    if documents.rules is None:
        yield Notice(RULES_FILE, "", "there is none; without it nothing is regulated")


def _old_rules(documents: Documents, today: date) -> Iterator[Notice]:
    for index, rule in enumerate(objects(documents.rules or {}, "rules")):
        as_of = date.fromisoformat(str(rule["as_of"]))
        if today - as_of > RULE_AGE:
            message = f"the rule of {rule['category']} was read more than a year ago; read its source again"
            yield Notice(RULES_FILE, path_text(("rules", index, "as_of")), message)


def _goals_without_pacing(documents: Documents) -> Iterator[Notice]:
    for file, index, campaign in documents.campaigns():
        for number, flight in enumerate(objects(campaign, "flights")):
            if _serves_unevenly(campaign, flight):
                path: FieldPath = ("campaigns", index, "flights", number, "goal")
                message = "even pacing isn't built yet; the flight serves as fast as it can and stops at its goal"
                yield Notice(file, path_text(path), message)


def _serves_unevenly(campaign: JsonObject, flight: JsonObject) -> bool:
    """Tell whether a goal would be spread evenly, but for that rule not being built; an open end means asap anyway."""
    ends = flight.get("ends") or campaign.get("ends")
    return bool(mapping(flight, "goal")) and "pacing" not in mapping(flight, "goal") and ends is not None
