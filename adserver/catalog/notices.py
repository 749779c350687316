"""What is right, yet worth saying before publishing: missing files, and old rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, objects
from adserver.catalog.positions import path_text

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
    return (*_missing_files(documents), *_old_rules(documents, today))


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
