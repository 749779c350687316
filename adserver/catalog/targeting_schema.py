"""The schema of `targeting`: where a flight runs, at what, and when of the week."""

from collections.abc import Mapping
from typing import Final

from marshmallow import ValidationError, validates_schema

from adserver.catalog.documents import JsonObject, JsonValue
from adserver.catalog.fields import Checked, Choice, ListOf
from adserver.catalog.strict_schema import StrictSchema, nested
from adserver.catalog.word_fields import Distance, PlaceWords, TimeOfDay, TopicWord
from adserver.domain.hours import WEEKDAYS

DAY_STARTS: Final = "00:00"
DAY_ENDS: Final = "24:00"
"""What `from` and `to` are where they are left out."""


class NearSchema(StrictSchema):
    """A town or a ZIP code, and how far around it."""

    near = PlaceWords(required=True)
    miles = Distance()
    km = Distance()

    @validates_schema(skip_on_field_errors=True)
    def check_one(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse two distances, or none."""
        del kwargs
        if ("miles" in data) == ("km" in data):
            raise ValidationError("must have either miles or km")


class PlaceReference(Checked[JsonValue]):
    """A place's words, or a mapping of a town and the distance around it."""

    def __init__(self) -> None:
        super().__init__(f"{PlaceWords().due}, or {{near: …, miles: …}}")
        self._words = PlaceWords()
        self._near = NearSchema()

    def read(self, value: object) -> JsonValue:
        """Return the reference as written."""
        if isinstance(value, Mapping):
            loaded: JsonObject = self._near.load(value)
            return loaded
        return self._words.read(value)


class HoursSchema(StrictSchema):
    """When of the week a flight runs, in the campaign's zone."""

    days = ListOf(Choice(WEEKDAYS), "days", least=1)
    from_ = TimeOfDay(latest="23:59", data_key="from")
    to = TimeOfDay(latest=DAY_ENDS)

    @validates_schema(skip_on_field_errors=True)
    def check_window(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse hours that say nothing, or nothing clear."""
        del kwargs
        if not data:
            raise ValidationError("must name days, from or to; leave `hours` out for all of the week")
        if data.get("from_", DAY_STARTS) == data.get("to", DAY_ENDS):
            raise ValidationError("must not be where it begins; leave both out for the whole day", "to")


class TargetingSchema(StrictSchema):
    """Where a flight runs."""

    places = ListOf(PlaceReference(), "places")
    exclude_places = ListOf(PlaceReference(), "places")
    topics = ListOf(TopicWord(), "topics")
    exclude_topics = ListOf(TopicWord(), "topics")
    hours = nested(HoursSchema, allow_none=True)
