"""Every call under `/v1`, and those of delivery beside it, as the OpenAPI document tells them: one line a call."""

from dataclasses import dataclass
from typing import Final

from adserver.access.tokens import Role

_ALL: Final = tuple(Role)
_EDITORS: Final = (Role.ADMIN, Role.MARKETER)
_ADMINS: Final = (Role.ADMIN,)
_CHANGE: Final = ("dry_run", "message", "If-Match")
_SLOT: Final = ("location", "topic", "variant", "max_chars", "exclude")

JSON: Final = "application/json"
YAML: Final = "application/yaml"
CSV_SHEET: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML: Final = "text/html; charset=utf-8"
CSV: Final = "text/csv; charset=utf-8; header=present"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. Immutable."""

    method: str
    path: str
    """As Flask routes it: `/v1/campaigns/<campaign>`."""
    summary: str
    group: str
    answers: str | None
    """Name of the schema of what it answers, as JSON; a media type where that has none; None: nothing."""
    roles: tuple[Role, ...] = ()
    """Who may; empty: anybody, without a token."""
    parameters: tuple[str, ...] = ()
    """By their names among those of the document, beside those of the path."""
    body: str | None = None
    """Name of the schema of what is sent."""
    body_types: tuple[str, ...] = (JSON,)
    status: int = 200
    problems: tuple[int, ...] = ()
    """What may be wrong with what is sent, beside what may be with any call."""


CALLS: Final = (
    Call("GET", "/v1/campaigns", "Every live campaign", "Campaigns", "LiveFiles", _ALL),
    Call(
        "POST", "/v1/campaigns", "Add or replace campaigns, whole or not at all", "Campaigns", "Published", _EDITORS,
        ("prune", *_CHANGE), "CampaignUpload", (JSON, YAML, CSV_SHEET, XLSX),
        problems=(400, 404, 409, 413, 415, 422),
    ),
    Call("GET", "/v1/campaigns/<campaign>", "One live campaign", "Campaigns", "LiveFile", _ALL, problems=(404,)),
    Call(
        "DELETE", "/v1/campaigns/<campaign>", "Remove a campaign", "Campaigns", "Published", _EDITORS, _CHANGE,
        problems=(404, 409, 422),
    ),
    Call(
        "POST", "/v1/campaigns/<campaign>/pause", "Pause a campaign", "Campaigns", "Published", _EDITORS, _CHANGE,
        problems=(404, 409, 422),
    ),
    Call(
        "POST", "/v1/campaigns/<campaign>/resume", "Resume a paused campaign", "Campaigns", "Published", _EDITORS,
        _CHANGE, problems=(404, 409, 422),
    ),
    Call("GET", "/v1/slots", "Sites and slots as they are live", "Slots", "SlotsFile", _ADMINS, problems=(404,)),
    Call(
        "PUT", "/v1/slots", "Replace sites and slots", "Slots", "Published", _ADMINS, _CHANGE, "SlotsFile",
        (JSON, YAML), problems=(409, 413, 415, 422),
    ),
    Call(
        "GET", "/v1/rules", "Rules of regulated categories as they are live", "Slots", "RulesFile", _ADMINS,
        problems=(404,),
    ),
    Call(
        "PUT", "/v1/rules", "Replace the rules", "Slots", "Published", _ADMINS, _CHANGE, "RulesFile", (JSON, YAML),
        problems=(409, 413, 415, 422),
    ),
    Call("GET", "/v1/revisions", "Who published what and when, newest first", "Revisions", "Revisions", _EDITORS),
    Call(
        "GET", "/v1/revisions/<number>", "One revision, and all that was live with it", "Revisions", "WholeRevision",
        _EDITORS, problems=(404,),
    ),
    Call(
        "GET", "/v1/revisions/<number>/diff", "What changed from a revision to another", "Revisions", "Diff", _EDITORS,
        ("to",), problems=(404,),
    ),
    Call(
        "POST", "/v1/revisions/<number>/restore", "Make what was live then live again", "Revisions", "Published",
        _EDITORS, _CHANGE, problems=(404, 409, 422),
    ),
    Call("GET", "/v1/audit-log", "Who did what, newest first", "Revisions", "AuditLog", _ADMINS, ("limit",)),
    Call(
        "POST", "/v1/explain", "Why a slot shows what it shows", "Decisions", "Explanation", _ALL, body="Question",
        problems=(400, 413, 415, 422),
    ),
    Call(
        "GET", "/v1/reasons", "Why a flight did not win on a day, from samples", "Decisions", "Reasons", _ALL,
        ("flight", "location", "slot", "day"), problems=(404, 422),
    ),
    Call(
        "POST", "/v1/forecast", "What the flights of a draft would get", "Decisions", "Forecast", _ALL, ("seed",),
        "CampaignFile", (JSON, YAML, CSV_SHEET, XLSX), problems=(400, 404, 409, 413, 415, 422),
    ),
    Call(
        "POST", "/v1/query", "Ask the counts; with Accept: text/csv as CSV", "Statistics", "QueryResult", _ALL,
        body="Query", problems=(413, 415, 422),
    ),
    Call(
        "POST", "/v1/query.csv", "Ask the counts, as CSV", "Statistics", CSV, _ALL, body="Query",
        problems=(413, 415, 422),
    ),
    Call("GET", "/v1/alerts", "What somebody should look at now", "Alerts", "Alerts", _ALL),
    Call("GET", "/v1/slots/<slot>", "A sponsor line as JSON; 204: none", "Delivery", "Decision", parameters=_SLOT),
    Call("GET", "/v1/slots/<slot>.html", "A sponsor line as an HTML fragment", "Delivery", HTML, parameters=_SLOT),
    Call("GET", "/v1/frames/<slot>", "A sponsor line as a page for an iframe", "Delivery", HTML, parameters=_SLOT),
    Call("POST", "/v1/decisions", "The lines of a page", "Delivery", "Decisions", body="PageView", problems=(413,)),
    Call("POST", "/v1/seen", "Tell that lines were seen", "Delivery", None, body="Events", status=204, problems=(413,)),
    Call(
        "GET", "/v1/seen/<token>.gif", "Tell that a line was seen, by an image", "Delivery", "image/gif",
        parameters=("seen_variant",),
    ),
    Call("GET", "/v1/openapi.json", "This document", "The service", JSON),
)  # fmt: skip
"""In the order of the document."""
