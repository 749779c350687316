"""Regulated categories: which rules an advertiser is under, and what they say of a place."""

from collections.abc import Sequence
from typing import Final

from adserver.decision.memo import Memo
from adserver.domain.places import Place
from adserver.domain.rules import CategoryRule

Rules = tuple[CategoryRule, ...]
"""Those that an advertiser is under, by category; all must allow it."""

REMEMBERED: Final = 1_024


class Regulation:
    """The rules of a catalog. Shared by all threads: immutable, but for a bounded memory."""

    __slots__ = ("_known", "_rules")

    def __init__(self, rules: Sequence[CategoryRule]) -> None:
        """Take the rules, one a category at most."""
        self._rules = tuple(sorted(rules, key=lambda rule: rule.category))
        self._known: Memo[frozenset[str], Rules] = Memo(REMEMBERED)

    def of(self, categories: frozenset[str]) -> Rules:
        """Return the rules that an advertiser of these categories is under."""
        if not self._rules or not categories:
            return ()
        known = self._known.get(categories)
        if known is None:
            known = tuple(rule for rule in self._rules if rule.category in categories)
            self._known.put(categories, known)
        return known


def allowed(rules: Rules, place: Place | None) -> bool:
    """Return whether all rules let an advertiser run at a place; None: it is not known, and no rule does."""
    state = None if place is None else place.state
    return all(rule.allows(state) for rule in rules)


def objection(rules: Rules, place: Place | None) -> str | None:
    """Return what stops an advertiser at a place, for people, or None."""
    state = None if place is None else place.state
    for rule in rules:
        if not rule.allows(state):
            where = f"in {state}" if state is not None else "where the state is not known"
            return f"{rule.category} may not run {where}, by the rule of {rule.as_of} ({rule.source})"
    return None


def disclosures(rules: Rules, place: Place | None) -> tuple[str, ...]:
    """Return the lines that must be shown at a place, each once."""
    state = None if place is None else place.state
    lines = (own.disclosure for rule in rules if (own := rule.of(state)) is not None and own.disclosure)
    return tuple(dict.fromkeys(lines))
