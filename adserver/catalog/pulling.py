"""What a campaigns folder has to be written as, so that pushing it changes nothing. Pure, but for `write_files`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adserver.catalog.checking import check_campaign_file, check_rules_file, check_slots_file
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject, mapping, objects
from adserver.catalog.files import replace_file
from adserver.catalog.merging import id_text
from adserver.catalog.sheet_documents import file_of
from adserver.catalog.upload import Format, read_document
from adserver.catalog.yaml_editing import SCHEMA_LINE, edited_yaml, fresh_json, fresh_yaml
from adserver.catalog.yaml_reading import MAX_YAML_BYTES
from adserver.domain.errors import AdserverError

KEPT_FOLDER: Final = ".before-pull"
"""Within the folder: what the last pull changed or took away, as it was. No command reads it."""
_CHECKS: Final = {"advertiser": check_campaign_file, "slots": check_slots_file, "rules": check_rules_file}
"""What checks a file, by a field that only it has."""
_WRITTEN: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Pull:
    """What is to be written and taken away; empty where the folder says already what is live. Immutable."""

    write: Mapping[str, str]
    """Text by the name of its file."""
    remove: tuple[str, ...]
    """Names of files."""

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


def plan_pull(live: Documents, folder: Documents, texts: Mapping[str, str]) -> Pull:
    """Return how a folder comes to say what is live.

    A campaign stays in the file that it is in; a new one joins its advertiser's. Files that say what is live already
    are left alone, others are edited: comments, order and quotes stay where they were. What a sheet says stays in it
    as long as all of it is live; else all of it goes to campaign files.

    Args:
        live: what is published.
        folder: what the folder says.
        texts: its files by name; one that is not among them is written anew.
    """
    wanted = _settle(live, folder)
    write = {
        name: _text(name, content, folder.campaign_files.get(name), texts.get(name))
        for name, content in wanted.items()
        if content != folder.campaign_files.get(name)
    }
    remove = {file_of(name) for name in folder.campaign_files if name not in wanted}
    for name in [name for name, text in write.items() if not name.endswith(".json") and _is_long(text)]:
        remove |= {name} & set(folder.campaign_files)
        del write[name]
        write[f"{Path(name).stem}.json"] = fresh_json(wanted[name])
    for file, content, before in ((SLOTS_FILE, live.slots, folder.slots), (RULES_FILE, live.rules, folder.rules)):
        name = next((name for name in texts if Path(name).stem == Path(file).stem), file)
        if content is not None and content != before:
            write[name] = _text(name, content, before, texts.get(name))
        elif content is None and before is not None and file == RULES_FILE:
            remove.add(name)
    return Pull(write, tuple(sorted(remove)))


def _is_long(text: str) -> bool:
    return len(text.encode()) > MAX_YAML_BYTES


def write_files(folder: Path, pull: Pull) -> None:
    """Write and take away what a pull says; what was there is kept in `KEPT_FOLDER`.

    Raises:
        PullFailed: a file cannot be written; those before it were.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*pull.write, *pull.remove):
            _keep(folder, name)
        for name, text in pull.write.items():
            replace_file(folder / name, text.encode())
        for name in pull.remove:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise PullFailed(f"{error.filename or folder} cannot be written: {error.strerror}") from error


class PullFailed(AdserverError):
    """The campaigns folder cannot be written."""


def _keep(folder: Path, name: str) -> None:
    if (folder / name).exists():
        (folder / KEPT_FOLDER).mkdir(exist_ok=True)
        (folder / KEPT_FOLDER / name).write_bytes((folder / name).read_bytes())


def _settle(live: Documents, folder: Documents) -> dict[str, JsonObject]:
    """Return the live campaign files by the names that they have, or get, in the folder."""
    homes = _Homes(live, folder)
    files: dict[str, JsonObject] = {}
    for live_name, content in live.campaign_files.items():
        advertiser = mapping(content, "advertiser")
        campaigns = objects(content, "campaigns")
        for name in [homes.of_campaign(advertiser, one, live_name) for one in campaigns] or [
            homes.of_advertiser(advertiser, live_name)
        ]:
            file: JsonObject = {"advertiser": advertiser}
            files.setdefault(name, file if "campaigns" not in content else {**file, "campaigns": []})
        for campaign in campaigns:
            _append(files[homes.of_campaign(advertiser, campaign, live_name)], campaign)
    return {name: _in_order(content, folder.campaign_files.get(name)) for name, content in files.items()}


def _append(file: JsonObject, campaign: JsonObject) -> None:
    listed = file.setdefault("campaigns", [])
    if isinstance(listed, list):
        listed.append(campaign)


def _in_order(content: JsonObject, before: JsonObject | None) -> JsonObject:
    """Return a file with its campaigns as they stood before, new ones at the end."""
    if before is None or "campaigns" not in content:
        return content
    order = {id_text(one): index for index, one in enumerate(objects(before, "campaigns"))}
    campaigns = sorted(objects(content, "campaigns"), key=lambda one: order.get(id_text(one), len(order)))
    return {**content, "campaigns": [*campaigns]}


class _Homes:
    """Where campaigns live in a folder, and where new ones go. For one thread."""

    def __init__(self, live: Documents, folder: Documents) -> None:
        self._campaigns: dict[tuple[str, str], str] = {}
        self._advertisers: dict[str, str] = {}
        self._taken = set(folder.campaign_files)
        kept = _kept_sheets(live, folder)
        for name, content in folder.campaign_files.items():
            advertiser = id_text(mapping(content, "advertiser"))
            if name.endswith(_WRITTEN):
                self._advertisers.setdefault(advertiser, name)
            if name.endswith(_WRITTEN) or file_of(name) in kept:
                self._campaigns.update(
                    {(advertiser, id_text(one)): name for one in objects(content, "campaigns")},
                )

    def of_campaign(self, advertiser: JsonObject, campaign: JsonObject, live_name: str) -> str:
        """Return the file of a campaign."""
        key = (id_text(advertiser), id_text(campaign))
        return self._campaigns.get(key) or self.of_advertiser(advertiser, live_name)

    def of_advertiser(self, advertiser: JsonObject, live_name: str) -> str:
        """Return the file of an advertiser's new campaigns."""
        owner = id_text(advertiser)
        if owner not in self._advertisers:
            self._advertisers[owner] = next(name for name in _names(owner, live_name) if name not in self._taken)
            self._taken.add(self._advertisers[owner])
        return self._advertisers[owner]


def _kept_sheets(live: Documents, folder: Documents) -> set[str]:
    """Return the sheets of a folder all of which is live, by their files."""
    told = [
        (file_of(name), mapping(content, "advertiser"), campaign)
        for name, content in folder.campaign_files.items()
        if not name.endswith(_WRITTEN)
        for campaign in objects(content, "campaigns")
    ]
    by_id = {
        id_text(campaign): (mapping(live.campaign_files[name], "advertiser"), campaign)
        for name, _, campaign in live.campaigns()
    }
    changed = {file for file, advertiser, campaign in told if by_id.get(id_text(campaign)) != (advertiser, campaign)}
    return {file for file, _, _ in told} - changed


def _names(advertiser: str, live_name: str) -> Iterator[str]:
    """Yield names for a new file: as it was called where it was published, else as its advertiser."""
    path = Path(live_name)
    if path.name == live_name and path.suffix in _WRITTEN and not live_name.startswith("."):
        yield live_name
    yield f"{advertiser}.yaml"
    count = 2
    while True:
        yield f"{advertiser}-{count}.yaml"
        count += 1


def _text(name: str, content: JsonObject, before: JsonObject | None, text: str | None) -> str:
    if name.endswith(".json"):
        return fresh_json(content)
    if before is not None and text is not None:
        edited = edited_yaml(text, before, content, read_document(text.encode(), Format.YAML, name).positions)
        if edited is not None and _says(edited, content, name):
            return edited
    return SCHEMA_LINE + fresh_yaml(content) if "advertiser" in content else fresh_yaml(content)


def _says(text: str, content: JsonObject, name: str) -> bool:
    """Tell whether a text reads as what it should say, in whichever order."""
    check = next(check for field, check in _CHECKS.items() if field in content)
    try:
        return bool(check(read_document(text.encode(), Format.YAML, name), name) == content)
    except AdserverError:
        return False
