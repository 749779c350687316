"""What was read -> what may be stored: runs a schema over a document and places its faults."""

from collections.abc import Iterator
from functools import cache

from marshmallow import ValidationError

from adserver.catalog.documents import JsonObject
from adserver.catalog.faults import make_fault, refusal
from adserver.catalog.positions import FieldPath, Point, Positions
from adserver.catalog.reading import Parsed, RawValue
from adserver.catalog.rules_schema import RulesFileSchema
from adserver.catalog.schema import CampaignFileSchema, SlotsFileSchema
from adserver.catalog.strict_schema import StrictSchema
from adserver.domain.errors import Fault


def check_campaign_file(parsed: Parsed, file: str | None = None) -> JsonObject:
    """Return a campaign file as it is stored.

    Raises:
        InputRefused: with every fault of the file taken alone.
    """
    return _check(CampaignFileSchema(), parsed, file)


def check_slots_file(parsed: Parsed, file: str | None = None) -> JsonObject:
    """Return slots.yaml as it is stored.

    Raises:
        InputRefused: with every fault of the file taken alone.
    """
    return _check(SlotsFileSchema(), parsed, file)


def check_rules_file(parsed: Parsed, file: str | None = None) -> JsonObject:
    """Return rules.yaml as it is stored.

    Raises:
        InputRefused: with every fault of the file taken alone.
    """
    return _check(RulesFileSchema(), parsed, file)


def part_of(parsed: Parsed, path: FieldPath, content: RawValue) -> Parsed:
    """Return one value of a document as a document of its own, its fields still placed in the whole."""
    depth = len(path)
    whole = parsed.positions

    @cache
    def index() -> dict[FieldPath, Point]:
        return {place[depth:]: point for place, point in whole.index().items() if place[:depth] == path}

    return Parsed(content, Positions(index))


def _check(schema: StrictSchema, parsed: Parsed, file: str | None) -> JsonObject:
    faults = list(parsed.faults)
    checked: JsonObject = {}
    try:
        checked = schema.load(parsed.content)  # type: ignore[arg-type]  # the schema refuses what is no mapping
    except ValidationError as error:
        faults.extend(_placed(error.messages, (), file, parsed.positions))
    if faults:
        raise refusal(faults)
    return checked


def _placed(messages: object, path: FieldPath, file: str | None, positions: Positions) -> Iterator[Fault]:
    """Yield the faults of marshmallow's nested messages: mappings by field or index down to lists of sentences."""
    if isinstance(messages, dict):
        for step, inner in messages.items():
            deeper = path if step == "_schema" else (*path, step)
            yield from _placed(inner, deeper, file, positions)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _placed(inner, path, file, positions)
    else:
        yield make_fault(path, str(messages), file, positions)
