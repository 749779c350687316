"""The marshmallow schema of rules.yaml: which categories may run in which states."""

from collections.abc import Mapping
from typing import Final

from marshmallow import ValidationError, validates_schema

from adserver.catalog.documents import JsonObject
from adserver.catalog.fields import Checked, Choice, Flag, ListOf
from adserver.catalog.strict_schema import StrictSchema, nested
from adserver.catalog.word_fields import Day, Slug, Words
from adserver.places.folding import plain_words
from adserver.places.states import STATES, state_code

ALLOW: Final = "allow"
DENY: Final = "deny"
STATE_CODES: Final = tuple(code.upper() for code in STATES)
_MAX_SOURCE: Final = 500


class StateRuleSchema(StrictSchema):
    """What holds in one state."""

    allow = Flag(required=True)
    disclosure = Words(allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def check_disclosure(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse a line that would be shown with nothing."""
        del kwargs
        if data.get("disclosure") is not None and not data["allow"]:
            raise ValidationError("goes with `allow: true`; nothing is shown where it may not run", "disclosure")


class ByState(Checked[JsonObject]):
    """A mapping of states, stored under their postal codes."""

    def __init__(self) -> None:
        super().__init__("a mapping of states, such as IA: {allow: true}")
        self.rule = StateRuleSchema()

    def read(self, value: object) -> JsonObject:
        """Return what holds by state."""
        if not isinstance(value, Mapping):
            raise self.wrong(value)
        read: JsonObject = {}
        faults: dict[str, object] = {}
        for written, rule in value.items():
            code = state_code(plain_words(str(written)))
            if code is None:
                faults[written] = [f"there is no state {str(written)[:40]!r}; write its postal code, such as IA"]
            elif code.upper() in read:
                faults[written] = [f"{code.upper()} stands twice; keep one of them"]
            else:
                try:
                    read[code.upper()] = self.rule.load(rule)
                except ValidationError as error:
                    faults[written] = error.messages
        if faults:
            raise ValidationError(faults)
        return read


class CategoryRuleSchema(StrictSchema):
    """Where advertisers of one category may run."""

    category = Slug(required=True)
    as_of = Day(required=True)
    source = Words(limit=_MAX_SOURCE, required=True)
    default = Choice((DENY, ALLOW))
    states = ByState()


class RulesFileSchema(StrictSchema):
    """The file rules.yaml."""

    rules = ListOf(nested(CategoryRuleSchema), "rules", required=True)
