"""The shapes of the API's bodies, parameters and problems, as OpenAPI 3.1 (JSON Schema) has them."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from adserver.alerts.alert import AlertKind, Severity
from adserver.catalog.json_schema import campaign_file_json_schema, rules_file_json_schema, slots_file_json_schema
from adserver.catalog.state import CampaignState
from adserver.catalog.texts import MESSAGE_CHARS
from adserver.domain.catalog import Tier
from adserver.domain.ids import SLUG_PATTERN
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Variant
from adserver.statistics.dimensions import Dimension
from adserver.statistics.filters import Operator
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import MAX_ROWS, Period
from adserver.web.audit_log import MOST_ENTRIES

Shape: TypeAlias = dict[str, object]

_TEXT: Final[Shape] = {"type": "string"}
_NUMBER: Final[Shape] = {"type": "integer", "minimum": 0}
_MOMENT: Final[Shape] = {"type": "string", "format": "date-time"}
_ANY: Final[Shape] = {}
_SLUG: Final[Shape] = {"type": "string", "pattern": f"^{SLUG_PATTERN}$"}
_DIMENSIONS: Final = [name.value for name in Dimension]
_VARIANTS: Final = [variant.value for variant in Variant]


def schemas() -> dict[str, Shape]:
    """Return every schema of the document, by its name."""
    campaign_file = _part(campaign_file_json_schema())
    live = {
        "state": {"enum": [state.value for state in CampaignState]},
        "delivery": _object({"impressions": _NUMBER, "goal": _or_null(_NUMBER), "expected": _or_null(_NUMBER)}),
        "revision": _NUMBER,
    }
    plan = {
        "add": {"type": "array", "items": _TEXT},
        "change": {"type": "array", "items": _object({"path": _TEXT, "from": _ANY, "to": _ANY})},
        "remove": {"type": "array", "items": _TEXT},
    }
    effect = _object({"path": _TEXT, "effect": _TEXT})
    entry = {"number": _NUMBER, "author": _TEXT, "at": _MOMENT, "message": _TEXT, "plan": _ref("Plan")}
    return {
        "CampaignFile": campaign_file,
        "SlotsFile": _part(slots_file_json_schema()),
        "RulesFile": _part(rules_file_json_schema()),
        "CampaignUpload": {
            "anyOf": [
                _ref("CampaignFile"),
                _object({"files": {"type": "array", "items": _ref("CampaignFile")}}, closed=True),
            ]
        },
        "LiveFile": _object({"advertiser": _ANY, "campaigns": {"type": "array", "items": {"type": "object"}}, **live}),
        "LiveFiles": _object({"files": {"type": "array", "items": _ref("LiveFile")}, "revision": _NUMBER}),
        "Plan": _object(plan),
        "PlanWithEffects": _object({**plan, "effects": {"type": "array", "items": effect}}),
        "Published": _object({"base": _NUMBER, "revision": _or_null(_NUMBER), "plan": _ref("PlanWithEffects")}),
        "Revision": _object(entry),
        "Revisions": _object({"revisions": {"type": "array", "items": _ref("Revision")}}),
        "WholeRevision": _object(
            {
                **entry,
                "files": {"type": "array", "items": {"type": "object"}},
                "slots": _or_null({"type": "object"}),
                "rules": _or_null({"type": "object"}),
            }
        ),
        "Diff": _object({"from": _NUMBER, "to": _NUMBER, "plan": _ref("Plan")}),
        "AuditLog": _object({"entries": {"type": "array", "items": _deed()}}),
        "Alerts": _alerts(),
        "Question": _question(),
        "Explanation": _explanation(),
        "Reasons": _reasons(),
        "Forecast": _forecast(),
        "Query": _query(),
        "QueryResult": _object(
            {
                "results": {
                    "type": "array",
                    "items": _object(
                        {
                            "dimensions": {"type": "array", "items": _TEXT},
                            "metrics": {"type": "array", "items": {"type": "number"}},
                        }
                    ),
                },
                "meta": {"type": "object"},
                "query": {"type": "object"},
            }
        ),
        "Decision": _decision(),
        "Decisions": _object(
            {
                "decisions": {"type": "object", "additionalProperties": _or_null(_ref("Decision"))},
                "no_fill": {"type": "object", "additionalProperties": _TEXT},
                "ledger": _or_null(_TEXT),
            }
        ),
        "PageView": _page_view(),
        "Events": _events(),
        "Problem": _problem(),
    }


def parameters() -> dict[str, Shape]:
    """Return the parameters of calls, by their names here; those of paths are made by the document."""
    flag: Shape = {"type": "boolean", "default": False}
    number: Shape = {"type": "integer", "minimum": 1}
    listed: Shape = {"type": "array", "items": {"type": "string", "maxLength": 64}}
    return {
        "dry_run": _parameter("dry_run", flag, "Only say what would change."),
        "prune": _parameter("prune", flag, "Remove campaigns that the upload lacks."),
        "message": _parameter("message", {"type": "string", "maxLength": MESSAGE_CHARS}, "Why; kept in the history."),
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "The ETag of the revision that was looked at: taken only while that is live, else 409.",
            "schema": {"type": "string", "pattern": '^("(0|[1-9][0-9]{0,14})"|\\*)$'},
        },
        "to": _parameter("to", number, "The later revision; the live one where it is left out."),
        "seed": _parameter(
            "seed", {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 1}, "Of chance."
        ),
        "limit": _parameter("limit", {**number, "maximum": MOST_ENTRIES, "default": 100}, "How many lines at most."),
        "location": _parameter("location", {"type": "string", "maxLength": 200}, "The place the page is about."),
        "topic": _parameter("topic", {**listed, "maxItems": 20}, "Topics of the page; repeat, or comma."),
        "variant": _parameter("variant", {"enum": _VARIANTS, "default": "auto"}, "Which length."),
        "max_chars": _parameter("max_chars", {**number, "maximum": 10_000}, "The longest text wanted."),
        "exclude": _parameter("exclude", {**listed, "maxItems": 50}, "Advertisers, categories or labels to leave out."),
        "flight": _parameter("flight", _SLUG, "The flight.", required=True),
        "slot": _parameter("slot", _SLUG, "One of its slots; all of them where it is left out."),
        "day": _parameter("day", {"type": "string", "format": "date"}, "Of the slot's site; today unless given."),
        "seen_variant": _parameter("variant", {"enum": ["name", "short", "long"]}, "The length that was shown."),
    }


def _deed() -> Shape:
    actions = ["published", "token_created", "token_revoked"]
    return _object({"at": _MOMENT, "who": _TEXT, "action": {"enum": actions}, "subject": _TEXT, "detail": _TEXT})


def _question() -> Shape:
    words: Shape = {"type": "array", "items": {"type": "string", "maxLength": 64}}
    asked = {
        "slot": _SLUG,
        "location": {"type": "string", "maxLength": 200},
        "topics": {**words, "maxItems": 20},
        "variant": {"enum": _VARIANTS},
        "max_chars": {"type": "integer", "minimum": 1, "maximum": 10_000},
        "exclude": {**words, "maxItems": 50},
        "at": _MOMENT,
    }
    by_slot = _object(asked, optional=tuple(name for name in asked if name != "slot"), closed=True)
    return {"anyOf": [by_slot, _object({"token": _TEXT}, closed=True)]}


def _alerts() -> Shape:
    alert = {
        "id": _TEXT,
        "kind": {"enum": [kind.value for kind in AlertKind]},
        "severity": {"enum": [severity.value for severity in Severity]},
        **dict.fromkeys(("title", "text", "advice"), _TEXT),
        "advertisers": {"type": "array", "items": _SLUG},
        **dict.fromkeys(("campaign", "flight", "slot"), _or_null(_SLUG)),
        "since": _MOMENT,
    }
    return _object({"at": _or_null(_MOMENT), "alerts": {"type": "array", "items": _object(alert)}, "unlisted": _NUMBER})


def _explanation() -> Shape:
    flight = {
        "campaign": _TEXT,
        "flight": _TEXT,
        "tier": {"enum": [tier.value for tier in Tier]},
        "reason": _or_null({"enum": [reason.value for reason in NoFillReason]}),
        "detail": _or_null(_TEXT),
        "odds": {"type": "number", "minimum": 0, "maximum": 1},
    }
    winner = _object({"campaign": _TEXT, "flight": _TEXT, "creative": _TEXT, "variant": {"enum": _VARIANTS}})
    return _object(
        {
            "slot": _TEXT,
            "place": _or_null(_TEXT),
            "at": _MOMENT,
            "revision": _NUMBER,
            "winner": _or_null(winner),
            "no_fill": _or_null({"enum": [reason.value for reason in NoFillReason]}),
            "odds_of_no_fill": {"type": "number", "minimum": 0, "maximum": 1},
            "flights": {"type": "array", "items": _object(flight)},
            "notes": {"type": "array", "items": _TEXT},
        }
    )


def _reasons() -> Shape:
    everywhere = {"reason": {"enum": [reason.value for reason in NoFillReason]}, "detail": _TEXT, "questions": _NUMBER}
    reason = {**everywhere, "part": {"type": "number", "minimum": 0, "maximum": 1}}
    return _object(
        {
            "flight": _TEXT,
            "campaign": _TEXT,
            "slot": _or_null(_TEXT),
            "place": _or_null(_TEXT),
            "day": {"type": "string", "format": "date"},
            "questions": _NUMBER,
            "looked_at": _NUMBER,
            "one_in": _or_null(_NUMBER),
            "won": _NUMBER,
            "reasons": {"type": "array", "items": _object(reason)},
            "everywhere": {"type": "array", "items": _object(everywhere)},
            "notes": {"type": "array", "items": _TEXT},
        }
    )


def _forecast() -> Shape:
    taken = _object({"campaign": _TEXT, "flight": _TEXT, "impressions": _NUMBER})
    flight = {
        "campaign": _TEXT,
        "flight": _TEXT,
        "starts": _MOMENT,
        "ends": _MOMENT,
        "matching": _NUMBER,
        "impressions": _object({"likely": _NUMBER, "low": _NUMBER, "high": _NUMBER}),
        "goal": _or_null(_NUMBER),
        "takes_from": {"type": "array", "items": taken},
        "takes_from_others": _NUMBER,
        "takes_empty": _NUMBER,
    }
    basis = {
        "from": _or_null(_MOMENT),
        "to": _or_null(_MOMENT),
        "decisions": _NUMBER,
        "seen": {"type": "number"},
        "samples": _NUMBER,
        "seed": _NUMBER,
    }
    return _object({"flights": {"type": "array", "items": _object(flight)}, "basis": _object(basis)})


def _query() -> Shape:
    days: Shape = {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 2, "maxItems": 2}
    page = {
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS},
        "offset": {"type": "integer", "minimum": 0, "maximum": 10_000_000},
    }
    metrics = [name.value for name in MetricName]
    dimensions: Shape = {"enum": _DIMENSIONS}
    return _object(
        {
            "metrics": {"type": "array", "items": {"enum": metrics}, "minItems": 1},
            "date_range": {"anyOf": [{"enum": [period.value for period in Period]}, days]},
            "dimensions": {"type": "array", "items": dimensions},
            "filters": {"type": "array", "items": _filter(dimensions)},
            "order_by": {
                "type": "array",
                "items": _tuple({"enum": [*metrics, *_DIMENSIONS]}, {"enum": ["asc", "desc"]}),
            },
            "pagination": _object(page, optional=tuple(page), closed=True),
            "timezone": _TEXT,
        },
        optional=("dimensions", "filters", "order_by", "pagination", "timezone"),
        closed=True,
    )


def _filter(dimensions: Shape) -> Shape:
    condition = _tuple(
        {"enum": [operator.value for operator in Operator]}, dimensions, {"type": "array", "items": _TEXT}
    )
    return {"anyOf": [condition, _tuple({"enum": ["not", "and", "or"]}, {"type": "array"})]}


def _decision() -> Shape:
    named = _object({"id": _TEXT, "name": _TEXT})
    variants = _object({name: _or_null(_TEXT) for name in ("name", "short", "long")})
    texts = ("campaign", "flight", "creative", "label", "text", "click_url", "seen_url", "token", "html")
    return _object(
        {
            "slot": _TEXT,
            "place": _or_null(named),
            "advertiser": named,
            "variant": {"enum": ["name", "short", "long"]},
            "variants": variants,
            "disclosure": _or_null(_TEXT),
            **dict.fromkeys(texts, _TEXT),
        }
    )


def _page_view() -> Shape:
    words: Shape = {"type": "array", "items": {"type": "string", "maxLength": 64}}
    slot = _object(
        {
            "id": {"type": "string", "minLength": 1, "maxLength": 64},
            "slot": _SLUG,
            "variant": {"enum": _VARIANTS},
            "max_chars": {"type": "integer", "minimum": 1, "maximum": 10_000},
        },
        optional=("variant", "max_chars"),
    )
    return _object(
        {
            "location": {"type": "string", "maxLength": 200},
            "topics": {**words, "maxItems": 20},
            "exclude": {**words, "maxItems": 50},
            "ledger": _or_null(_TEXT),
            "slots": {"type": "array", "items": slot, "minItems": 1, "maxItems": 50},
        },
        optional=("location", "topics", "exclude", "ledger"),
    )


def _events() -> Shape:
    event = _object(
        {"token": _TEXT, "kind": {"enum": ["seen", "viewable"]}, "variant": {"enum": ["name", "short", "long"]}},
        optional=("variant",),
    )
    return _object({"events": {"type": "array", "items": event, "maxItems": 100}})


def _problem() -> Shape:
    fault = _object(
        {"path": _TEXT, "message": _TEXT, "file": _TEXT, "sheet": _TEXT, "line": _NUMBER, "column": _NUMBER},
        optional=("file", "sheet", "line", "column"),
    )
    return _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _NUMBER,
            "detail": _TEXT,
            "errors": {"type": "array", "items": fault},
        },
        optional=("errors",),
    )


def _part(schema: object) -> Shape:
    """Return a JSON Schema as a component, which names no dialect of its own."""
    if not isinstance(schema, dict):
        raise TypeError("a schema is an object")
    return {key: value for key, value in schema.items() if key != "$schema"}


def _object(properties: Mapping[str, object], optional: tuple[str, ...] = (), *, closed: bool = False) -> Shape:
    shape: Shape = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
    return {**shape, "additionalProperties": False} if closed else shape


def _tuple(*items: Shape) -> Shape:
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}


def _or_null(shape: Shape) -> Shape:
    return {"anyOf": [shape, {"type": "null"}]}


def _ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, schema: Shape, description: str, *, required: bool = False) -> Shape:
    shape: Shape = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**shape, "required": True} if required else shape
