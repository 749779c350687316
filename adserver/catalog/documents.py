"""The files of one revision as plain validated data: what is stored, compared, returned by the API, and built from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from adserver.catalog.positions import Positions

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, "JsonValue"]

SLOTS_FILE: Final = "slots.yaml"
RULES_FILE: Final = "rules.yaml"


@dataclass(frozen=True, slots=True)
class Documents:
    """Campaign files, slots and rules, each checked by its schema. Immutable by agreement: nobody changes the data.

    The data is what JSON can hold, in the key order of the file: texts trimmed, links canonical, days as ISO text,
    prices as decimal text. What only the whole can tell (ids, references, dates against each other), `build_catalog`
    checks.
    """

    campaign_files: Mapping[str, JsonObject] = field(default_factory=dict)
    """By name, such as `qwiket.yaml`: any text that is unique here and worth naming in a fault.

    Each is `{"advertiser": {…}, "campaigns": [{…}, …]}`; an advertiser may stand in several with the same words.
    """
    slots: JsonObject | None = None
    """`{"sites": […], "slots": […]}`; None: nothing can be published."""
    rules: JsonObject | None = None
    """`{"rules": […]}`; None: nothing is regulated."""
    positions: Mapping[str, Positions] = field(default_factory=dict, compare=False, repr=False)
    """By file name (`slots.yaml` for the slots): where the fields stand; of files just read only, never stored."""

    def campaigns(self) -> Iterator[tuple[str, int, JsonObject]]:
        """Yield every campaign with its file's name and its index there."""
        for name, content in self.campaign_files.items():
            for index, campaign in enumerate(objects(content, "campaigns")):
                yield name, index, campaign


def objects(parent: JsonObject, name: str) -> list[JsonObject]:
    """Return the list of mappings under `name`, empty where it is left out."""
    value = parent.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(parent: JsonObject, name: str) -> JsonObject:
    """Return the mapping under `name`, empty where it is left out."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def texts(parent: JsonObject, name: str) -> list[str]:
    """Return the list of texts under `name`, empty where it is left out."""
    value = parent.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
