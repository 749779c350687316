"""The API's description is valid, tells every call, and schemathesis finds nothing where the service does otherwise."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pipeline import SLOTS, TOKEN, Pipeline, campaign_file
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from valkey_server import running_valkey

from adserver.runtime import app as composition
from adserver.web.api_calls import CALLS, Call
from adserver.web.limits import CallLimit
from adserver.web.openapi import make_openapi

LEFT_OUT = (
    "positive_data_acceptance",  # what only the whole can tell (ids, references, dates) is 422: no schema can say it
)
EXAMPLES = 4
TOLD_NOTHING = {"/v1/seen", "/v1/seen/<token>.gif"}
"""A beacon is answered the same whatever it holds, so that it teaches nobody."""
LARGE = {"CampaignUpload", "SlotsFile", "RulesFile"}
"""It takes half a minute to make what is against these; tests/property/test_uploads.py breaks uploads faster."""
PLACEHOLDER = re.compile(r"<(\w+)>")
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Return the service with a sponsor, whose limits are far away: what is sent here is many calls a second."""

    def unlimited(clock: Callable[[], float], **_limits: object) -> CallLimit:
        return CallLimit(clock, burst=10**9)

    with pytest.MonkeyPatch.context() as patch, running_valkey() as socket:
        patch.setattr(composition, "CallLimit", unlimited)
        pipeline = Pipeline(tmp_path_factory.mktemp("data"), socket)
        pipeline.publish(campaign_file(), SLOTS)
        pipeline.settle()
        yield pipeline
        pipeline.close()


@pytest.fixture(scope="module")
def api(pipeline: Pipeline) -> Any:  # noqa: ANN401 - schemathesis' own
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", pipeline.client.application)


@pytest.mark.parametrize(
    ("call", "mode"),
    [
        pytest.param(call, mode, id=f"{call.method} {call.path} {mode.value}")
        for call in CALLS
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or call.body not in LARGE
    ],
)
def test_the_service_does_as_its_description_says(
    api: Any,  # noqa: ANN401
    call: Call,
    mode: GenerationMode,
) -> None:
    operation = api[PLACEHOLDER.sub(r"{\1}", call.path)][call.method]
    left_out = (*LEFT_OUT, "negative_data_rejection") if call.path in TOLD_NOTHING else LEFT_OUT
    excluded: list[Any] = [check for check in CHECKS.get_all() if check.__name__ in left_out]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        case.call_and_validate(headers=ADMIN if call.roles else None, excluded_checks=excluded)

    try:
        send()
    except (Unsatisfiable, schemathesis.errors.IncorrectUsage):  # nothing about a call without parameters can be wrong
        assert mode is GenerationMode.NEGATIVE
        assert "<" not in call.path
        assert not call.parameters
        assert call.body is None


def test_the_document_is_valid_openapi_3_1() -> None:
    document = make_openapi("/sponsors")
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["servers"] == [{"url": "/sponsors"}]


def test_the_page_to_read_it_loads_nothing_from_elsewhere(pipeline: Pipeline) -> None:
    page = pipeline.client.get("/docs")
    files = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(files) == 4
    assert all(file.startswith("/") for file in files)
    assert {pipeline.client.get(file).status_code for file in files} == {200}
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|<script(?! src=)", page.text)
    for name in ("..%2f__init__.py", "index.html", "nothing"):
        assert pipeline.client.get(f"/docs/ui/{name}").status_code == 404


def test_the_document_is_fetched_once(pipeline: Pipeline) -> None:
    first = pipeline.client.get("/v1/openapi.json")
    again = pipeline.client.get("/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert json.loads(first.data)["info"]["title"] == "Sponsor ad server"
