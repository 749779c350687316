"""Tokens: united without loss, never brought back, kept on disk, followed by keeper and workers."""

import logging
import stat
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.access.office import TokenOffice, TokenRefused
from adserver.access.token_file import TOKENS_NAME, TOKENS_UNREADABLE, TokenWatch, read_tokens, write_tokens
from adserver.access.token_mirror import TOKENS_PUT_BACK, TOKENS_UNWRITABLE, TokenMirror
from adserver.access.token_store import MemoryTokenStore, TokenStore
from adserver.access.tokens import AccessToken, Revocation, Role, TokenBook, TokensUnreadable, digest_of
from adserver.domain.errors import StoreUnavailable

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

DIGESTS = st.sampled_from("abcdef")
BOOKS = st.builds(
    lambda tokens, revoked: TokenBook({key: token(key) for key in tokens}, {key: revocation(key) for key in revoked}),
    st.sets(DIGESTS),
    st.sets(DIGESTS),
)


def token(name: str = "kim", **fields: object) -> AccessToken:
    whole: dict[str, object] = {
        "role": Role.ANALYST, "advertisers": (), "made_at": 0, "made_by": "ops", "expires_at": None, **fields
    }  # fmt: skip
    return AccessToken(name, **whole)  # type: ignore[arg-type]


def revocation(by: str = "ops") -> Revocation:
    return Revocation(1, by)


def office(store: TokenStore | None = None, now: datetime = NOON) -> TokenOffice:
    return TokenOffice(store or MemoryTokenStore(), lambda: now)


class TestBook:
    @given(BOOKS, BOOKS)
    def test_two_books_are_united_without_loss_in_any_order(self, one: TokenBook, other: TokenBook) -> None:
        both = one.united(other)
        assert both == other.united(one)
        assert not one.beside(both)
        assert not other.beside(both)
        assert both.united(one) == both

    @given(BOOKS, BOOKS, DIGESTS)
    def test_what_either_revoked_stays_revoked(self, one: TokenBook, other: TokenBook, digest: str) -> None:
        if digest in one.revoked or digest in other.revoked:
            assert one.united(other).find(digest, NOON) is None

    def test_a_token_holds_until_the_millisecond_it_expires(self) -> None:
        book = TokenBook({"a": token(expires_at=round(NOON.timestamp() * 1000))})
        assert book.find("a", NOON - timedelta(milliseconds=1)) is not None
        assert book.find("a", NOON) is None


class TestOffice:
    def test_makes_a_token_of_256_bits_that_only_its_hash_is_kept_of(self) -> None:
        store = MemoryTokenStore()
        issued = office(store).make("Kim", Role.MARKETER, ["qwiket", "qwiket"], 30, by="ops")

        assert issued.token.startswith("adsv_")
        assert len(issued.token) == 5 + 43, "256 bits in base64url"
        assert issued.token not in repr(issued)
        [(digest, record)] = store.read().tokens.items()
        assert digest == digest_of(issued.token)
        assert (record.name, record.role, record.advertisers) == ("Kim", Role.MARKETER, ("qwiket",))
        assert record.expires == NOON + timedelta(days=30)

    def test_a_name_is_free_again_once_its_token_is_revoked_or_has_expired(self) -> None:
        store = MemoryTokenStore()
        office(store).make("Kim", Role.ANALYST, (), 1, by="ops")
        with pytest.raises(TokenRefused, match="there is a token called 'Kim'"):
            office(store).make("Kim", Role.ADMIN, by="ops")

        later = office(store, NOON + timedelta(days=2))
        later.make("Kim", Role.ANALYST, by="ops")
        later.revoke("Kim", by="boss")
        later.make("Kim", Role.ANALYST, by="ops")
        assert sorted(one.state(NOON + timedelta(days=2)) for one in later.list()) == ["expired", "revoked", "valid"]

    def test_revokes_by_name_or_id_and_says_who_did(self) -> None:
        store = MemoryTokenStore()
        desk = office(store)
        desk.make("Kim", Role.ANALYST, by="ops")
        desk.make("Ann", Role.ANALYST, by="ops")
        desk.revoke("Kim", by="boss")
        [ann] = [one for one in desk.list() if one.record.name == "Ann"]
        desk.revoke(ann.id, by="boss")
        assert {one.to_json(NOON)["revoked_by"] for one in desk.list()} == {"boss"}
        with pytest.raises(TokenRefused, match="no token that holds"):
            desk.revoke("Kim", by="boss")

    @pytest.mark.parametrize("name", ["", " Kim", "Kim\n", "-", "a" * 65, "Kim\u202e", "<b>"])
    def test_refuses_what_cannot_be_a_name(self, name: str) -> None:
        with pytest.raises(TokenRefused, match="a name has"):
            office().make(name, Role.ANALYST, by="ops")

    @pytest.mark.parametrize(
        ("role", "advertisers", "days", "words"),
        [
            (Role.ADMIN, ("qwiket",), None, "an admin sees everything"),
            (Role.ANALYST, ("QWIKET",), None, "no advertiser's id"),
            (Role.ANALYST, (), 0, "1 to 3650"),
            (Role.ANALYST, (), 3651, "1 to 3650"),
        ],
    )
    def test_refuses_what_does_not_go_together(
        self, role: Role, advertisers: tuple[str, ...], days: int | None, words: str
    ) -> None:
        store = MemoryTokenStore()
        with pytest.raises(TokenRefused, match=words):
            office(store).make("Kim", role, advertisers, days, by="ops")
        assert not store.read()

    def test_lays_a_change_over_one_that_came_between(self) -> None:
        store = MemoryTokenStore()

        class Raced(MemoryTokenStore):
            def version(self) -> str:
                return store.version()

            def read(self) -> TokenBook:
                book = store.read()
                if len(book.tokens) == 0:
                    office(store).make("Ann", Role.ANALYST, by="ops")
                return book

            def add(self, version: str, book: TokenBook) -> bool:
                return store.add(version, book)

        office(Raced()).make("Kim", Role.ANALYST, by="ops")
        assert sorted(one.name for one in store.read().tokens.values()) == ["Ann", "Kim"]


class TestFile:
    def test_is_private_and_read_as_it_was_written(self, tmp_path: Path) -> None:
        book = TokenBook({"a": token(advertisers=("qwiket",))}, {"b": revocation()})
        write_tokens(tmp_path, book)
        assert read_tokens(tmp_path) == book
        assert stat.S_IMODE((tmp_path / TOKENS_NAME).stat().st_mode) == 0o600

    def test_a_worker_takes_up_what_is_replaced_and_keeps_it_through_damage(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        watch = TokenWatch(tmp_path)
        assert not watch.poll()
        write_tokens(tmp_path, TokenBook({"a": token()}))
        assert watch.poll()
        assert not watch.poll()
        assert "a" in watch.current().tokens

        (tmp_path / TOKENS_NAME).write_text("{")
        assert not watch.poll()
        assert "a" in watch.current().tokens
        assert [record.message for record in caplog.records] == [TOKENS_UNREADABLE]

    def test_another_version_is_not_guessed_at(self, tmp_path: Path) -> None:
        (tmp_path / TOKENS_NAME).write_text('{"version": 2, "tokens": {}, "revoked": {}}')
        with pytest.raises(TokensUnreadable, match="format 2"):
            read_tokens(tmp_path)


class FlakyStore(MemoryTokenStore):
    """A store that can be taken away."""

    away = False

    def version(self) -> str:
        if self.away:
            raise StoreUnavailable("gone")
        return super().version()

    def put(self, tokens: Mapping[str, AccessToken], revoked: Mapping[str, Revocation] | None = None) -> None:
        assert self.add(self.version(), TokenBook(tokens, revoked or {}))


class TestMirror:
    def test_brings_what_is_made_to_the_host_and_keeps_it_while_the_store_is_away(self, tmp_path: Path) -> None:
        store = FlakyStore()
        mirror = TokenMirror(store, tmp_path)
        mirror.step()
        assert not (tmp_path / TOKENS_NAME).exists()
        store.put({"a": token()})
        mirror.step()
        store.away = True
        mirror.step()
        assert set(read_tokens(tmp_path).tokens) == {"a"}

    def test_gives_an_older_or_empty_store_back_what_it_lost(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = FlakyStore()
        store.put({"a": token()})
        TokenMirror(store, tmp_path).step()
        store.put({}, {"a": revocation()})
        mirror = TokenMirror(store, tmp_path)
        mirror.step()

        older = FlakyStore()
        older.put({"a": token(), "b": token("ann")})
        again = TokenMirror(older, tmp_path)
        again.step()
        again.step()

        assert older.read() == read_tokens(tmp_path)
        assert set(older.read().tokens) == {"a", "b"}
        assert older.read().find("a", NOON) is None, "a revoked token came back with the older copy"
        assert TOKENS_PUT_BACK in [record.message for record in caplog.records]

    def test_does_not_read_all_of_it_while_nothing_changes(self, tmp_path: Path) -> None:
        store = FlakyStore()
        store.put({"a": token()})
        mirror = TokenMirror(store, tmp_path)
        mirror.step()
        read: list[int] = []
        store.read = lambda: read.append(1) or TokenBook()  # type: ignore[method-assign, func-returns-value]
        mirror.step()
        assert read == []

    def test_a_damaged_file_is_written_anew(self, tmp_path: Path) -> None:
        (tmp_path / TOKENS_NAME).write_text("{")
        store = FlakyStore()
        store.put({"a": token()})
        TokenMirror(store, tmp_path).step()
        assert set(read_tokens(tmp_path).tokens) == {"a"}

    def test_a_disk_that_refuses_is_reported_once_and_tried_again(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder = tmp_path / "data"
        store = FlakyStore()
        store.put({"a": token()})
        mirror = TokenMirror(store, folder)
        with caplog.at_level(logging.ERROR):
            mirror.step()
            mirror.step()
        assert [record.message for record in caplog.records] == [TOKENS_UNWRITABLE]
        folder.mkdir()
        mirror.step()
        assert set(read_tokens(folder).tokens) == {"a"}
