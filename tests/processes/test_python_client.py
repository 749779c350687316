"""The Python client in real Flask and Django applications, before a real service."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_pages import Block, blocks_of
from flask import Flask, render_template_string
from service import ROOT, Service, running_service
from sponsor_slots import SponsorClient
from sponsor_slots.flask import SponsorSlots

DJANGO_PAGE = """
import json, sys
import django
from django.conf import settings
from django.template import Context, Template

settings.configure(
    INSTALLED_APPS=["sponsor_slots.django"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    SPONSOR_SLOTS_URL=sys.argv[1],
    SPONSOR_SLOTS_TIMEOUT_SECONDS=5.0,
)
django.setup()
template = Template(sys.stdin.read())
print(json.dumps(template.render(Context({"place": "Remer,MN"}))))
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service"), ADSERVER_WORKERS="1") as service:
        yield service


def client(service: Service) -> SponsorClient:
    """Return a client that waits long: it is the machine that may be slow here, not the service."""
    return SponsorClient(service.base, timeout_seconds=5.0)


def flask_page(service: Service, template: str) -> str:
    app = Flask("news")
    app.config.update(SPONSOR_SLOTS_URL=service.base, SPONSOR_SLOTS_TIMEOUT_SECONDS=5.0)
    SponsorSlots(app)
    with app.test_request_context():
        return render_template_string(template)


def django_page(service: Service, template: str) -> str:
    run = subprocess.run(
        (sys.executable, "-c", DJANGO_PAGE, service.base),
        input=template,
        cwd=ROOT / "integrations" / "python" / "src",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    page = json.loads(run.stdout)
    assert isinstance(page, str)
    return page


def see(service: Service, page: str) -> None:
    """Load a page's beacons, as a browser does."""
    beacons = re.findall(r'<img src="http://127\.0\.0\.1:\d+(/v1/seen/[^"]+)"', page)
    assert beacons
    for beacon in beacons:
        assert service.call(beacon)[0] == 200


def test_a_flask_page_shows_the_sponsor_and_it_counts(service: Service) -> None:
    before = service.totals()["impressions"]
    page = flask_page(service, '<p>{{ sponsor_slot("masthead", location="Remer,MN", topics=["sports"]) }}</p>')
    assert "QWIKET: Elevate your fantasy game!" in page
    assert '<p><div class="sponsor"><a' in page, "it is put in as it is, not escaped"
    see(service, page)
    service.await_that(lambda: service.totals()["impressions"] == before + 1)


def test_a_django_page_shows_the_sponsor(service: Service) -> None:
    page = django_page(
        service, '{% load sponsor_slots %}<p>{% sponsor_slot "masthead" location=place topics="sports" %}</p>'
    )
    assert page.startswith('<p><div class="sponsor"><a')
    assert "QWIKET" in page
    see(service, page)


def test_cached_pages_get_the_tag_which_holds_no_token(service: Service) -> None:
    flask = flask_page(service, '{{ sponsor_script() }}{{ sponsor_tag("masthead", location="Remer,MN") }}')
    django = django_page(
        service, '{% load sponsor_slots %}{% sponsor_script %}{% sponsor_tag "masthead" location="Remer,MN" %}'
    )
    assert flask == django
    assert f'<script src="{service.base}/slot.js" defer></script><sponsor-slot name="masthead"' in flask
    assert "/go/" not in flask
    assert "/v1/seen/" not in flask


def test_all_slots_of_a_page_come_in_one_call_in_which_no_sponsor_stands_twice(service: Service) -> None:
    asked = client(service).fragments(["masthead", "article-top", "no-such-slot"], location="Remer,MN")
    assert set(asked) == {"masthead", "article-top", "no-such-slot"}
    assert asked["no-such-slot"] == ""
    assert asked["masthead"].startswith('<div class="sponsor">')


def test_a_place_with_anything_in_it_arrives_as_it_was_written(service: Service) -> None:
    assert client(service).fragment("masthead", location='Remer,MN&x="<b>', topics=["a b", "ü"]) != ""


def test_a_slot_of_no_sense_is_empty(service: Service) -> None:
    assert client(service).fragment("../../readyz") == ""


def test_the_package_is_imported_alone(tmp_path: Path) -> None:
    """Of what the service brings, it needs nothing."""
    others = ["adserver", "flask", "django", "jinja2"]
    program = f"import sys, sponsor_slots; print([name for name in {others} if name in sys.modules])"
    run = subprocess.run(
        (sys.executable, "-c", program),
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "integrations" / "python" / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("block", [block for block in blocks_of("embedding.md") if block.language == "jinja"], ids=str)
def test_what_the_guide_shows_prints_the_sponsor(service: Service, block: Block) -> None:
    page = {"flask": flask_page, "django": django_page}[block.rest](service, block.text)
    assert '<div class="sponsor"><a' in page or "<sponsor-slot" in page
