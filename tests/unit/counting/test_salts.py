from pathlib import Path

from adserver.counting.salts import SALTS_NAME, DailyCuts, Salt, SaltWatch, read_salts, write_salts
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.token import Token
from adserver.domain.variants import Variant

SLOT = id_hash(Kind.SLOT, "masthead")
TODAY = Salt(20_781, "0f" * 16, 1_795_500_000.0, agreed=True)
YESTERDAY = Salt(20_780, "f0" * 16, 1_795_413_600.0, agreed=False)
GOLDEN = (
    b'{"version":1,"salts":[{"day":20780,"secret":"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0","made":1795413600.0,"agreed":false},'
    b'{"day":20781,"secret":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","made":1795500000.0,"agreed":true}]}'
)


def token(second: int = 20_781 * 86_400) -> Token:
    kinds = (Kind.FLIGHT.none, Kind.CREATIVE.none, SLOT, Kind.PLACE.none, Kind.TOPIC.none)
    return Token(b"issuer", 0, 0, second, *kinds, Variant.AUTO)


def utc_day(slot: IdHash, second: int) -> int:
    assert slot == SLOT
    return second // 86_400


def test_the_file_is_version_1(tmp_path: Path) -> None:
    write_salts(tmp_path, (YESTERDAY, TODAY))

    assert (tmp_path / SALTS_NAME).read_bytes() == GOLDEN
    assert read_salts(tmp_path) == (YESTERDAY, TODAY)


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    write_salts(tmp_path, (TODAY,))
    write_salts(tmp_path, (TODAY,))

    assert (tmp_path / SALTS_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SALTS_NAME]


def test_what_cannot_be_read_holds_no_salts(tmp_path: Path) -> None:
    assert read_salts(tmp_path) == ()
    for text in (b"", b"{", GOLDEN.replace(b'"version":1', b'"version":2')):
        (tmp_path / SALTS_NAME).write_bytes(text)
        assert read_salts(tmp_path) == ()


def test_a_worker_takes_up_what_the_keeper_replaced(tmp_path: Path) -> None:
    watch = SaltWatch(tmp_path)
    assert not watch.poll()
    write_salts(tmp_path, (YESTERDAY, TODAY))
    assert watch.poll()
    assert not watch.poll()
    assert watch.current() == {20_780: bytes.fromhex("f0" * 16), 20_781: bytes.fromhex("0f" * 16)}

    write_salts(tmp_path, (Salt(20_780, "", 0.0, agreed=False), TODAY))
    assert watch.poll()
    assert watch.current().keys() == {20_781}, "one whose time is over is used no more"


def test_a_reader_is_one_on_a_day_and_another_on_the_next() -> None:
    salts = {20_781: b"a" * 16, 20_782: b"b" * 16}
    cuts = DailyCuts(lambda: salts, utc_day)
    first = cuts.cut(token(), "203.0.113.7", "Firefox")

    assert first == cuts.cut(token(20_781 * 86_400 + 86_399), "203.0.113.7", "Firefox")
    others = {
        cuts.cut(token(20_782 * 86_400), "203.0.113.7", "Firefox"),
        cuts.cut(token(), "203.0.113.8", "Firefox"),
        cuts.cut(token(), "203.0.113.7", "Chrome"),
        cuts.cut(token(), "203.0.113.7F", "irefox"),
    }
    assert len(others | {first}) == 5
    assert 0 < first < 2**32


def test_the_cut_is_pinned() -> None:
    assert DailyCuts(lambda: {20_781: b"a" * 16}, utc_day).cut(token(), "203.0.113.7", "Firefox") == 2393035732


def test_without_a_salt_or_an_address_nobody_is_told_apart() -> None:
    cuts = DailyCuts(lambda: {20_781: b"a" * 16}, utc_day)

    assert cuts.cut(token(20_790 * 86_400), "203.0.113.7", "Firefox") == 0
    assert cuts.cut(token(), "", "Firefox") == 0


def test_a_salt_shows_no_secret() -> None:
    assert "0f0f" not in repr(TODAY)
