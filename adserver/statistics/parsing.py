"""A query as JSON gives it -> `Query`. One strict reader: what it does not know is refused, with its path."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, cast

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from adserver.domain.errors import Fault
from adserver.statistics.errors import QueryRefused
from adserver.statistics.query import MAX_ROWS, Pagination, Query
from adserver.statistics.readers import (
    read_date_range,
    read_dimensions,
    read_filters,
    read_metrics,
    read_orders,
    read_zone,
)

_MAX_OFFSET: Final = 10_000_000
_REQUIRED: Final = "it is required"

_Value = TypeVar("_Value")


def parse_query(document: object) -> Query:
    """Return the query that a decoded JSON document asks.

    Raises:
        QueryRefused: with every fault and its path, such as `filters[0][1]`.
    """
    if not isinstance(document, Mapping):
        raise QueryRefused((Fault("", "a query is an object with `metrics` and `date_range`"),))
    try:
        query = cast("Query", _QuerySchema().load(document))
    except ValidationError as error:
        raise QueryRefused(tuple(_faults("", error.messages))) from error
    faults = tuple(_order_faults(query))
    if faults:
        raise QueryRefused(faults)
    return query


class _Part(fields.Field[_Value], Generic[_Value]):
    """A part of the query, read by one of `readers`."""

    def __init__(self, read: Callable[[object], _Value], *, required: bool = False) -> None:
        super().__init__(required=required, error_messages={"required": _REQUIRED, "null": "it cannot be null"})
        self._read = read

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - marshmallow's signature
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> _Value:
        return self._read(value)


class _PaginationSchema(Schema):
    """Which rows are wanted."""

    class Meta:
        unknown = RAISE

    limit = fields.Integer(strict=True, validate=validate.Range(1, MAX_ROWS, error="a number from {min} to {max}"))
    offset = fields.Integer(strict=True, validate=validate.Range(0, _MAX_OFFSET, error="a number from {min} to {max}"))

    @post_load
    def _make(self, data: dict[str, int], **_kwargs: object) -> Pagination:
        return Pagination(**data)


class _QuerySchema(Schema):
    """The whole body."""

    class Meta:
        unknown = RAISE

    metrics = _Part(read_metrics, required=True)
    dimensions = _Part(read_dimensions)
    date_range = _Part(read_date_range, required=True)
    filters = _Part(read_filters)
    order_by = _Part(read_orders)
    pagination = fields.Nested(_PaginationSchema)
    timezone = _Part(read_zone)

    @post_load
    def _make(self, data: dict[str, Any], **_kwargs: object) -> Query:
        return Query(**data)


def _order_faults(query: Query) -> Iterator[Fault]:
    for place, order in enumerate(query.order_by):
        if order.by not in query.metrics and order.by not in query.dimensions:
            message = f"`{order.by}` is not among the metrics and dimensions asked for"
            yield Fault(f"order_by[{place}][0]", message)


def _faults(path: str, messages: object) -> Iterator[Fault]:
    """Yield what marshmallow's nested messages say, with paths such as `filters[0][1]`."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            step = f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
            yield from _faults(f"{path}{step}".removesuffix("._schema"), inner)
    elif isinstance(messages, list):
        for message in messages:
            yield from _faults(path, message)
    else:
        yield Fault(path, str(messages))
