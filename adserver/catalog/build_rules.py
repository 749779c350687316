"""Builds the rules of regulated categories from rules.yaml."""

from adserver.catalog.documents import RULES_FILE
from adserver.catalog.faults import FaultLog
from adserver.catalog.rows import CategoryRuleRow, RulesFileRow
from adserver.catalog.rules_schema import ALLOW
from adserver.domain.ids import PlaceId
from adserver.domain.rules import CategoryRule, StateRule


def build_rules(file: RulesFileRow, faults: FaultLog) -> tuple[CategoryRule, ...]:
    """Return the rules; a category that has two is noted as a fault."""
    first: dict[str, int] = {}
    for index, row in enumerate(file.rules):
        if first.setdefault(row.category, index) != index:
            message = f"`{row.category}` has a rule already at rules[{first[row.category]}]; keep one of them"
            faults.add(RULES_FILE, ("rules", index, "category"), message)
    return tuple(map(_rule, file.rules))


def _rule(row: CategoryRuleRow) -> CategoryRule:
    return CategoryRule(
        category=row.category,
        as_of=row.as_of,
        source=row.source,
        allow_elsewhere=row.default == ALLOW,
        states=tuple(
            StateRule(PlaceId(f"us-{code.lower()}"), own.allow, own.disclosure) for code, own in row.states.items()
        ),
    )
