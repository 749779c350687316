"""What the management API takes: types, sizes, query names, and the revision a change was made for."""

import gzip
import json
from collections.abc import Mapping

import pytest
from catalog_bench import campaign, campaign_file
from management_desk import ADMIN, JSON, YAML, Desk, desk, errors_of
from werkzeug.test import TestResponse

from adserver.catalog.reading import LIMIT_BYTES


class TestIfMatch:
    def test_of_the_live_revision_publishes(self) -> None:
        assert desk().post(campaign_file(campaign("autumn")), headers={"If-Match": '"2"'}).status_code == 200

    def test_of_another_is_409_with_the_live_one(self) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), headers={"If-Match": '"1"'})
        assert answer.status_code == 409
        assert answer.headers["ETag"] == '"2"'
        assert one.bench.live_campaigns() == ["spring"]

    def test_of_a_star_is_whichever_is_live(self) -> None:
        assert desk().post(campaign_file(campaign("autumn")), headers={"If-Match": "*"}).status_code == 200

    @pytest.mark.parametrize("value", ["2", 'W/"2"', '"two"', '"1", "2"', "", '"02"', '"-1"'])
    def test_that_is_no_revision_is_refused_rather_than_passed_over(self, value: str) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), headers={"If-Match": value})
        assert answer.status_code == 400
        assert [path for path, _ in errors_of(answer)] == ["If-Match"]
        assert one.bench.live_campaigns() == ["spring"]


class TestQueryNames:
    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("?dry_run=yes", "dry_run"),
            ("?dry_run=", "dry_run"),
            ("?prune=1", "prune"),
            ("?dry_run=true&dry_run=false", "dry_run"),
            ("?message=a&message=b", "message"),
            ("?message=" + "a" * 501, "message"),
            ("?message=a%00b", "message"),
            ("?message=a%0Ab", "message"),
            ("?message=a%E2%80%AEb", "message"),
        ],
    )
    def test_that_cannot_be_read_are_400_and_nothing_is_published(self, query: str, name: str) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), query)
        assert answer.status_code == 400
        assert [path for path, _ in errors_of(answer)] == [name]
        assert one.bench.live_campaigns() == ["spring"]

    def test_that_nobody_knows_are_passed_over(self) -> None:
        assert desk().post(campaign_file(campaign("autumn")), "?colour=red").status_code == 200


class TestContentTypes:
    @pytest.mark.parametrize(
        "content_type",
        [
            "application/vnd.ms-excel",
            "image/svg+xml",
            "application/zip",
            "text/plain",
            "multipart/form-data; boundary=a",
            "application/x-www-form-urlencoded",
            "",
        ],
    )
    def test_that_are_not_taken_are_415_saying_which_are(self, content_type: str) -> None:
        answer = desk().post(campaign_file(campaign("autumn")), content_type=content_type)
        assert answer.status_code == 415
        errors_of(answer)
        assert JSON in answer.text
        assert YAML in answer.text

    @pytest.mark.parametrize("content_type", [JSON, YAML])
    @pytest.mark.parametrize(
        "body",
        [
            gzip.compress(b"{}"),
            b"PK\x03\x04rest",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"<?xml version='1.0'?>",
        ],
        ids=["gzip", "zip", "svg", "xml"],
    )
    def test_of_other_bodies_are_415(self, content_type: str, body: bytes) -> None:
        assert desk().post(body, content_type=content_type).status_code == 415

    @pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
    def test_with_a_content_encoding_are_415(self, encoding: str) -> None:
        body = json.dumps(campaign_file(campaign("autumn"))).encode()
        assert desk().post(body, headers={"Content-Encoding": encoding}).status_code == 415


class CountingStream:
    """An endless body that counts what is read of it. For one thread."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        size = min(size, 65_536)
        self.read_bytes += size
        return b" " * size


class TestTenMegabytes:
    def test_by_their_length_are_413_unread(self) -> None:
        stream = CountingStream()
        answer = send_stream(desk(), stream, {"CONTENT_LENGTH": str(LIMIT_BYTES)})
        assert answer.status_code == 413
        errors_of(answer)
        assert stream.read_bytes == 0

    def test_in_chunks_are_413_once_that_much_has_come(self) -> None:
        stream = CountingStream()
        answer = send_stream(desk(), stream, {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True})
        assert answer.status_code == 413
        errors_of(answer)
        assert stream.read_bytes < LIMIT_BYTES + 200_000

    def test_less_a_byte_are_read(self) -> None:
        body = json.dumps(campaign_file(campaign("autumn"))).encode()
        one = desk()
        assert one.post(body + b" " * (LIMIT_BYTES - 1 - len(body))).status_code == 200
        assert one.bench.live_campaigns() == ["autumn", "spring"]

    def test_are_not_read_of_a_type_that_is_not_taken(self) -> None:
        stream = CountingStream()
        answer = send_stream(desk(), stream, {"CONTENT_LENGTH": "1000", "CONTENT_TYPE": "text/plain"})
        assert answer.status_code == 415
        assert stream.read_bytes == 0


class TestWithoutAToken:
    def test_the_body_is_not_read(self) -> None:
        stream = CountingStream()
        answer = send_stream(desk(), stream, {"CONTENT_LENGTH": "1000"}, headers={})
        assert answer.status_code == 401
        assert stream.read_bytes == 0


def send_stream(
    one: Desk, stream: CountingStream, environ: Mapping[str, object], headers: Mapping[str, str] = ADMIN
) -> TestResponse:
    overrides = {"CONTENT_TYPE": JSON, "wsgi.input": stream, **environ}
    return one.client.post("/v1/campaigns", headers=headers, environ_overrides=overrides)
