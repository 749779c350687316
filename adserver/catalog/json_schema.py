"""The schema of campaign files as JSON Schema, so that editors complete and check them as they are written.

It tells the shape only: what `adserver validate` refuses beyond that (links, texts, references) no JSON Schema can say.
"""

from typing import Final, TypeVar

from marshmallow import fields

from adserver.catalog.documents import JsonObject, JsonValue
from adserver.catalog.fields import Checked, Choice, Flag, ListOf, Money, NotBuilt, Whole
from adserver.catalog.rules_schema import STATE_CODES, ByState, RulesFileSchema
from adserver.catalog.schema import CampaignFileSchema, CreativeReference, SlotsFileSchema, WeightedCreativeSchema
from adserver.catalog.strict_schema import StrictSchema
from adserver.catalog.targeting_schema import NearSchema, PlaceReference
from adserver.catalog.word_fields import Day, Distance, PlaceWords, Slug, TimeOfDay
from adserver.domain.ids import SLUG_PATTERN

_T = TypeVar("_T")

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def campaign_file_json_schema() -> JsonObject:
    """Return the JSON Schema (draft 2020-12) of a campaign file."""
    return {"$schema": DIALECT, "title": "Campaign file of the sponsor ad server", **_object(CampaignFileSchema())}


def slots_file_json_schema() -> JsonObject:
    """Return the JSON Schema (draft 2020-12) of slots.yaml."""
    return {"$schema": DIALECT, "title": "Sites and slots of the sponsor ad server", **_object(SlotsFileSchema())}


def rules_file_json_schema() -> JsonObject:
    """Return the JSON Schema (draft 2020-12) of rules.yaml."""
    return {"$schema": DIALECT, "title": "Rules of the sponsor ad server", **_object(RulesFileSchema())}


def _object(schema: StrictSchema) -> JsonObject:
    required: list[JsonValue] = [name for name, field in schema.written.items() if field.required]
    shape: JsonObject = {
        "type": "object",
        "description": (type(schema).__doc__ or "").strip(),
        "properties": {name: _value(field) for name, field in schema.written.items()},
        "additionalProperties": False,
    }
    return {**shape, "required": required} if required else shape


def _value(field: fields.Field[object]) -> JsonObject:
    shape = _shape(field)
    return {"anyOf": [shape, {"type": "null"}]} if field.allow_none else shape


def _shape(field: fields.Field[object]) -> JsonObject:
    if isinstance(field, fields.Nested):
        if not isinstance(field.schema, StrictSchema):
            raise TypeError(f"{field.name} has no strict schema")
        return _object(field.schema)
    if isinstance(field, ListOf):
        return {"type": "array", "items": _shape(field.inner), "minItems": field.least, "uniqueItems": True}
    if isinstance(field, Checked):
        return {**_scalar(field), "description": f"Must be {field.due}."}
    raise TypeError(f"{field.name} is of a kind that has no JSON Schema: {type(field).__name__}")


def _scalar(field: Checked[_T]) -> JsonObject:
    if isinstance(field, Whole):
        return {"type": "integer", "minimum": field.minimum, "maximum": field.maximum}
    if isinstance(field, Choice):
        return {"enum": list(field.words)}
    if isinstance(field, ByState):
        states: JsonObject = {code: _object(field.rule) for code in STATE_CODES}
        return {"type": "object", "properties": states, "additionalProperties": False}
    for reference, (word, schema) in _REFERENCES.items():
        if isinstance(field, reference):
            return {"anyOf": [_scalar(word), _object(schema)]}
    for kind, shape in _SHAPES.items():
        if isinstance(field, kind):
            return shape
    return {"type": "string", "minLength": 1}


_SHAPES: Final[dict[type, JsonObject]] = {
    Slug: {"type": "string", "pattern": f"^{SLUG_PATTERN}$"},
    Day: {"type": "string", "format": "date"},
    Distance: {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
    Flag: {"type": "boolean"},
    Money: {"type": ["number", "string"]},
    NotBuilt: {"not": {}},
    TimeOfDay: {"type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$"},
}
_REFERENCES: Final[dict[type, tuple[Checked[str], StrictSchema]]] = {
    CreativeReference: (Slug(), WeightedCreativeSchema()),
    PlaceReference: (PlaceWords(), NearSchema()),
}
"""What may be written as a word, or as a mapping."""
