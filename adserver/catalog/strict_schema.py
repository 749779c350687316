"""What all schemas of campaign files have in common: unknown fields are refused, and the order of the file is kept."""

from collections.abc import Mapping

from marshmallow import RAISE, Schema, fields, post_load

from adserver.catalog.documents import JsonObject


class StrictSchema(Schema):
    """Refuses unknown fields by name and keeps the key order of the file. Immutable after construction."""

    class Meta:
        """Unknown fields are refused."""

        unknown = RAISE

    def __init__(self) -> None:
        super().__init__()
        self.error_messages["unknown"] = f"unknown field; there are {', '.join(self.written)}"
        self.error_messages["type"] = f"must be a mapping with the fields {', '.join(self.written)}"

    @property
    def written(self) -> dict[str, fields.Field[object]]:
        """The fields by the names that files give them; one may be a word that Python keeps for itself."""
        return {field.data_key or name: field for name, field in self.fields.items()}

    @post_load(pass_original=True)
    def keep_order(self, data: JsonObject, original: Mapping[str, object], **kwargs: object) -> JsonObject:
        """Return what was read in the order in which it was written."""
        del kwargs
        names = {field.data_key or name: name for name, field in self.fields.items()}
        return {key: data[names[key]] for key in original if names.get(key) in data}


def nested(schema: type[StrictSchema], *, required: bool = False, allow_none: bool = False) -> fields.Nested:
    """Return the field of a mapping with its own schema."""
    made = schema()
    field = fields.Nested(made, required=required, allow_none=allow_none)
    names = ", ".join(made.written)
    field.error_messages["required"] = f"is missing; it must be a mapping with the fields {names}"
    field.error_messages["null"] = f"must be a mapping with the fields {names}, not null"
    return field
