"""A publisher over a store in memory, a clock that is set, and campaign files made of a few words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adserver.catalog.documents import Documents
from adserver.catalog.merging import Extent
from adserver.catalog.mirror import CatalogMirror
from adserver.catalog.publish import Published, Publisher
from adserver.catalog.revisions import Entry, Head, Revision
from adserver.catalog.served import ServedRevisions
from adserver.catalog.store import HISTORY_LIMIT, MemoryRevisionStore
from adserver.catalog.upload import Format, read_campaigns, read_slots
from adserver.domain.errors import StoreUnavailable
from adserver.domain.places import Place
from adserver.places.errors import PlaceNotFound

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class NoPlaces:
    """A gazetteer that knows no place."""

    def find(self, text: str) -> Place:
        raise PlaceNotFound(text)


class FlakyStore:
    """A store in memory that can be taken away. For one thread."""

    def __init__(self) -> None:
        self.inner = MemoryRevisionStore()
        self.away = False
        self.reads = 0

    def wipe(self) -> None:
        self.inner = MemoryRevisionStore()

    def head(self) -> Head:
        return self._reached().head()

    def get(self, number: int) -> Revision | None:
        self.reads += 1
        return self._reached().get(number)

    def history(self, limit: int = HISTORY_LIMIT) -> tuple[Entry, ...]:
        return self._reached().history(limit)

    def name_fields(self) -> dict[str, str]:
        return self._reached().name_fields()

    def commit(self, base: Head, revision: Revision | None, names: Mapping[str, str]) -> None:
        self._reached().commit(base, revision, names)

    def _reached(self) -> MemoryRevisionStore:
        if self.away:
            raise StoreUnavailable("the store was taken away")
        return self.inner


def creative(id_: str = "elevate", **fields: object) -> dict[str, object]:
    return {"id": id_, "click_url": "https://sponsor.example/", "variants": {"name": "QWIKET"}, **fields}


def flight(id_: str = "minnesota", **fields: object) -> dict[str, object]:
    return {"id": id_, **fields}


def campaign(id_: str = "season", **fields: object) -> dict[str, object]:
    """Return a campaign; its creative and flight are called after it unless given."""
    return {
        "id": id_,
        "name": "A campaign",
        "starts": "2025-06-01",
        "timezone": "America/Chicago",
        "creatives": [creative(f"{id_}-creative")],
        "flights": [flight(f"{id_}-flight")],
        **fields,
    }


def campaign_file(
    *campaigns: dict[str, object], advertiser: str = "qwiket", name: str = "QWIKET", **fields: object
) -> dict[str, object]:
    return {"advertiser": {"id": advertiser, "name": name, **fields}, "campaigns": list(campaigns)}


def slots_file(
    *slots: str, timezone: str = "America/Chicago", site: str = "one", name: str = "One"
) -> dict[str, object]:
    return {
        "sites": [{"id": site, "name": name, "home": "https://one.example/", "timezone": timezone}],
        "slots": [{"id": slot, "site": site, "max_chars": 140} for slot in slots or ("masthead",)],
    }


def campaigns(*files: dict[str, object]) -> Documents:
    """Return files as one upload of the API."""
    document = files[0] if len(files) == 1 else {"files": list(files)}
    return read_campaigns(json.dumps(document).encode(), Format.JSON)


def slots(document: dict[str, object]) -> Documents:
    return read_slots(json.dumps(document).encode(), Format.JSON)


def folder(files: Mapping[str, dict[str, object]], slots_document: dict[str, object] | None = None) -> Documents:
    """Return files as a folder is read."""
    read = {name: campaigns(content) for name, content in files.items()}
    return Documents(
        {name: one.campaign_files["upload"] for name, one in read.items()},
        slots(slots_document or slots_file()).slots,
        positions={name: one.positions["upload"] for name, one in read.items()},
    )


@dataclass
class Bench:
    """What publishing needs. For one thread."""

    store: FlakyStore = field(default_factory=FlakyStore)
    now: datetime = NOON
    data_dir: Path | None = None

    def __post_init__(self) -> None:
        served = ServedRevisions(self.data_dir) if self.data_dir else None
        self.publisher = Publisher(self.store, NoPlaces(), lambda: self.now, served)

    def pass_time(self, **parts: float) -> None:
        self.now += timedelta(**parts)

    def mirror(self, data_dir: Path) -> CatalogMirror:
        return CatalogMirror(self.store, NoPlaces(), data_dir, lambda of_folder: of_folder or 1)

    def publish(self, upload: Documents, extent: Extent = Extent.NAMED, base: int | None = None) -> Published:
        return self.publisher.publish(upload, extent=extent, author="kim", base=base)

    def publish_slots(self) -> Published:
        return self.publish(slots(slots_file()))

    def publish_files(self, *files: dict[str, object], base: int | None = None) -> Published:
        return self.publish(campaigns(*files), base=base)

    def push(self, *files: dict[str, object]) -> Published:
        """Publish a folder of these files."""
        named = {f"{number}.yaml": file for number, file in enumerate(files)}
        return self.publish(folder(named), Extent.FOLDER)

    def live_campaigns(self) -> list[str]:
        return sorted(str(one["id"]) for _, _, one in self.publisher.live().documents.campaigns())

    def live_files(self) -> dict[str, Sequence[str]]:
        files: dict[str, list[str]] = {}
        for name, _, one in self.publisher.live().documents.campaigns():
            files.setdefault(name, []).append(str(one["id"]))
        return dict(files)
