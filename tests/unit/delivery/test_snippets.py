import re

import pytest
from delivery_stand import Stand
from doc_pages import blocks_of

from adserver.delivery.embeds import read_embeds
from adserver.delivery.snippets import Snippet, make_snippets
from adserver.domain.ids import SlotId

SERVICE = "https://sponsors.example"
TOP = SlotId("article-top")


def snippets(location: str = "Remer,MN", topic: str = "", service: str = SERVICE) -> dict[str, Snippet]:
    return {snippet.name: snippet for snippet in make_snippets(service, TOP, location, topic)}


def test_they_are_those_of_the_documents() -> None:
    shown = " ".join(" ".join(block.text.split()) for block in blocks_of("embedding.md"))
    for snippet in snippets().values():
        if snippet.name not in ("tag", "wordpress"):
            *_, last = snippet.text.partition('slot.css">\n')
            assert " ".join((last or snippet.text).split()) in shown, snippet.name


@pytest.mark.parametrize("name", ["tag", "frame", "ssi", "esi", "php"])
def test_every_address_in_them_is_answered_and_filled(name: str) -> None:
    client = Stand().client()
    text = snippets(topic="sports")[name].text.replace("&amp;", "&")
    addresses = re.findall(rf'(?:{SERVICE}|")(/[^"\s<>]+)', text)
    assert addresses
    for address in addresses:
        answer = client.get(address, base_url=SERVICE)
        assert (answer.status_code, answer.headers.get("Sponsor-No-Fill")) == (200, None), address


def test_slot_place_and_topics_stand_in_them_as_they_were_given() -> None:
    found = snippets('Coeur d\'Alene, "ID" & <b>', "sports,ice & snow")
    embeds = read_embeds(found["tag"].text + found["frame"].text, "https://news.example/")
    assert [(each.slot, each.location) for each in embeds.tags + embeds.frames] == [
        ("article-top", 'Coeur d\'Alene, "ID" & <b>')
    ] * 2
    for name in ("ssi", "php"):
        assert (
            "location=Coeur%20d%27Alene,%20%22ID%22%20%26%20%3Cb%3E&topic=sports,ice%20%26%20snow" in found[name].text
        )
    assert "&amp;topic=" in found["esi"].text


def test_a_service_under_a_path_is_named_with_it() -> None:
    found = snippets(service="https://news.example/sponsors")
    assert '"/sponsors/v1/slots/article-top.html?location=Remer,MN"' in found["ssi"].text
    assert "https://news.example/sponsors/v1/slots/article-top.html" in found["php"].text
    assert found["frame"].policy == "frame-src https://news.example"


def test_nothing_about_the_page_is_nothing_in_the_snippet() -> None:
    assert '<sponsor-slot name="article-top">' in snippets("")["tag"].text
    assert 'frames/article-top"' in snippets("")["frame"].text
