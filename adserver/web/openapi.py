"""The API as an OpenAPI 3.1 document, made of the table of its calls and of the schemas that uploads are checked by."""

import re
from typing import Final

from adserver.domain.ids import SLUG_PATTERN
from adserver.web.api_calls import CALLS, CSV_SHEET, HTML, JSON, XLSX, Call
from adserver.web.api_schemas import Shape, parameters, schemas
from adserver.web.problems import CONTENT_TYPE as PROBLEM
from adserver.web.statuses import words_of

API_VERSION: Final = "1"
"""Of the contract, which `/v1` stands for."""

_PLACEHOLDER: Final = re.compile(r"<(\w+)>")
_IN_PATHS: Final[dict[str, Shape]] = {
    "campaign": {"type": "string", "pattern": f"^{SLUG_PATTERN}$"},
    "number": {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999},
    "slot": {"type": "string", "pattern": f"^{SLUG_PATTERN}$"},
    "token": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,96}$"},
}
_ANY_CALL: Final = (400, 429, 503)
_WITH_TOKEN: Final = (401, 403)
_DESCRIPTION: Final = (
    "What pages, marketers and analysts ask of the ad server. Tokens are made by `adserver token create`; a token that "
    "is bound to advertisers sees nothing of others. Errors are `application/problem+json` (RFC 9457)."
)


def make_openapi(server: str) -> Shape:
    """Return the document; `server`: the path that all of the service stands under, `/` at the top."""
    paths: dict[str, Shape] = {}
    for call in CALLS:
        paths.setdefault(_PLACEHOLDER.sub(r"{\1}", call.path), {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sponsor ad server", "version": API_VERSION, "description": _DESCRIPTION},
        "servers": [{"url": server}],
        "tags": [{"name": name} for name in dict.fromkeys(call.group for call in CALLS)],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "parameters": parameters(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "adsv_…"}},
        },
    }


def _operation(call: Call) -> Shape:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATHS[name]}
        for name in _PLACEHOLDER.findall(call.path)
    ]
    named = [{"$ref": f"#/components/parameters/{name}"} for name in call.parameters]
    operation: Shape = {
        "summary": call.summary,
        "operationId": _PLACEHOLDER.sub(r"\1", f"{call.method.lower()}{call.path}").strip("/"),
        "tags": [call.group],
        "security": [{"token": []}] if call.roles else [],
        "responses": _responses(call),
    }
    if call.roles:
        operation["description"] = f"For {', '.join(role.value for role in call.roles)}."
    if in_path or named:
        operation["parameters"] = [*in_path, *named]
    if call.body is not None:
        content = {kind: {"schema": _body(call.body, kind)} for kind in call.body_types}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(call: Call) -> Shape:
    responses: Shape = {str(call.status): _success(call)}
    if call.answers == "Decision":
        responses["204"] = {"description": "No sponsor; the header Sponsor-No-Fill says why."}
    problems = (*_ANY_CALL, *(_WITH_TOKEN if call.roles else ()), *call.problems)
    empty = call.answers == HTML
    for status in sorted(set(problems)):
        responses[str(status)] = _problem(words_of(status)[0], empty=empty)
    responses["default"] = _problem("Any other error", empty=empty)
    return responses


def _success(call: Call) -> Shape:
    if call.answers is None:
        return {"description": "Taken."}
    if "/" in call.answers:
        return {"description": call.summary, "content": {call.answers: {"schema": {}}}}
    content: Shape = {JSON: {"schema": _schema(call.answers)}}
    if call.answers == "QueryResult":
        content["text/csv"] = {"schema": {"type": "string"}}
    return {"description": call.summary, "content": content}


def _problem(words: str, *, empty: bool) -> Shape:
    """Return an error; one that an include would print on the page has an empty body."""
    return {
        "description": words,
        "content": {HTML: {"schema": {}}} if empty else {PROBLEM: {"schema": _schema("Problem")}},
    }


def _body(name: str, kind: str) -> Shape:
    """Return the schema of what is sent; sheets have none."""
    if kind == XLSX:
        return {"type": "string", "contentMediaType": XLSX}
    return {"type": "string"} if kind == CSV_SHEET else _schema(name)


def _schema(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}
