"""What publishing would change: a comparison of two sets of documents, thing by thing, by their ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject, JsonValue, objects
from adserver.catalog.rows import CampaignFileRow, Row, RulesFileRow, SlotsFileRow, read_row


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None stands for "left out". Immutable."""

    path: str
    """By ids: `campaigns.qwiket-season.flights.minnesota.weight`."""
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be added, changed and removed; empty when nothing differs. Immutable."""

    add: tuple[str, ...] = ()
    """Paths by ids of whole things: `campaigns.qwiket-season`, `campaigns.qwiket-season.flights.minnesota`."""
    change: tuple[Change, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)

    def __len__(self) -> int:
        return len(self.add) + len(self.change) + len(self.remove)

    def to_json(self) -> JsonObject:
        """Return the plan as the API shows it."""
        return {
            "add": list(self.add),
            "change": [{"path": one.path, "from": one.before, "to": one.after} for one in self.change],
            "remove": list(self.remove),
        }


def make_plan(old: Documents | None, new: Documents) -> Plan:
    """Return what would change if `new` followed `old` (None: nothing was published yet).

    What a file leaves out counts as its default, and the order of things and of lists does not count.

    Raises:
        InputRefused: if documents were stored by a version with other fields.
    """
    before, after = _things(old or Documents()), _things(new)
    return Plan(
        add=tuple(_outermost(after, before)),
        change=tuple(_changes(before, after)),
        remove=tuple(_outermost(before, after)),
    )


_Fields = Mapping[str, JsonValue]
_CHILDREN: Final = ("creatives", "flights")


def _things(documents: Documents) -> dict[str, _Fields]:
    """Return every thing that has an id, and every rule, by its path, each with its own fields and their defaults."""
    things: dict[str, _Fields] = {}
    if documents.slots is not None:
        layout = _plain(read_row(documents.slots, SlotsFileRow, SLOTS_FILE))
        for kind in ("sites", "slots"):
            things.update({f"{kind}.{one['id']}": _flat(one) for one in objects(layout, kind)})
    if documents.rules is not None:
        rules = objects(_plain(read_row(documents.rules, RulesFileRow, RULES_FILE)), "rules")
        things.update({f"rules.{rule['category']}": _flat(rule) for rule in rules})
    for name, content in documents.campaign_files.items():
        file = _plain(read_row(content, CampaignFileRow, name))
        advertiser = cast("JsonObject", file["advertiser"])
        things[f"advertisers.{advertiser['id']}"] = _flat(advertiser)
        for campaign in objects(file, "campaigns"):
            things.update(_campaign_things(campaign, advertiser["id"]))
    return things


def _campaign_things(campaign: JsonObject, advertiser: JsonValue) -> Iterator[tuple[str, _Fields]]:
    path = f"campaigns.{campaign['id']}"
    own: JsonObject = {"advertiser": advertiser}
    own.update({name: value for name, value in campaign.items() if name not in _CHILDREN})
    yield path, _flat(own)
    for kind in _CHILDREN:
        for one in objects(campaign, kind):
            yield f"{path}.{kind}.{one['id']}", _flat(one)


def _plain(row: Row) -> JsonObject:
    return cast("JsonObject", msgspec.json.decode(msgspec.json.encode(row)))


def _flat(fields: JsonObject, path: str = "") -> _Fields:
    """Return fields by their path, without what is left out; lists, whose order means nothing, are sorted."""
    flat: dict[str, JsonValue] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{path}{name}."))
        elif isinstance(value, list):
            if value:
                flat[path + name] = sorted((_reference(item) for item in value), key=str)
        elif value is not None:
            flat[path + name] = value
    return flat


def _reference(item: JsonValue) -> JsonValue:
    """Return a creative of weight 1 as its id alone, which says the same."""
    return item["id"] if isinstance(item, dict) and item.get("weight") == 1 else item


def _outermost(these: Mapping[str, _Fields], others: Mapping[str, _Fields]) -> Iterator[str]:
    """Yield what others lack, but not the parts of a whole that they lack too."""
    for path in these:
        whole = ".".join(path.split(".")[:2])
        if path not in others and (path == whole or whole in others):
            yield path


def _changes(before: Mapping[str, _Fields], after: Mapping[str, _Fields]) -> Iterator[Change]:
    for path, fields in after.items():
        old = before.get(path)
        if old is None:
            continue
        for name in {**old, **fields}:
            if old.get(name) != fields.get(name):
                yield Change(f"{path}.{name}", old.get(name), fields.get(name))
