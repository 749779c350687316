"""Lays an upload over what is live. Pure: documents in, documents out."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum

from adserver.catalog.documents import Documents, JsonObject, JsonValue, mapping, objects
from adserver.catalog.faults import make_fault
from adserver.domain.errors import Fault, IdTaken


class Extent(StrEnum):
    """How much of what is live an upload speaks for."""

    NAMED = "named"
    """Campaigns named in it are added or replaced, others stay; so slots and rules where it has none."""
    CAMPAIGNS = "campaigns"
    """It has all campaigns: those that it lacks are removed. Slots and rules as above."""
    FOLDER = "folder"
    """It has everything: what it lacks is removed."""


Within = AbstractSet[str] | None
"""Ids of the advertisers that a sender may speak for: what is others' stays under every extent. None: all."""


def trial_documents(live: Documents, upload: Documents, extent: Extent, within: Within = None) -> Documents:
    """Return all that would be live, with the upload's files as they came, so that faults name their fields in it."""
    if extent is Extent.FOLDER:
        return upload
    files: dict[str, JsonObject] = {}
    for name, content in _remainder(live, upload, extent, within).items():
        files[name if name not in upload.campaign_files else f"{name} (live)"] = content
    files.update(upload.campaign_files)
    return Documents(files, upload.slots or live.slots, upload.rules or live.rules, upload.positions)


def settled_documents(live: Documents, upload: Documents, extent: Extent, within: Within = None) -> Documents:
    """Return the same, as it is kept: a campaign stays in its file, a new one joins its advertiser's."""
    if extent is Extent.FOLDER:
        return upload
    named = _owners(upload)
    kept = live.campaign_files if extent is Extent.NAMED else _only(live, named, within)
    files = {name: _with_words(content, _words(upload)) for name, content in kept.items()}
    for content in upload.campaign_files.values():
        _place(files, content)
    return Documents(files, upload.slots or live.slots, upload.rules or live.rules)


def refuse_taken(live: Documents, upload: Documents, extent: Extent, within: Within = None) -> None:
    """Refuse an upload whose ids belong to campaigns that stay, or whose campaigns are another advertiser's.

    Raises:
        IdTaken: with every such id.
    """
    if extent is not Extent.NAMED and within is None:
        return
    owners = _owners(live)
    held = {
        (kind, id_text(one)): id_text(campaign)
        for content in _remainder(live, upload, extent, within).values()
        for campaign in objects(content, "campaigns")
        for kind in ("creatives", "flights")
        for one in objects(campaign, kind)
    }
    faults = tuple(fault for name in upload.campaign_files for fault in _taken(upload, name, owners, held))
    if faults:
        raise IdTaken(faults)


def id_text(thing: JsonObject) -> str:
    """Return a thing's id; the schema has seen to it that it has one."""
    return str(thing["id"])


def _taken(
    upload: Documents, name: str, owners: Mapping[str, str], held: Mapping[tuple[str, str], str]
) -> Iterator[Fault]:
    content, positions = upload.campaign_files[name], upload.positions.get(name)
    advertiser = id_text(mapping(content, "advertiser"))
    for index, campaign in enumerate(objects(content, "campaigns")):
        owner = owners.get(id_text(campaign), advertiser)
        if owner != advertiser:
            message = f"campaign {id_text(campaign)!r} is advertiser {owner!r}'s; choose another id, or remove that one"
            yield make_fault(("campaigns", index, "id"), message, name, positions)
        for kind in ("creatives", "flights"):
            for place, one in enumerate(objects(campaign, kind)):
                holder = held.get((kind, id_text(one)))
                if holder is not None:
                    message = f"{id_text(one)!r} is a {kind[:-1]} of campaign {holder!r} already; choose another id"
                    yield make_fault(("campaigns", index, kind, place, "id"), message, name, positions)


def _remainder(live: Documents, upload: Documents, extent: Extent, within: Within) -> dict[str, JsonObject]:
    """Return what stays of the live campaign files, with the upload's words for the advertisers that it has."""
    if extent is not Extent.NAMED:
        return {name: content for name, content in live.campaign_files.items() if _is_others(content, within)}
    named, words = _owners(upload), _words(upload)
    files: dict[str, JsonObject] = {}
    for name, content in live.campaign_files.items():
        campaigns = objects(content, "campaigns")
        staying = [campaign for campaign in campaigns if id_text(campaign) not in named]
        if staying or not campaigns:
            files[name] = _with_words(_with_campaigns(content, staying), words)
    return files


def _is_others(content: JsonObject, within: Within) -> bool:
    return within is not None and id_text(mapping(content, "advertiser")) not in within


def _only(live: Documents, named: Mapping[str, str], within: Within) -> dict[str, JsonObject]:
    """Return the live files with only those campaigns that the upload also has, under the same advertiser."""
    files: dict[str, JsonObject] = {}
    for name, content in live.campaign_files.items():
        if _is_others(content, within):
            files[name] = content
            continue
        advertiser = id_text(mapping(content, "advertiser"))
        staying = [one for one in objects(content, "campaigns") if named.get(id_text(one)) == advertiser]
        if staying:
            files[name] = _with_campaigns(content, staying)
    return files


def _place(files: dict[str, JsonObject], content: JsonObject) -> None:
    """Put a file's campaigns where campaigns of that id are, else at the end of their advertiser's first file."""
    advertiser = id_text(mapping(content, "advertiser"))
    homes = [name for name, file in files.items() if id_text(mapping(file, "advertiser")) == advertiser]
    campaigns = objects(content, "campaigns")
    if not homes:
        files[_free_name(files, advertiser)] = content
        return
    for name in homes:
        own = {id_text(one): one for one in campaigns}
        old = objects(files[name], "campaigns")
        files[name] = _with_campaigns(files[name], [own.get(id_text(one), one) for one in old])
        placed = {id_text(one) for one in old}
        campaigns = [one for one in campaigns if id_text(one) not in placed]
    files[homes[0]] = _with_campaigns(files[homes[0]], [*objects(files[homes[0]], "campaigns"), *campaigns])


def _free_name(files: Mapping[str, JsonObject], advertiser: str) -> str:
    name, count = f"{advertiser}.yaml", 1
    while name in files:
        count += 1
        name = f"{advertiser}-{count}.yaml"
    return name


def _owners(documents: Documents) -> dict[str, str]:
    """Return the advertiser of every campaign, by id."""
    return {
        id_text(campaign): id_text(mapping(documents.campaign_files[name], "advertiser"))
        for name, _, campaign in documents.campaigns()
    }


def _words(documents: Documents) -> dict[str, JsonObject]:
    """Return what documents say of each advertiser, by id."""
    advertisers = (mapping(content, "advertiser") for content in documents.campaign_files.values())
    return {id_text(advertiser): advertiser for advertiser in advertisers}


def _with_words(content: JsonObject, words: Mapping[str, JsonObject]) -> JsonObject:
    advertiser = mapping(content, "advertiser")
    return {**content, "advertiser": words.get(id_text(advertiser), advertiser)}


def _with_campaigns(content: JsonObject, campaigns: list[JsonObject]) -> JsonObject:
    items: list[JsonValue] = list(campaigns)
    return {**content, "campaigns": items}
