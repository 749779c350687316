"""Finds what is to be previewed: a live campaign, or a file over the slots that stand beside it or are live."""

from pathlib import Path
from typing import Final

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import SLOTS_FILE, Documents, objects
from adserver.catalog.folder import read_folder
from adserver.catalog.merging import id_text
from adserver.catalog.upload import Format, read_campaigns
from adserver.config import Settings
from adserver.domain.catalog import Campaign, Catalog
from adserver.domain.errors import NotLive
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.publishing import open_publisher

_DRAFT: Final = "draft"


def live_campaign(settings: Settings, campaign: str) -> tuple[Catalog, tuple[Campaign, ...]]:
    """Return what is live, and one campaign of it.

    Raises:
        NotLive: there is none of this id.
        StoreUnavailable, RevisionUnreadable: what is live cannot be read.
    """
    publisher = open_publisher(settings)
    catalog = publisher.catalog(publisher.live())
    found = tuple(one for one in catalog.campaigns if one.id == campaign)
    if not found:
        raise NotLive(f"no campaign {campaign!r} is live, and there is no such file")
    return catalog, found


def campaigns_of_file(settings: Settings, file: Path) -> tuple[Catalog, tuple[Campaign, ...]]:
    """Return the campaigns of a file, with the slots and rules of its folder, or, where that has none, the live ones.

    Raises:
        InputRefused, UnreadableInput, InputTooLarge: the file, or what stands beside it, has faults.
        StoreUnavailable, RevisionUnreadable: what is live is needed, and cannot be read.
    """
    draft = read_campaigns(file.read_bytes(), Format.JSON if file.suffix == ".json" else Format.YAML)
    if (file.parent / SLOTS_FILE).exists():
        around = read_folder(file.parent)
    else:
        around = open_publisher(settings).live().documents
    contents = [one for content in draft.campaign_files.values() for one in _apart(content)]
    catalog = build_catalog(Documents(dict(contents), around.slots, around.rules), Gazetteer.load())
    return catalog, catalog.campaigns
