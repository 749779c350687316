"""Finds what is to be previewed: a live campaign, or a file over the slots that stand beside it or are live."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents
from adserver.catalog.upload import UPLOAD_NAME, Format, read_campaigns, read_rules, read_slots
from adserver.config import Settings
from adserver.domain.catalog import Campaign, Catalog
from adserver.domain.errors import InputRefused, NotLive
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.publishing import open_publisher


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
    with _naming(file):
        draft = read_campaigns(file.read_bytes(), _form_of(file))
    slots_file, rules_file = (file.parent / name for name in (SLOTS_FILE, RULES_FILE))
    if slots_file.exists():
        with _naming(slots_file):
            slots = read_slots(slots_file.read_bytes(), Format.YAML).slots
        with _naming(rules_file):
            rules = read_rules(rules_file.read_bytes(), Format.YAML).rules if rules_file.exists() else None
    else:
        live = open_publisher(settings).live().documents
        slots, rules = live.slots, live.rules
    with _naming(file):
        documents = Documents(draft.campaign_files, slots, rules, draft.positions)
        catalog = build_catalog(documents, Gazetteer.load())
    return catalog, catalog.campaigns


def _form_of(file: Path) -> Format:
    endings = {f".{form}": form for form in Format}
    return endings.get(file.suffix.lower(), Format.YAML)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Have faults say which file they are of.

    Raises:
        InputRefused: the same, so placed.
    """
    try:
        yield
    except InputRefused as refused:
        unnamed = (None, UPLOAD_NAME, SLOTS_FILE, RULES_FILE)
        faults = (replace(one, file=str(file)) if one.file in unnamed else one for one in refused.faults)
        raise InputRefused(tuple(faults)) from refused
