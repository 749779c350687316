"""The console's pages that change something, over the sample publisher in memory, and browsers before them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient
from pipeline import load_gazetteer
from sample import SAMPLE, copy_sample
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.catalog.desk import LocalDesk
from adserver.catalog.documents import JsonObject
from adserver.catalog.folder import read_folder
from adserver.catalog.merging import Extent
from adserver.catalog.publish import Publisher
from adserver.catalog.store import MemoryRevisionStore
from adserver.runtime.console_changes import change_sections
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator, TokenAuthenticator
from adserver.web.console.shell import ConsoleParts
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit
from adserver.web.store_gate import StoreGate

ADMIN: Final = "adsv_admin-token-of-these-tests"
BAKERY: Final = """\
advertiser: {id: corner-bakery, name: Corner Bakery}
campaigns:
  - id: spring-bread
    name: Spring bread
    starts: 2026-03-01
    timezone: America/Chicago
    creatives:
      - id: bakery-bread
        click_url: "https://bakery.example/"
        variants: {name: Corner Bakery, short: "Corner Bakery: bread from seven."}
    flights:
      - id: bakery-remer
        slots: [masthead]
        targeting: {places: ["Remer, MN"]}
"""
HTML: Final = {"Accept": "text/html,*/*;q=0.8"}

__all__ = ["ADMIN", "BAKERY", "SAMPLE", "ChangeStand", "Visitor", "form_of", "text_of"]


def noon() -> datetime:
    return datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class ChangeStand:
    """An application with these pages alone. For one thread."""

    folder: Path
    store: MemoryTokenStore = field(default_factory=MemoryTokenStore)
    burst: int = 1000

    def __post_init__(self) -> None:
        self.publisher = Publisher(MemoryRevisionStore(), load_gazetteer(), noon)
        self.publisher.publish(read_folder(copy_sample(self.folder)), extent=Extent.FOLDER, author="first start")
        self.office = TokenOffice(self.store, noon)
        identities = TokenAuthenticator(AdminTokenAuthenticator(ADMIN), self.store.read, noon)
        uploads = CallLimit(lambda: 0.0, burst=self.burst)
        sections = change_sections(
            self.publisher, LocalDesk(self.publisher), load_gazetteer(), uploads, StoreGate(lambda: 0.0)
        )
        parts = ConsoleParts(identities, (b"k" * 32,), noon, CallLimit(lambda: 0.0), sections)
        self.app = create_app(AppParts((), HostRules(), console=parts))

    def visitor(self, role: Role = Role.ADMIN, *advertisers: str) -> "Visitor":
        """Return the browser of somebody who has signed in."""
        bound = role is not Role.ADMIN or advertisers
        token = self.office.make(f"Kim the {role}", role, advertisers, None, by="ops").token if bound else ADMIN
        visitor = Visitor(self.app.test_client())
        assert visitor.post("/console/sign-in", {"token": token}).status_code == 303
        return visitor

    @property
    def revision(self) -> int:
        return self.publisher.live().revision

    def campaign(self, id_: str) -> JsonObject:
        return next(one for _, _, one in self.publisher.live().documents.campaigns() if one["id"] == id_)


@dataclass
class Visitor:
    """A browser with its cookies. For one thread."""

    client: FlaskClient
    csrf: str = ""

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=HTML)

    def post(self, path: str, fields: Mapping[str, object]) -> TestResponse:
        """Send a form as a browser does, with the token against foreign forms that its pages carry."""
        if not self.csrf:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/console/sign-in").text)
            assert found is not None
            self.csrf = found[1]
        data = {name: _part(value) for name, value in {"csrf_token": self.csrf, **fields}.items()}
        boundary, body = encode_multipart(data)
        kind = f'multipart/form-data; boundary="{boundary}"'
        answer = self.client.post(path, data=body, headers=HTML, content_type=kind)
        if path == "/console/sign-in":
            self.csrf = ""
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/console/").text)
            assert found is not None
            self.csrf = found[1]
        return answer


def _part(value: object) -> object:
    """Return a field as it is sent: a pair of stream and name is a file."""
    return FileStorage(*value) if isinstance(value, tuple) else value


class _FormReader(HTMLParser):
    """Reads what a browser would send of a form. One use."""

    def __init__(self, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self._action = action
        self._inside = False
        self._area: str | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("action") == self._action and said.get("method") == "post"
        elif not self._inside:
            return
        elif tag == "input" and said.get("type") not in ("file", "submit"):
            ticks = said.get("type") in ("checkbox", "radio")
            if not ticks or "checked" in said:
                self._take(said.get("name", ""), said.get("value", "on" if ticks else ""))
        elif tag == "textarea":
            self._area = said["name"]
            self._take(self._area, "")
        elif tag == "select":
            self._select, self._options = said["name"], []
        elif tag == "option" and self._select is not None:
            self._options.append((said.get("value", ""), "selected" in said))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area is not None:
            text = self.fields[self._area][-1].removeprefix("\n")
            self.fields[self._area][-1] = text.replace("\n", "\r\n")
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = [value for value, selected in self._options if selected] or [self._options[0][0]]
            self._take(self._select, chosen[-1])
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.fields[self._area][-1] += data

    def _take(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def form_of(page: TestResponse, action: str) -> dict[str, list[str]]:
    """Return what a browser would send of the form of a page that goes somewhere, without its buttons."""
    reader = _FormReader(action)
    reader.feed(page.text)
    assert reader.fields, f"no form goes to {action}"
    return reader.fields


def text_of(page: TestResponse) -> str:
    """Return what can be read on a page, in one line."""
    body = re.sub(r"<(head|textarea|script|iframe)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
