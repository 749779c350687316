"""Small changes to what is live: a campaign paused, resumed or removed, an earlier revision restored. Pure."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from adserver.catalog.documents import Documents, JsonObject, JsonValue, mapping, objects
from adserver.catalog.merging import Within, id_text
from adserver.domain.errors import NotLive

_STATUS: Final = "status"
_PAUSED: Final = "paused"


class Action(StrEnum):
    """What is done."""

    PAUSE = "pause"
    RESUME = "resume"
    REMOVE = "remove"
    RESTORE = "restore"


class Edit(msgspec.Struct, frozen=True):
    """A change, as it is handed to whoever makes it. Immutable."""

    action: Action
    campaign: str = ""
    """Of all but `restore`."""
    revision: int = 0
    """Of `restore`."""

    def __str__(self) -> str:
        if self.action is Action.RESTORE:
            return f"Restore revision {self.revision}"
        return f"{self.action.capitalize()} {self.campaign}"


def edit_documents(
    edit: Edit, live: Documents, within: Within, documents_of: Callable[[int], Documents | None]
) -> Documents:
    """Return what would be live after a change.

    Args:
        edit: the change.
        live: what is live.
        within: the advertisers whose campaigns exist for who changes it; None: all.
        documents_of: returns those of an earlier revision, or None.

    Raises:
        NotLive: there is no such campaign, or no such revision.
    """
    if edit.action is Action.RESTORE:
        earlier = documents_of(edit.revision)
        if earlier is None:
            raise NotLive(f"there is no revision {edit.revision}")
        return earlier
    files = dict(live.campaign_files)
    name = _file_of(edit.campaign, live, within)
    changed = [
        _changed(one, edit.action) if id_text(one) == edit.campaign else one
        for one in objects(files[name], "campaigns")
    ]
    campaigns: list[JsonValue] = [one for one in changed if one is not None]
    if campaigns:
        files[name] = {**files[name], "campaigns": campaigns}
    else:
        del files[name]
    return Documents(files, live.slots, live.rules)


def _file_of(campaign: str, live: Documents, within: Within) -> str:
    for name, _, one in live.campaigns():
        advertiser = id_text(mapping(live.campaign_files[name], "advertiser"))
        if id_text(one) == campaign and (within is None or advertiser in within):
            return name
    raise NotLive("no such campaign is live")


def _changed(campaign: JsonObject, action: Action) -> JsonObject | None:
    if action is Action.REMOVE:
        return None
    if action is Action.PAUSE:
        return {**campaign, _STATUS: _PAUSED}
    return {key: value for key, value in campaign.items() if key != _STATUS}  # active is what is meant without it
